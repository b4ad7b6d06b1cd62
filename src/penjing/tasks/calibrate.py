"""Temperature scaling: one number that makes a model's confidence match its accuracy.

    p = softmax(logits / T),   T = argmin over [0.05, 20] of the mean of -log p[truth]

Source: Guo, Pleiss, Sun, Weinberger, On Calibration of Modern Neural Networks, 2017. It changes no guess, only the
probabilities; prefer it to isotonic or vector scaling where validation has fewer than some thousand rows.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

LOW, HIGH = 0.05, 20.0
_GOLDEN = (np.sqrt(5.0) - 1) / 2
# 60 steps of the golden section shrink log(400) below 1e-12.
_STEPS = 60


def negative_log_likelihood(logits: npt.ArrayLike, truth: npt.ArrayLike, temperature: float = 1.0) -> float:
    """Mean of -log p[truth] in nats, logits (n, L), truth (n,)."""
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    scaled = scaled - scaled.max(axis=1, keepdims=True)
    chosen = scaled[np.arange(len(scaled)), np.asarray(truth, dtype=np.int64)]
    return float((np.log(np.exp(scaled).sum(axis=1)) - chosen).mean())


def fit_temperature(logits: npt.ArrayLike, truth: npt.ArrayLike) -> float:
    """The temperature in [0.05, 20] of least negative log-likelihood; logits (n, L), truth (n,) positions.

    The likelihood is convex in 1/T, so a golden section over log T finds its one minimum. No rows, one label, or
    logits that do not differ within any row do not determine T: then 1.0. Raises ValueError for non-finite logits.
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
    left, right = np.log(LOW), np.log(HIGH)
    for _ in range(_STEPS):
        width = _GOLDEN * (right - left)
        first, second = right - width, left + width
        # On a plateau (all right, T towards 0: the loss underflows to 0) keep the larger T, the less confident one.
        if negative_log_likelihood(table, target, np.exp(first)) < negative_log_likelihood(
            table, target, np.exp(second)
        ):
            right = second
        else:
            left = first
    return float(round(np.clip(np.exp((left + right) / 2), LOW, HIGH), 6))
