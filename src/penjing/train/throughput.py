"""How fast a training is: tokens a second, their share of what the machine can multiply, and a log of its course.

    floating-point operations of a token, forward and back = 6 N + 12 L d T

N: weights without the table of embeddings, L: layers, d: hidden size, T: tokens that a token sees. The share is this
times the tokens a second, over the operations a second of one large matrix product on the same threads, measured here.
Source: Chowdhery and others, PaLM, 2022, appendix B (model FLOP utilisation).
"""

from __future__ import annotations

import importlib.util
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from penjing.core.nouns import Progress
from penjing.train.batches import Ints
from penjing.train.hooks import Hook, Moment

_SIDE, _TRIES = 1024, 4
_LINES = 2000  # lines of a log, at most


@dataclass(frozen=True)
class CourseLog:
    """Where the course of a training is written: a file of JSON lines, and a folder of TensorBoard (None: none).

    tokens_of: the tokens of a batch without padding. operations: those of a token. peak: operations a second of a
    matrix product (0: not measured). rate: the highest learning rate.
    """

    path: Path
    board: Path | None
    tokens_of: Callable[[Ints], int]
    operations: float
    peak: float
    rate: float


class ThroughputHook(Hook):
    """Writes the log, and shows loss, tokens a second and share of the peak."""

    def __init__(self, log: CourseLog, progress: Progress) -> None:
        self._log, self._progress = log, progress
        self._writer: Any = None
        self._begun = False
        self._loss: float | None = None
        self._sums = [0.0, 0.0, 0.0]  # losses, steps and tokens since the last line
        self._seconds, self._tokens = 0.0, 0
        self._last = time.monotonic()

    def after_step(self, moment: Moment) -> None:
        if not self._begun:
            self._begin(moment.step)
        self._loss = moment.loss if self._loss is None else 0.95 * self._loss + 0.05 * moment.loss
        tokens = self._log.tokens_of(moment.rows)
        self._sums = [self._sums[0] + moment.loss, self._sums[1] + 1, self._sums[2] + tokens]
        evaluated = moment.step == moment.total or moment.scores != getattr(self, "_scores", moment.scores)
        self._scores = moment.scores
        every = max(1, moment.total // _LINES)
        note = ""
        if moment.step % every == 0 or evaluated:
            note = self._write(moment)
        self._progress.advance(1, f"loss {self._loss:.3f}{note}")

    def _write(self, moment: Moment) -> str:
        now = time.monotonic()
        seconds, (losses, steps, tokens) = now - self._last, self._sums
        self._seconds, self._tokens = self._seconds + seconds, self._tokens + int(tokens)
        speed = tokens / max(seconds, 1e-9)
        line = {
            "step": moment.step,
            "loss": round(losses / steps, 6),
            "rate": moment.rate * self._log.rate,
            "tokens": self._tokens,
            "tokens_per_s": round(speed, 1),
            "seconds": round(self._seconds, 3),
            **{f"held_out_{name}": round(value, 6) for name, value in moment.scores.items()},
        }
        if self._log.peak:
            line["share_of_peak"] = round(speed * self._log.operations / self._log.peak, 4)
        with self._log.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        self._to_board(line)
        self._last, self._sums = now, [0.0, 0.0, 0.0]
        share = f", {line['share_of_peak']:.0%} of the peak" if self._log.peak else ""
        return f", {speed:,.0f} tokens/s{share}"

    def _begin(self, step: int) -> None:
        """Keep the lines of an earlier run up to this step, and go on from the last of them."""
        self._begun = True
        kept = [line for line in read_log(self._log.path) if line["step"] < step]
        if kept:
            self._seconds, self._tokens = kept[-1]["seconds"], kept[-1]["tokens"]
        self._log.path.parent.mkdir(parents=True, exist_ok=True)
        self._log.path.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
        if self._log.board is not None and importlib.util.find_spec("tensorboard") is not None:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(self._log.board), purge_step=step)

    def _to_board(self, line: dict[str, Any]) -> None:
        if self._writer is not None:
            for name, value in line.items():
                if name != "step":
                    self._writer.add_scalar(name, value, line["step"])
            self._writer.flush()


def read_log(path: Path) -> list[dict[str, Any]]:
    """The complete lines of a log; empty where there is none."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    found = []
    for line in lines:
        try:
            found.append(json.loads(line))
        except ValueError:  # the last line of a killed run
            break
    return found


def matmul_peak(device: str) -> float:
    """Floating-point operations a second of a product of two matrices of 1,024 x 1,024, the best of four."""
    one = torch.ones(_SIDE, _SIDE, device=device)
    best = float("inf")
    for _ in range(_TRIES):
        began = time.perf_counter()
        (one @ one).sum().item()
        best = min(best, time.perf_counter() - began)
    return 2.0 * _SIDE**3 / best


def operations_a_token(model: nn.Module, layers: int, width: int, tokens: int) -> float:
    """Operations of the formula above for a token that sees `tokens` others."""
    tables = {id(part.weight) for part in model.modules() if isinstance(part, nn.Embedding)}
    weights = sum(parameter.numel() for parameter in model.parameters() if id(parameter) not in tables)
    return 6.0 * weights + 12.0 * layers * width * tokens
