"""Fused AdamW with warm-up and linear decay; biases and norms are not decayed, the head learns faster.

Sources: Loshchilov and Hutter, Decoupled Weight Decay Regularization, 2019; Mosbach, Andriushchenko, Klakow, On the
Stability of Fine-tuning BERT, 2021 (warm-up and bias correction are what keeps small fine-tunings from failing).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

# A model that reads declared fields has their map beside the model of the text (model/fields).
_HEADS = ("head.", "model.head.", "fields.")


@dataclass(frozen=True)
class Optimizing:
    """Settings of the optimizer. learning_rate: highest rate of the encoder; head_factor: its multiple for the head."""

    learning_rate: float
    head_factor: float = 1.0
    weight_decay: float = 0.01
    warmup: float = 0.1
    clip: float = 1.0


def build_optimizer(model: nn.Module, settings: Optimizing) -> torch.optim.AdamW:
    """AdamW over the parameters of `model` that require a gradient, in at most four groups."""
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            groups.setdefault((name.startswith(_HEADS), parameter.dim() >= 2), []).append(parameter)
    return torch.optim.AdamW(
        [
            {
                "params": parameters,
                "peak": settings.learning_rate * (settings.head_factor if head else 1.0),
                "weight_decay": settings.weight_decay if decayed else 0.0,
            }
            for (head, decayed), parameters in groups.items()
        ],
        lr=settings.learning_rate,
        fused=True,
    )


def set_rate(optimizer: torch.optim.Optimizer, step: int, total: int, warmup: float) -> None:
    """Set the learning rate of every group for step `step` (0-based) of `total`."""
    share = rate_share(step, total, warmup)
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * share


def rate_share(step: int, total: int, warmup: float) -> float:
    """Share of the highest rate at step `step` (0-based) of `total`: up over `warmup` x total steps, then down to 0."""
    rising = max(1, round(total * warmup))
    if step < rising:
        return (step + 1) / rising
    return (total - step) / max(1, total - rising)
