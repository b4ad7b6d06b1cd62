"""Temperature scaling: one number that makes a model's confidence match its accuracy.

    p = softmax(logits / T),   T = argmin over [0.05, 20] of the mean over n rows of -sum_l t[l] log p[l]
    t[truth] = (n + 1) / (n + 2),   t[l] = 1 / ((n + 2) (L - 1)) for each of the other labels

Rows that are all right would be explained best by T = 0, where every probability is 1. The targets t say what n rows
can say: as if of two more rows one was right and one wrong. So n rows without an error give a mean confidence of about
1 - 1 / (n + 2) at most, and the effect vanishes with n.

Sources: Guo, Pleiss, Sun, Weinberger, On Calibration of Modern Neural Networks, 2017 (the temperature); Platt,
Probabilistic Outputs for Support Vector Machines, 1999 (the targets, of two labels). It changes no guess, only the
probabilities; prefer it to isotonic or vector scaling where validation has fewer than some thousand rows.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

LOW, HIGH = 0.05, 20.0
_GOLDEN = (np.sqrt(5.0) - 1) / 2
# 60 steps of the golden section shrink log(400) below 1e-12.
_STEPS = 60


def share_of_right(rows: int) -> float:
    """The probability that n right rows of n support, by the rule of succession: (n + 1) / (n + 2)."""
    return (rows + 1) / (rows + 2)


def fit_temperature(logits: npt.ArrayLike, truth: npt.ArrayLike) -> float:
    """The temperature in [0.05, 20] of least smoothed loss; logits (n, L), truth (n,) positions.

    No rows, one label, or logits that do not differ within any row do not determine T: then 1.0. Raises ValueError for
    non-finite logits.
    """
    table, target = np.asarray(logits, dtype=np.float64), np.asarray(truth, dtype=np.int64)
    if table.ndim != 2 or target.shape != table.shape[:1]:
        raise ValueError(f"logits {table.shape} must be (n, L) and truth {target.shape} (n,)")
    if not table.size or table.shape[1] < 2:
        return 1.0
    if not np.isfinite(table).all():
        raise ValueError("logits hold a value that is not finite")
    if np.ptp(table, axis=1).max() < 1e-9:
        return 1.0
    table = table - table.max(axis=1, keepdims=True)
    rest = 1 - share_of_right(len(table))
    chosen, others = table[np.arange(len(table)), target], table.sum(axis=1)
    # The mean over rows of the logits, weighted by their targets.
    expected = float(((1 - rest) * chosen + rest * (others - chosen) / (table.shape[1] - 1)).mean())

    def loss(temperature: float) -> float:
        return float(np.log(np.exp(table / temperature).sum(axis=1)).mean()) - expected / temperature

    return least_temperature(loss)


def least_temperature(loss: Callable[[float], float]) -> float:
    """The temperature in [0.05, 20] of the least loss. A loss that is convex in 1/T has one minimum over log T, which a
    golden section finds."""
    left, right = np.log(LOW), np.log(HIGH)
    for _ in range(_STEPS):
        width = _GOLDEN * (right - left)
        first, second = right - width, left + width
        if loss(float(np.exp(first))) < loss(float(np.exp(second))):
            right = second
        else:
            left = first
    return float(round(np.clip(np.exp((left + right) / 2), LOW, HIGH), 6))
