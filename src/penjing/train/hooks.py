"""What may act on a training while it runs, without a loop of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from penjing.core.nouns import Progress


@dataclass(frozen=True)
class Moment:
    """Where a training is: `step` of `total` done, the loss of that step, the scores of the last evaluation."""

    step: int
    total: int
    loss: float
    scores: dict[str, float]


class Hook(Protocol):
    """Called after every step of the optimizer."""

    def after_step(self, moment: Moment) -> None: ...


class Report:
    """Tells a Progress how far a training is; the loss is a running mean over about twenty steps."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._loss: float | None = None

    def after_step(self, moment: Moment) -> None:
        self._loss = moment.loss if self._loss is None else 0.95 * self._loss + 0.05 * moment.loss
        scores = "".join(f", {name.replace('_', ' ')} {value:.3f}" for name, value in moment.scores.items())
        self._progress.advance(1, f"loss {self._loss:.3f}{scores}")
