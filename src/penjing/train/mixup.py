"""Mixup of the vectors of texts: the head learns from weighted means of two texts and of their losses.

    h = a h_i + (1 - a) h_j,   loss = a L(W h + b, y_i) + (1 - a) L(W h + b, y_j),   a from Beta(alpha, alpha)

One a and one pairing (i, j) for a batch; h are the means over the tokens, before the dropout of the head. Declared
fields are mixed in the same way.

Source: Zhang, Cissé, Dauphin, Lopez-Paz, mixup: Beyond Empirical Risk Minimization, 2018; Verma and others, Manifold
Mixup, 2019 (of hidden states); Chen, Yang, Yang, MixText, 2020 (of texts).
When: few rows with one vector a text. When not: answers about tokens, which have no vectors to mix.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from penjing.model.fields import WithFields, inner
from penjing.train.batches import Ints
from penjing.train.supervised import Supervised


@dataclass(frozen=True)
class Mixup:
    """How a batch goes through the model. alpha: the parameter of the Beta distribution; near 0 most texts stay."""

    alpha: float

    def __call__(self, objective: Supervised, model: nn.Module, rows: Ints) -> torch.Tensor:
        """The loss of a batch."""
        # Both are drawn on the CPU by the training's own generator, whose state is in its checkpoints.
        share = float(torch.distributions.Beta(self.alpha, self.alpha).sample())
        order = torch.randperm(len(rows))
        with _mixing(model, share, order):
            outputs, mask = objective.outputs(model, rows)
        other = rows[order.numpy()]
        return share * objective.loss_of(outputs, mask, rows) + (1 - share) * objective.loss_of(outputs, mask, other)


@contextmanager
def _mixing(model: nn.Module, share: float, order: torch.Tensor) -> Iterator[None]:
    """Inside the block, the vectors of texts and their declared fields are mixed before the head reads them."""

    def mix(_module: nn.Module, given: tuple[Any, ...]) -> tuple[Any, ...]:
        (values,) = given
        return (share * values + (1 - share) * values[order.to(values.device)],)

    dropout = inner(model).dropout
    assert isinstance(dropout, nn.Module)
    handles = [dropout.register_forward_pre_hook(mix)]
    if isinstance(model, WithFields):
        handles.append(model.fields.register_forward_pre_hook(mix))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
