"""Targets of a student: the teacher's outputs for every text, and the gold for some texts.

    mean over the texts of  (1 - a) soft(student, teacher) + a hard(student, gold),   summed over the heads

soft and hard are the two forms of the head's loss (train/losses); a counts only where a text has gold. The centred form
may replace the soft one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from penjing.core.task import Head, Item, Loss, Task
from penjing.train.batches import Ints
from penjing.train.losses import centred_loss, hard_loss, soft_loss

Comparison = Literal["kl", "centred"]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Targets:
    """teacher: concatenated outputs of all heads (n, width); gold: for each head (n, ...); known: rows with gold."""

    heads: Mapping[str, Head]
    teacher: Floats
    gold: Mapping[str, npt.NDArray[Any]]
    known: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, task: Task, teacher: Floats, texts: Sequence[str], golds: Sequence[str]) -> Targets:
        """Targets of n texts; golds belong to the first of them."""
        rows = len(teacher)
        encoded = task.encode(golds, [Item(text) for text in texts[: len(golds)]])
        gold = {}
        for name, values in encoded.items():
            own = np.asarray(values)
            gold[name] = np.zeros((rows, *own.shape[1:]), dtype=own.dtype)
            gold[name][: len(golds)] = own
        return cls(task.heads, teacher, gold, np.arange(rows) < len(golds))

    def take(self, places: Ints) -> Targets:
        """The targets of these rows."""
        gold = {name: values[places] for name, values in self.gold.items()}
        return Targets(self.heads, self.teacher[places], gold, self.known[places])

    def loss(
        self, outputs: torch.Tensor, rows: Ints, temperature: float, share: float, form: Comparison = "kl"
    ) -> torch.Tensor:
        """The loss of these rows' outputs (batch, width); share: the weight a of the gold."""

        def as_tensor(array: npt.NDArray[Any]) -> torch.Tensor:
            return torch.from_numpy(array[rows]).to(outputs.device)

        teacher, known, start, losses = as_tensor(self.teacher), as_tensor(self.known), 0, []
        for name, head in self.heads.items():
            found, wanted = (each[:, start : start + head.size] for each in (outputs, teacher))
            soft = teacher_loss(head.loss, found, wanted, temperature, form)
            hard = hard_loss(head.loss, found, as_tensor(self.gold[name]), reduction="none")
            losses.append(weighted_mean(soft, hard, known, share))
            start += head.size
        return losses[0] if len(losses) == 1 else torch.stack(losses).sum()


def teacher_loss(
    loss: Loss, found: torch.Tensor, wanted: torch.Tensor, temperature: float, form: Comparison
) -> torch.Tensor:
    """The loss (n,) of outputs (n, size) against the teacher's. The centred form does not use the temperature."""
    if form == "centred":
        return centred_loss(loss, found, wanted, "none")
    return soft_loss(loss, found, wanted, temperature, "none")


def weighted_mean(soft: torch.Tensor, hard: torch.Tensor, known: torch.Tensor, share: float) -> torch.Tensor:
    """The mean over the rows of (1 - a) soft + a hard; soft, hard, known: (n,).

    soft: losses against the teacher; hard: against the gold; known: where there is gold; share: the weight a there.
    """
    weight = known.to(soft.dtype) * share
    return ((1 - weight) * soft + weight * hard).mean()
