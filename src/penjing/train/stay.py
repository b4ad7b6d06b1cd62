"""Keeps weights near those of an earlier model, each by how much it mattered there.

    gradient_i += strength F_i (w_i - w'_i),   F_i = mean over rows of (d loss(row) / d w_i)^2

Source: Kirkpatrick and others, Overcoming Catastrophic Forgetting in Neural Networks, 2017.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import nn

from penjing.train.hooks import Batch, Hook
from penjing.train.loop import Objective


class StayHook(Hook):
    """Adds the gradient of the penalty. It has no state: a training begins from the earlier weights, also resumed."""

    def __init__(self, model: nn.Module, fisher: Mapping[str, torch.Tensor], strength: float) -> None:
        """model: with the earlier weights."""
        self._fisher, self._strength = fisher, strength
        self._earlier = {
            name: parameter.detach().clone() for name, parameter in model.named_parameters() if name in fisher
        }

    def after_backward(self, batch: Batch) -> None:
        for name, parameter in batch.model.named_parameters():
            if name in self._fisher and parameter.grad is not None:
                apart = parameter.detach() - self._earlier[name]
                parameter.grad.add_(self._fisher[name] * apart, alpha=self._strength)


def fisher_of(model: nn.Module, objective: Objective, rows: Sequence[int]) -> dict[str, torch.Tensor]:
    """The diagonal of the empirical Fisher information of the trained parameters, by name, in evaluation mode."""
    model.eval()
    trained = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    found = {name: torch.zeros_like(parameter) for name, parameter in trained.items()}
    for row in rows:
        loss = objective.loss(model, np.array([row], dtype=np.int64))
        gradients = torch.autograd.grad(loss, list(trained.values()), allow_unused=True)
        for name, gradient in zip(trained, gradients, strict=True):
            if gradient is not None:
                found[name] += gradient.square() / len(rows)
    return found
