"""Keeps new products of low rank apart from those of an earlier model: their rows stay orthogonal.

    penalty = strength * sum over matrices of |A' A^T|^2,   gradient of A: 2 strength (A A'^T) A'

Source: Wang and others, Orthogonal Subspace Learning for Language Model Continual Learning, 2023 (O-LoRA).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from penjing.train.hooks import Batch, Hook


class ApartHook(Hook):
    """Adds the gradient of the penalty, for layers with a product whose `earlier` is A' (rank, in). It has no state."""

    def __init__(self, model: nn.Module, strength: float) -> None:
        self._strength = strength
        modules: list[Any] = [one for one in model.modules() if getattr(one, "earlier", None) is not None]
        self._pairs: list[tuple[nn.Parameter, torch.Tensor]] = [
            (learned.weight, one.earlier.to(learned.weight)) for one in modules for learned in one.lora_A.values()
        ]

    def after_backward(self, batch: Batch) -> None:  # noqa: ARG002
        for learned, earlier in self._pairs:
            if learned.grad is not None:
                learned.grad.add_((learned.detach() @ earlier.T) @ earlier, alpha=2 * self._strength)
