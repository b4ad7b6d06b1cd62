"""Fused AdamW with warm-up and a schedule; biases and norms are not decayed, the head learns faster.

    share of the highest rate at place x in [0, 1] after the warm-up
    linear  1 - x        cosine  (1 + cos(pi x)) / 2        wsd  1, then 1 - sqrt(y) at place y of the last part

Sources: Loshchilov and Hutter, Decoupled Weight Decay Regularization, 2019; Mosbach, Andriushchenko, Klakow, On the
Stability of Fine-tuning BERT, 2021 (warm-up and bias correction are what keeps small fine-tunings from failing);
Loshchilov and Hutter, SGDR, 2017 (cosine); Hu and others, MiniCPM, 2024 (warm-up, stable, decay: training can go on from
its stable part); Hägele and others, Scaling Laws and Compute-Optimal Training Beyond Fixed Training Durations, 2024
(1 - sqrt).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

Schedule = Literal["linear", "cosine", "wsd"]

# A model that reads declared fields has their map beside the model of the text (model/fields).
_HEADS = ("head.", "model.head.", "fields.")


@dataclass(frozen=True)
class Optimizing:
    """Settings of the optimizer. learning_rate: highest rate of the encoder; head_factor: its multiple for the head.

    warmup: share of the steps in which the rate rises; decay: share of the steps in which `wsd` falls.
    """

    learning_rate: float
    head_factor: float = 1.0
    weight_decay: float = 0.01
    warmup: float = 0.1
    clip: float = 1.0
    schedule: Schedule = "linear"
    decay: float = 0.2


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


def set_rate(optimizer: torch.optim.Optimizer, step: int, total: int, settings: Optimizing) -> float:
    """Set the learning rate of every group for step `step` (0-based) of `total`; returns the share of the highest."""
    share = rate_share(step, total, settings.warmup, settings.schedule, settings.decay)
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * share
    return share


def rate_share(step: int, total: int, warmup: float, schedule: Schedule = "linear", decay: float = 0.2) -> float:
    """Share of the highest rate at step `step` (0-based) of `total`: up over `warmup` x total steps, then down to 0."""
    rising = max(1, round(total * warmup))
    if step < rising:
        return (step + 1) / rising
    left = (total - step) / max(1, total - rising)
    if schedule == "linear":
        return left
    if schedule == "cosine":
        return (1 + math.cos(math.pi * (1 - left))) / 2
    falling = min(max(1, round(total * decay)), max(1, total - rising))
    return min(1.0, 1 - math.sqrt(max(0.0, 1 - (total - step) / falling)))
