"""How probable an answer is to be right, by several numbers about it: a logistic regression with a weak prior.

    p = sigmoid(b + sum_k w_k x_k),   w and b of least sum of the cross entropy to the targets of `tasks/platt.py`
    + sum_k (w_k s_k)^2 / 2;          s_k: the standard deviation of x_k over the rows of the fit

The prior is that of one unit a standard deviation, so that few rows move p little, and a number that is the same in all
rows gets no weight. Source: Platt, Probabilistic Outputs for Support Vector Machines, 1999 (the targets); Jiang and
others, How Can We Know When Language Models Know?, 2021 (calibration of answers by several features). Prefer it to
Platt scaling of the share alone where other numbers say how trustworthy an answer is, such as its length. When not: the
share says it all, as of a single label.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_STEPS = 100
_DIGITS = 6
_LEAST = 1e-9
# The intercept has a prior too, so wide that it only keeps the equations solvable.
_WIDE = 1e-6


def fit_confidence(table: npt.ArrayLike, right: npt.ArrayLike) -> dict[str, Any]:
    """{"weights": [w], "bias": b} of numbers (n, k) and whether each of n answers is right. n is at least 1."""
    x, y = np.asarray(table, dtype=np.float64), np.asarray(right, dtype=np.float64)
    ones = float(y.sum())
    target = np.where(y > 0, (ones + 1) / (ones + 2), 1 / (len(y) - ones + 2))
    mean, spread = x.mean(axis=0), x.std(axis=0)
    scale = np.where(spread > _LEAST, spread, np.inf)
    both = np.concatenate(((x - mean) / scale, np.ones((len(x), 1))), axis=1)
    prior = np.append(np.ones(x.shape[1]), _WIDE)
    at = np.zeros(len(prior))
    at[-1] = np.log(target.mean() / (1 - target.mean()))
    now = _loss(both, target, at, prior)
    for _ in range(_STEPS):
        q = _sigmoid(both @ at)
        slope = both.T @ (q - target) + prior * at
        curve = (both * (q * (1 - q))[:, None]).T @ both + np.diag(prior)
        step, share = np.linalg.solve(curve, slope), 1.0
        while share > _LEAST and (then := _loss(both, target, at - share * step, prior)) > now:
            share /= 2
        if share <= _LEAST or now - then < _LEAST:
            break
        at, now = at - share * step, then
    weights = (at[:-1] / scale).round(_DIGITS)
    return {"weights": weights.tolist(), "bias": round(float(at[-1] - weights @ mean), _DIGITS)}


def confidence(table: npt.ArrayLike, fitted: Mapping[str, Any]) -> Floats:
    """p of each row of numbers (n, k), (n,)."""
    weights = np.asarray(fitted["weights"], dtype=np.float64)
    # Sums in the order of the numbers, and not by BLAS, whose order changes with the machine.
    summed = np.add.reduce(np.asarray(table, dtype=np.float64).reshape(-1, len(weights)) * weights, axis=1)
    return _sigmoid(summed + fitted["bias"])


def _sigmoid(x: Floats) -> Floats:
    result: Floats = 0.5 * (1 + np.tanh(x / 2))
    return result


def _loss(both: Floats, target: Floats, at: Floats, prior: Floats) -> float:
    z = both @ at
    return float((np.logaddexp(0, z) - target * z).sum() + (prior * at * at).sum() / 2)
