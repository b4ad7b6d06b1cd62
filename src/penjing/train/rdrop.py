"""R-Drop: two passes with other dropout must give the same answer.

    loss = 1/2 (L(z1) + L(z2)) + alpha / 4 (D(z1 || z2) + D(z2 || z1))

z1, z2: outputs of the same rows; L: the loss of the heads; D: the soft loss of a head (train/losses), which for one
label a text is the Kullback-Leibler divergence. It is half of the loss of the source, so that its size is that of L.

Source: Liang and others, R-Drop: Regularized Dropout for Neural Networks, 2021.
When: few rows, and time for two passes a batch. When not: an encoder without dropout, whose passes are equal.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from penjing.train.batches import Ints
from penjing.train.losses import known_rows, soft_loss
from penjing.train.supervised import Supervised


@dataclass(frozen=True)
class RDrop:
    """How a batch goes through the model. alpha: weight of the difference of its two passes."""

    alpha: float

    def __call__(self, objective: Supervised, model: nn.Module, rows: Ints) -> torch.Tensor:
        """The loss of a batch."""
        first, mask = objective.outputs(model, rows)
        second, _ = objective.outputs(model, rows)
        own = objective.loss_of(first, mask, rows) + objective.loss_of(second, mask, rows)
        apart = []
        heads = list(objective.task.heads.items())
        for (name, head), one, other in zip(heads, first, second, strict=True):
            left, targets = objective.flat(name, one, mask, rows)
            right, _ = objective.flat(name, other, mask, rows)
            known = known_rows(targets)
            if known.any():
                left, right = left[known], right[known]
                both = soft_loss(head.loss, left, right) + soft_loss(head.loss, right, left)
                apart.append(head.weight * both)
        difference = torch.stack(apart).sum() if apart else own * 0.0
        return own / 2 + self.alpha / 4 * difference
