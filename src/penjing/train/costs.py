"""The loss of errors that cost differently: cross entropy plus the expected cost.

    -log p_y + sum over c of C[y, c] p_c,   p = softmax(z), C[y, c] the cost of saying c where y is true, C[y, y] = 0

Source: Kukar and Kononenko, Cost-Sensitive Learning with Neural Networks, 1998; Galdran and others, Cost-Sensitive
Regularization for Diabetic Retinopathy Grading from Eye Fundus Images, 2020 (the sum with cross entropy, which learns
where the expected cost alone has no gradient).
When: some confusions hurt more than others, and `max_error` or `max_miss` alone would send too many cases to a person.
When not: all errors cost the same, or probabilities are asked for as they are: these lean to the cheaper error.
"""

from __future__ import annotations

import torch
from torch.nn import functional


def cost_loss(
    outputs: torch.Tensor, targets: torch.Tensor, costs: torch.Tensor, smoothing: float = 0.0
) -> torch.Tensor:
    """The loss of outputs (N, C) against positions (N,) int64 by costs (C, C), true by said: (N,)."""
    own = functional.cross_entropy(outputs, targets, label_smoothing=smoothing, reduction="none")
    expected = (costs.to(outputs)[targets] * functional.softmax(outputs, dim=1)).sum(dim=1)
    return own + expected
