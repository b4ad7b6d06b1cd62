"""The losses of `core/task.py`, each in a hard form (against the gold) and a soft form (against a teacher).

Of N rows with C outputs z each (N, C), the mean over the rows of:

    cross_entropy        hard  -sum_l q_l log softmax(z)_l,   q = (1 - s) one-hot(y) + s / C,  s the smoothing
                         soft  T^2 KL(softmax(t / T) || softmax(z / T)),   t the teacher's outputs
    binary_cross_entropy hard  mean over c of -y_c log sigmoid(z_c) - (1 - y_c) log(1 - sigmoid(z_c))
                         soft  T^2 mean over c of KL(Bernoulli(sigmoid(t_c / T)) || Bernoulli(sigmoid(z_c / T)))
    mean_squared_error   hard  mean over c of (z_c - y_c)^2;   soft  the same against t, whatever T is
    ordinal              hard  binary_cross_entropy of y_k = 1 where the gold's position is above k, k = 0 ... C - 1
                         soft  as binary_cross_entropy

and a centred form against a teacher: mean over c of ((z_c - mean z) - (t_c - mean t))^2 for cross_entropy, whose
probabilities do not change with the mean; mean over c of (z_c - t_c)^2 for the others. For cross_entropy it is twice
the limit of the soft form as T grows.

Sources: Szegedy and others, Rethinking the Inception Architecture, 2016 (smoothing); Hinton, Vinyals, Dean, Distilling
the Knowledge in a Neural Network, 2015 (the soft form and T^2, which keeps its gradient as large as that of the hard
one); Bishop, Pattern Recognition and Machine Learning, 2006, 4.3.2 and 3.1.1 (binary cross entropy, squared error);
Kim and others, Comparing Kullback-Leibler Divergence and Mean Squared Error Loss in Knowledge Distillation, 2021 (the
centred form, and its relation to the soft one); Cheng, Wang, Pollastri, A Neural Network Approach to Ordinal
Regression, 2008 (cumulative targets).
"""

from __future__ import annotations

from typing import Literal, assert_never

import torch
from torch.nn import functional

from penjing.core.task import IGNORED, Loss

Reduction = Literal["mean", "sum", "none"]


def hard_loss(
    loss: Loss, outputs: torch.Tensor, targets: torch.Tensor, smoothing: float = 0.0, reduction: Reduction = "mean"
) -> torch.Tensor:
    """The loss of outputs (N, C) against targets; reduction `none` gives (N,), with 0 for an ignored row.

    targets: positions (N,) int64 for cross_entropy and ordinal; (N, C), or (N,) where C is 1, for the other two.
    Rows without a target (IGNORED, or NaN among numbers) count nothing; the mean is over the others, 0 of none.
    """
    if not (known := known_rows(targets)).all():
        if reduction == "mean" and not known.any():
            return outputs.sum() * 0.0
        if loss != "cross_entropy":
            rows = outputs.new_zeros(len(outputs))
            rows[known] = hard_loss(loss, outputs[known], targets[known], reduction="none")
            return rows[known].mean() if reduction == "mean" else _reduced(rows, reduction)
    if loss == "cross_entropy":
        return functional.cross_entropy(
            outputs, targets, label_smoothing=smoothing, ignore_index=IGNORED, reduction=reduction
        )
    if loss == "mean_squared_error":
        return _reduced((outputs - targets.to(outputs.dtype).view(outputs.shape)).square().mean(dim=1), reduction)
    if loss == "ordinal":
        places = torch.arange(outputs.shape[1], device=outputs.device)
        wanted = (targets[:, None] > places).to(outputs.dtype)
    elif loss == "binary_cross_entropy":
        wanted = targets.to(outputs.dtype).view(outputs.shape)
    else:
        assert_never(loss)
    return _reduced(
        functional.binary_cross_entropy_with_logits(outputs, wanted, reduction="none").mean(dim=1), reduction
    )


def soft_loss(
    loss: Loss, student: torch.Tensor, teacher: torch.Tensor, temperature: float = 1.0, reduction: Reduction = "mean"
) -> torch.Tensor:
    """The loss of a student's outputs (N, C) against its teacher's (N, C), 0 if equal; `none` gives (N,)."""
    if loss == "cross_entropy":
        wanted = functional.log_softmax(teacher / temperature, dim=1)
        found = functional.log_softmax(student / temperature, dim=1)
        apart = functional.kl_div(found, wanted, log_target=True, reduction="none").sum(dim=1) * temperature**2
        return _reduced(apart, reduction)
    if loss == "mean_squared_error":
        return _reduced((student - teacher).square().mean(dim=1), reduction)
    if loss == "ordinal" or loss == "binary_cross_entropy":
        sides = []
        for sign in (1.0, -1.0):
            wanted = functional.logsigmoid(sign * teacher / temperature)
            sides.append(wanted.exp() * (wanted - functional.logsigmoid(sign * student / temperature)))
        return _reduced((sides[0] + sides[1]).mean(dim=1) * temperature**2, reduction)
    assert_never(loss)


def centred_loss(
    loss: Loss, student: torch.Tensor, teacher: torch.Tensor, reduction: Reduction = "mean"
) -> torch.Tensor:
    """The centred form of a student's outputs (N, C) against its teacher's (N, C), 0 if equal; `none` gives (N,)."""
    apart = student - teacher
    if loss == "cross_entropy":
        apart = apart - apart.mean(dim=1, keepdim=True)
    return _reduced(apart.square().mean(dim=1), reduction)


def known_rows(targets: torch.Tensor) -> torch.Tensor:
    """Which rows have a target, (N,)."""
    if not targets.is_floating_point():
        return targets != IGNORED
    return ~torch.isnan(targets).view(len(targets), -1).any(dim=1)


def _reduced(rows: torch.Tensor, reduction: Reduction) -> torch.Tensor:
    return rows if reduction == "none" else rows.sum() if reduction == "sum" else rows.mean()
