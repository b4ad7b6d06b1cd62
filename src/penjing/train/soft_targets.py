"""Supervised learning that also follows outputs for every train row: an earlier model's, or those of several models.

    loss = hard * L(gold) + weight * soft(z / T, t / T)

z: the model's outputs; t: the given ones; the soft form of each loss is in train/losses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from penjing.train.batches import Ints
from penjing.train.losses import soft_loss
from penjing.train.supervised import Supervised


@dataclass(frozen=True)
class SoftTargets(Supervised):
    """A Supervised over pooled and token heads with outputs to follow.

    targets: by head, of every train row in order; columns: those of a pooled head that are followed, None: all.
    """

    targets: Mapping[str, Any] = field(default_factory=dict)
    weight: float = 1.0
    temperature: float = 1.0
    columns: Sequence[int] | None = None
    hard: float = 1.0

    @classmethod
    def of(
        cls,
        objective: Supervised,
        targets: Mapping[str, Any],
        weight: float,
        temperature: float,
        columns: Sequence[int] | None = None,
        hard: float = 1.0,
    ) -> SoftTargets:
        """The same objective with outputs to follow."""
        parts = {name: getattr(objective, name) for name in Supervised.__dataclass_fields__}
        return cls(**parts, targets=targets, weight=weight, temperature=temperature, columns=columns, hard=hard)

    def loss_of(self, outputs: Sequence[torch.Tensor], mask: torch.Tensor, rows: Ints) -> torch.Tensor:
        loss = self.hard * super().loss_of(outputs, mask, rows)
        for (name, head), found in zip(self.task.heads.items(), outputs, strict=True):
            given = [torch.as_tensor(self.targets[name][row]).to(found.device) for row in rows]
            mine = found if head.kind == "pooled" else found[mask.bool()]
            wanted = torch.stack(given) if head.kind == "pooled" else torch.cat(given)
            if self.columns is not None:
                mine, wanted = mine[:, list(self.columns)], wanted[:, list(self.columns)]
            loss = loss + self.weight * soft_loss(head.loss, mine, wanted, self.temperature)
        return loss
