"""What may act on a training while it runs, without a loop of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import nn

from penjing.core.nouns import Progress


@dataclass(frozen=True)
class Batch:
    """What a hook may act on within a step: the model, and the loss of the batch once more.

    again: computes that loss with the model as it is now and adds its gradient to the one that is there.
    """

    model: nn.Module
    step: int
    again: Callable[[], torch.Tensor]


@dataclass(frozen=True)
class Moment:
    """Where a training is: `step` of `total` done, the loss of that step, the scores of the last evaluation."""

    step: int
    total: int
    loss: float
    scores: dict[str, float]
    model: nn.Module | None = field(default=None, repr=False, compare=False)


class Hook:
    """Called in the order in which hooks are given; each method does nothing unless a hook has its own.

    A hook with a memory gives it as `state`, which is in every checkpoint: a training that was killed goes on to the
    same bits. The key of a training names its hooks and their options.
    """

    def before_step(self, batch: Batch) -> None:
        """Before the loss of a batch is computed; there are no gradients yet."""

    def after_backward(self, batch: Batch) -> None:
        """The gradients are there, before they are clipped."""

    def after_step(self, moment: Moment) -> None:
        """The optimizer has moved the weights, and where an epoch ended they were scored."""

    @contextmanager
    def around_evaluation(self, model: nn.Module) -> Iterator[None]:  # noqa: ARG002
        """Within: the model is scored, and its weights are kept where they are the best so far."""
        yield

    def state(self) -> dict[str, torch.Tensor]:
        """What the hook remembers, by name."""
        return {}

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None:
        """Go on from what `state` gave."""


class ProgressHook(Hook):
    """Tells a Progress how far a training is; the loss is a running mean over about twenty steps."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._loss: float | None = None

    def after_step(self, moment: Moment) -> None:
        self._loss = moment.loss if self._loss is None else 0.95 * self._loss + 0.05 * moment.loss
        scores = "".join(f", {name.replace('_', ' ')} {value:.3f}" for name, value in moment.scores.items())
        self._progress.advance(1, f"loss {self._loss:.3f}{scores}")
