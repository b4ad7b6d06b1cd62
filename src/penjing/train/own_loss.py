"""A loss of the team's own: a function of outputs and targets in a Python file; it runs only while training.

    def my_loss(outputs, targets):      # outputs (N, C) float32; one label: targets (N,) int64, several: (N, C) 0 or 1
        return ...                      # (N,) float, or one number

N are rows with a target: texts, or tokens where every token has an answer. The source is in the card by its hash, and
no release loads it: a service needs the trained weights alone.
"""

from __future__ import annotations

import linecache
import traceback
from collections.abc import Callable, Sequence
from typing import Any

import torch

from penjing.core.errors import PenjingError, UsageError, shown
from penjing.core.own_code import OwnCode
from penjing.core.task import Head, Loss

_ROWS = 4


class OwnLoss:
    """The function of the team's own as a formula of `train/criteria.py`."""

    def __init__(self, code: OwnCode) -> None:
        """Runs the file once. Raises UsageError where it fails or gives no such function."""
        self._code = code
        space: dict[str, Any] = {"__name__": "penjing_own_loss", "__file__": code.file}
        # So that a traceback shows the lines that ran, even if the file has changed since.
        linecache.cache[code.file] = (len(code.source), None, code.source.splitlines(keepends=True), code.file)
        self._run(lambda: exec(compile(code.source, code.file, "exec"), space))
        function = space.get(code.name)
        if not callable(function):
            fix = f"define `def {code.name}(outputs, targets):` there"
            raise UsageError(f"`{code.name}` in that file is no function", where=code.file, fix=fix)
        self._function: Callable[..., Any] = function

    def __call__(self, loss: Loss, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:  # noqa: ARG002
        """What the function gives: (N,) or one number. Raises UsageError for anything else."""
        found: Any = self._run(lambda: self._function(outputs, targets))
        if not isinstance(found, torch.Tensor):
            self._refuse(f"`{self._code.name}` gives `{type(found).__name__}`")
        if found.shape not in (torch.Size([]), torch.Size([len(outputs)])):
            self._refuse(f"`{self._code.name}` gives the shape {tuple(found.shape)} for {len(outputs)} rows")
        if found.is_complex() or found.device != outputs.device:
            kind = str(found.dtype).removeprefix("torch.")
            self._refuse(
                f"`{self._code.name}` gives {kind} on {found.device.type}, for outputs on {outputs.device.type}"
            )
        rows: torch.Tensor = found.float()
        return rows

    def try_on(self, heads: Sequence[Head]) -> None:
        """Call it on four rows for each head. Raises UsageError where it fails, or where nothing can be learned."""
        for head in heads:
            outputs, targets = _sample(head)
            found = self(head.loss, outputs, targets).mean()
            if not torch.isfinite(found):
                self._refuse(f"`{self._code.name}` gives {found.item()} for outputs between -1 and 1")
            if not found.requires_grad:
                self._refuse(f"`{self._code.name}` does not depend on the outputs")

    def _run(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except PenjingError:
            raise
        # Code that is not ours may fail in any way, and must not end the command as if all were well.
        except (Exception, SystemExit) as error:
            lines = [
                frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == self._code.file
            ]
            if isinstance(error, SyntaxError):
                lines.append(error.lineno)
            where = f"{self._code.file}:{lines[-1]}" if lines else self._code.file
            what = f"`{self._code.name}` failed with {type(error).__name__}: {shown(str(error), 200)}"
            raise UsageError(what, where=where, fix="correct it there; `loss: auto` is the loss of the task") from error

    def _refuse(self, what: str) -> None:
        fix = "return a loss for each row, a tensor (N,), or their mean"
        raise UsageError(what, where=self._code.file, fix=fix)


def _sample(head: Head) -> tuple[torch.Tensor, torch.Tensor]:
    outputs = torch.linspace(-1, 1, _ROWS * head.size).view(_ROWS, head.size).clone().requires_grad_(True)
    if head.loss in ("cross_entropy", "ordinal"):
        return outputs, torch.arange(_ROWS) % head.size
    if head.loss == "binary_cross_entropy":
        return outputs, (torch.arange(_ROWS * head.size).view(_ROWS, head.size) % 2).float()
    return outputs, torch.linspace(-1, 1, _ROWS) if head.size == 1 else torch.linspace(-1, 1, _ROWS * head.size).view(
        _ROWS, -1
    )
