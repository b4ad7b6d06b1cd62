"""The three methods that every engine has, and the choice of the one that reads an artifact."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from penjing.core.errors import UsageError
from penjing.core.machine import cores, instruction_set
from penjing.core.nouns import Artifact

Array = npt.NDArray[Any]
Logits = npt.NDArray[np.float32]
Device = Literal["cpu", "cuda", "tensorrt"]


class Engine(Protocol):
    """A model ready to run. `encode` and `run` may be called from several threads; runs of one engine take turns.

    An engine over token ids also has `tokens: Tokens`; a session then cuts long texts and groups by length.
    """

    def encode(self, texts: Sequence[str]) -> list[Array]:
        """One array a masked text: token ids (tokens,) int64 with the special tokens, or features."""
        ...

    def run(self, batch: Sequence[Array]) -> Logits:
        """Logits (batch, labels) float32 of what `encode` gave, in one pass."""
        ...

    def fingerprint(self) -> dict[str, str]:
        """What the last bits of the logits depend on: engine, version, instruction set, threads."""
        ...


def open_engine(artifact: Artifact, threads: int = 0, device: Device = "cpu") -> Engine:
    """The engine of the artifact's form. threads: 0 for all cores that this process may use.

    device: where encoders of ONNX Runtime run. Models without an encoder run on the CPU, whatever it says. Raises
    MissingPackageError where the engine or its device is not installed, UsageError for a form that does not run on the
    device, DamageError for a file that cannot be read.
    """
    count = threads or cores()
    form = artifact.card.form
    if device != "cpu" and form in {"openvino", "torch"}:
        raise UsageError(
            f"an artifact of form `{form}` runs on the CPU, not on `{device}`",
            where=str(artifact.folder),
            fix="make it with `engine: onnx`, or ask for `cpu`",
        )
    if form == "openvino":
        from penjing.engines.openvino import OpenVinoEngine

        return OpenVinoEngine.load(artifact, count)
    if form == "onnx":
        from penjing.engines.onnx import OnnxEngine

        return OnnxEngine.load(artifact, count, device)
    if form == "linear":
        from penjing.engines.linear import LinearEngine

        return LinearEngine.load(artifact, count)
    if form == "static":
        from penjing.engines.static import StaticEngine

        return StaticEngine.load(artifact, count)
    if form == "exit":
        from penjing.engines.early_exit import ExitEngine

        return ExitEngine.load(artifact, count, device)
    try:
        from penjing.engines.torch import TorchEngine
    except ModuleNotFoundError as error:
        raise UsageError(
            f"an artifact of form `torch` needs the package `{error.name}`",
            where=str(artifact.folder),
            fix="pip install 'penjing[train]', or use the sealed release, which needs no torch",
        ) from None
    return TorchEngine.load(artifact, count)


def fingerprint(engine: str, version: str, threads: int) -> dict[str, str]:
    """The four facts of a numeric fingerprint; `batch` and padding are not in it because no result depends on them."""
    return {"engine": engine, "version": version, "instruction_set": instruction_set(), "threads": str(threads)}
