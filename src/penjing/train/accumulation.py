"""Several batches a step: their gradients are added before the weights change, in the memory of one batch.

gradient = sum over the batches B of a step of  |B| / n  grad L(B),   n the rows of the step
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn

from penjing.train.batches import Ints
from penjing.train.loop import Objective, StreamObjective, count_steps


@dataclass
class Accumulated:
    """An objective whose batches are `count` of those of another one, computed one after another."""

    objective: Objective
    count: int
    epochs: float
    _ends: dict[bytes, list[int]] = field(default_factory=dict)

    def sizes(self) -> list[int]:
        """Steps of each epoch; the last may be partial."""
        return [math.ceil(batches / self.count) for batches in count_steps(self.objective, self.epochs)]

    def batches(self, epoch: int) -> list[Ints]:
        """The rows of each step of an epoch."""
        every = self.objective.batches(epoch)[: count_steps(self.objective, self.epochs)[epoch]]
        groups = [every[first : first + self.count] for first in range(0, len(every), self.count)]
        steps = [np.concatenate(group) for group in groups]
        self._ends = {
            step.tobytes(): np.cumsum([len(batch) for batch in group])[:-1].tolist()
            for step, group in zip(steps, groups, strict=True)
        }
        return steps

    def pieces(self, model: nn.Module, rows: Ints) -> Iterator[torch.Tensor]:
        """The loss of each batch, weighted by its rows."""
        for batch in np.split(rows, self._ends[rows.tobytes()]):
            if isinstance(self.objective, StreamObjective):
                for piece in self.objective.pieces(model, batch):
                    yield piece * (len(batch) / len(rows))
            else:
                yield self.objective.loss(model, batch) * (len(batch) / len(rows))

    def loss(self, model: nn.Module, rows: Ints) -> torch.Tensor:
        """The loss of a step at once."""
        return torch.stack(list(self.pieces(model, rows))).sum()

    def score(self, model: nn.Module) -> dict[str, float]:
        """As the other one."""
        return self.objective.score(model)
