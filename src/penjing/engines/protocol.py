"""The three methods that every engine has, and what the last bits of its logits depend on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from penjing.core.machine import instruction_set

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


def fingerprint(engine: str, version: str, threads: int) -> dict[str, str]:
    """The four facts of a numeric fingerprint; `batch` and padding are not in it because no result depends on them."""
    return {"engine": engine, "version": version, "instruction_set": instruction_set(), "threads": str(threads)}
