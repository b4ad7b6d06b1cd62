"""Losses that count an easy row little: focal, and asymmetric for any number of labels a text.

    focal       one label       -sum_l q_l (1 - p_l)^g log p_l,   p = softmax(z), q the smoothed label
                several labels  -(1 - p_t)^g log p_t,   p_t = p of a label that is given, 1 - p of one that is not
    asymmetric  given           -log p,   p = sigmoid(z)
                not given       -p_m^g log(1 - p_m),   p_m = max(p - m, 0)

g = 0 and m = 0 give cross entropy. Of several labels the mean over the labels is taken.

Source: Lin, Goyal, Girshick, He, Dollár, Focal Loss for Dense Object Detection, 2017; Ridnik and others, Asymmetric
Loss For Multi-Label Classification, 2021 (its focusing of given labels is 0, as recommended there).
When: focal for rows of which most are easy; asymmetric for sets of which most labels are absent from most texts. When
not: probabilities are asked for as they are; both distort them, and calibration corrects only a part.
"""

from __future__ import annotations

import torch
from torch.nn import functional


def focal_of_one(outputs: torch.Tensor, targets: torch.Tensor, gamma: float, smoothing: float = 0.0) -> torch.Tensor:
    """The focal loss of outputs (N, C) against positions (N,) int64: (N,)."""
    logs = functional.log_softmax(outputs, dim=1)
    # 1 - p without cancellation near p = 1; its logarithm would have an infinite gradient there.
    each = -((1 - logs.exp()).clamp(min=1e-7) ** gamma) * logs
    found = each.gather(1, targets[:, None])[:, 0]
    return found if smoothing == 0 else (1 - smoothing) * found + smoothing * each.mean(dim=1)


def focal_of_several(outputs: torch.Tensor, targets: torch.Tensor, gamma: float) -> torch.Tensor:
    """The focal loss of outputs (N, C) against 0 or 1, (N, C): (N, C)."""
    signed = torch.where(targets > 0.5, outputs, -outputs)
    return -(torch.sigmoid(-signed).clamp(min=1e-7) ** gamma) * functional.logsigmoid(signed)


def asymmetric_loss(outputs: torch.Tensor, targets: torch.Tensor, gamma: float, margin: float) -> torch.Tensor:
    """The asymmetric loss of outputs (N, C) against 0 or 1, (N, C): (N, C)."""
    shifted = (torch.sigmoid(outputs) - margin).clamp(min=1e-7, max=1 - 1e-7)
    absent = -(shifted**gamma) * torch.log1p(-shifted)
    return torch.where(targets > 0.5, -functional.logsigmoid(outputs), absent)
