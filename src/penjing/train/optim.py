"""The optimizer with warm-up and a schedule; biases and norms are not decayed, the head learns faster.

    share of the highest rate at place x in [0, 1] after the warm-up
    linear  1 - x        cosine  (1 + cos(pi x)) / 2        wsd  1, then 1 - sqrt(y) at place y of the last part
    plateau 1, halved after every evaluation that is not better than all before it
    rate of a layer with d trained layers above it: layer_decay^d times that of the top layer

AdamW is fused. `adafactor` keeps the second moments of a matrix as one row and one column, and no first moment; its
rates are those of AdamW, because its updates are not scaled by the size of the weights. `sgd` has a momentum of 0.9
and needs rates some hundred times as high.

Sources: Loshchilov and Hutter, Decoupled Weight Decay Regularization, 2019; Mosbach, Andriushchenko, Klakow, On the
Stability of Fine-tuning BERT, 2021 (warm-up and bias correction are what keeps small fine-tunings from failing);
Loshchilov and Hutter, SGDR, 2017 (cosine); Hu and others, MiniCPM, 2024 (warm-up, stable, decay: training can go on
from its stable part); Hägele and others, Scaling Laws and Compute-Optimal Training Beyond Fixed Training Durations,
2024 (1 - sqrt); Shazeer and Stern, Adafactor, 2018; Howard and Ruder, Universal Language Model Fine-tuning for Text
Classification, 2018, and Clark and others, ELECTRA, 2020 (rates that fall with the depth of a layer).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from penjing.model.depths import depths_of

Schedule = Literal["linear", "cosine", "wsd"]
OptimizerName = Literal["adamw", "adafactor", "sgd"]
_MOMENTUM = 0.9
# Adafactor multiplies its rate by the larger of this and the size of the weights, which is below 1 in an encoder.
_LEAST_SIZE = 1.0

# A model that reads declared fields has their map beside the model of the text (model/fields).
_HEADS = ("head.", "model.head.", "fields.")


@dataclass(frozen=True)
class Optimizing:
    """Settings of the optimizer. learning_rate: highest rate of the encoder; head_factor: its multiple for the head.

    warmup: share of the steps in which the rate rises; decay: share of the steps in which `wsd` falls; layer_decay: the
    rate of a layer as a share of that of the layer above it.
    """

    learning_rate: float
    head_factor: float = 1.0
    weight_decay: float = 0.01
    warmup: float = 0.1
    clip: float = 1.0
    schedule: Schedule | Literal["plateau"] = "linear"
    decay: float = 0.2
    layer_decay: float = 1.0
    optimizer: OptimizerName = "adamw"


def build_optimizer(model: nn.Module, settings: Optimizing) -> torch.optim.Optimizer:
    """The optimizer over the parameters of `model` that require a gradient, in groups of one rate and one decay.

    Raises UsageError where rates fall by layer and the layers of this family of encoders are not known.
    """
    depths = depths_of(model, "layer_decay") if settings.layer_decay != 1 else {}
    found: dict[tuple[bool, bool, int], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            head = is_head(name)
            depth = 0 if head else depths.get(parameter, 0)
            found.setdefault((head, parameter.dim() >= 2, depth), []).append(parameter)
    groups = [
        {
            "params": parameters,
            "peak": settings.learning_rate * (settings.head_factor if head else settings.layer_decay**depth),
            "weight_decay": settings.weight_decay if decayed else 0.0,
        }
        for (head, decayed, depth), parameters in found.items()
    ]
    rate = settings.learning_rate
    if settings.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=rate, momentum=_MOMENTUM)
    if settings.optimizer == "adafactor":
        return torch.optim.Adafactor(groups, lr=rate, eps=(None, _LEAST_SIZE))
    return torch.optim.AdamW(groups, lr=rate, fused=True)


def is_head(name: str) -> bool:
    """Whether a parameter of that name in a model is of a head, which is new and learns faster."""
    return name.startswith(_HEADS)


def set_rate(optimizer: torch.optim.Optimizer, step: int, total: int, settings: Optimizing, halved: int = 0) -> float:
    """Set the learning rate of every group for step `step` (0-based) of `total`; returns the share of the highest.

    halved: how often `plateau` has halved the rate.
    """
    if settings.schedule == "plateau":
        share = min(1.0, (step + 1) / max(1, round(total * settings.warmup))) * 0.5**halved
    else:
        share = rate_share(step, total, settings.warmup, settings.schedule, settings.decay)
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * share
    return share


def halvings(evaluations: Sequence[Mapping[str, float]], metric: str) -> int:
    """How many evaluations, in their order, were not better than all before them by this metric (`loss`: lower)."""
    found, best = 0, -math.inf
    for one in evaluations:
        value = -one["loss"] if metric == "loss" else one[metric]
        found += value <= best
        best = max(best, value)
    return found


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
