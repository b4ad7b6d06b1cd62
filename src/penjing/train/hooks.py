"""Hooks that act on a training while it runs, in the one loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn

from penjing.core.nouns import Progress
from penjing.train.batches import Ints


@dataclass(frozen=True)
class Batch:
    """What a hook can use within a step: the model, and a second computation of the batch's loss.

    add_gradient: computes the loss with the model's present weights and adds its gradient to the existing one.
    """

    model: nn.Module
    step: int
    add_gradient: Callable[[], torch.Tensor]


@dataclass(frozen=True)
class Moment:
    """State of a training: `step` of `total` done, the loss of that step, the scores of the last evaluation.

    rows: the batch of that step; rate: its share of the highest learning rate.
    """

    step: int
    total: int
    loss: float
    scores: dict[str, float]
    model: nn.Module | None = field(default=None, repr=False, compare=False)
    rows: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64), repr=False, compare=False)
    rate: float = 1.0


class Hook:
    """Base class of hooks, called in the given order; every method does nothing by default.

    A hook with a state returns it as `state`, which is stored in every checkpoint: a killed training continues to the
    same bits. The caller of a training puts its hooks and their options into its key, so that no other hook continues
    from its checkpoint.
    """

    def before_step(self, batch: Batch) -> None:
        """Before the loss of a batch is computed; there are no gradients yet."""

    def after_backward(self, batch: Batch) -> None:
        """After the gradients are computed, before they are clipped."""

    def after_step(self, moment: Moment) -> None:
        """After the optimizer has changed the weights, and after the evaluation at the end of an epoch."""

    @contextmanager
    def around_evaluation(self, model: nn.Module) -> Iterator[None]:  # noqa: ARG002
        """Inside the block, the model is scored, and its weights are kept if they are the best so far."""
        yield

    def state(self) -> dict[str, torch.Tensor]:
        """The tensors of the hook's state, by name."""
        return {}

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None:
        """Restore the hook from a result of `state`."""


class ProgressHook(Hook):
    """Reports the progress of a training to a Progress; the loss is a running mean over about twenty steps."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._loss: float | None = None

    def after_step(self, moment: Moment) -> None:
        self._loss = moment.loss if self._loss is None else 0.95 * self._loss + 0.05 * moment.loss
        scores = "".join(f", {name.replace('_', ' ')} {value:.3f}" for name, value in moment.scores.items())
        self._progress.advance(1, f"loss {self._loss:.3f}{scores}")
