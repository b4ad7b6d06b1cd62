"""The guard of a long training: a loss that is not finite, or far above those before it, leads back to a good state.

A loss v is a spike after at least 50 steps where, of the last 50 losses with median m and median absolute deviation d,
and of the first ten losses with median s,

    v > m + max(10 x 1.4826 d, (spike - 1) |m|, 0.05 |s|)

The last term is for losses that fall to nearly nothing, as the contrastive one does: there one hard batch is many times
the median, and harms nothing.

The training then loads the last good checkpoint and leaves out the batches from there to the bad one, as was done by
hand for PaLM (Chowdhery and others, PaLM, 2022, section 5.1). Good checkpoints are made every `every` steps, never by
time, so that a training that was killed meets the same ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

_WINDOW = 50
_DEVIATIONS = 10.0
# The least rise that is a spike, as a share of what the loss was at the start: the median of so many first losses.
_START, _SHARE = 10, 0.05


@dataclass(frozen=True)
class Guard:
    """every: steps between good checkpoints; spike: multiple of the median loss; most: how often it may go back."""

    every: int
    spike: float = 2.0
    most: int = 10

    def is_bad(self, loss: float, gradient: float, losses: Sequence[float]) -> bool:
        """Whether a step with this loss and this norm of its gradient must not be taken, after these losses."""
        if not math.isfinite(loss) or not math.isfinite(gradient):
            return True
        if len(losses) < _WINDOW:
            return False
        last = np.asarray(losses[-_WINDOW:])
        middle = float(np.median(last))
        deviation = 1.4826 * float(np.median(np.abs(last - middle)))
        least = _SHARE * abs(float(np.median(losses[:_START])))
        return loss > middle + max(_DEVIATIONS * deviation, (self.spike - 1) * abs(middle), least)


def good_folder(scratch: Path) -> Path:
    """The folder of the good checkpoints of a training."""
    return scratch / "good"


def trained_steps(total: int, skipped: Sequence[Sequence[int]]) -> list[int]:
    """The numbers, from 1, of the steps among `total` that were taken; skipped: ranges of batches from 0."""
    left_out = {step for first, last in skipped for step in range(first, last)}
    return [step + 1 for step in range(total) if step not in left_out]
