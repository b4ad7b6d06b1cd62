"""Platt scaling: two numbers that turn the confidence of a yes-or-no answer into a probability.

    p' = sigmoid(a log(p / (1 - p)) + b),   a >= 0,   a and b of least mean cross entropy to the targets
    target of a right answer: (n1 + 1) / (n1 + 2);   of a wrong one: 1 / (n0 + 2);   n1, n0: rows of each

Source: Platt, Probabilistic Outputs for Support Vector Machines, 1999. Prefer it to isotonic regression where there are
fewer than some thousand rows.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_EDGE = 1e-9
_STEPS = 100
# A small pull towards a = 1, b = 0, so that rows that cannot tell (all alike) leave the probabilities as they are.
_PULL = 1e-3
_DIGITS = 6


def fit_platt(p: npt.ArrayLike, right: npt.ArrayLike) -> tuple[float, float]:
    """a and b of least loss, by Newton's method; p (n,) in [0, 1], right (n,) 0 or 1. No rows: (1, 0)."""
    x, y = _odds(p), np.asarray(right, dtype=np.float64)
    if not len(x):
        return 1.0, 0.0
    ones = float(y.sum())
    target = np.where(y > 0, (ones + 1) / (ones + 2), 1 / (len(y) - ones + 2))
    both = np.stack([x, np.ones_like(x)], axis=1)
    at = np.array([1.0, 0.0])
    now = _loss(both, target, at)
    for _ in range(_STEPS):
        q = _sigmoid(both @ at)
        slope = both.T @ (q - target) / len(x) + _PULL * (at - [1.0, 0.0])
        curve = (both * (q * (1 - q))[:, None]).T @ both / len(x) + _PULL * np.eye(2)
        step = np.linalg.solve(curve, slope)
        share = 1.0
        while share > 1e-6 and (then := _loss(both, target, at - share * step)) > now:
            share /= 2
        if share <= 1e-6 or now - then < 1e-12:
            break
        at, now = at - share * step, then
    if at[0] < 0:
        # A confidence that falls with the share of right answers says nothing: all get that share.
        mean = float(target.mean())
        return 0.0, round(float(np.log(mean / (1 - mean))), _DIGITS)
    return round(float(at[0]), _DIGITS), round(float(at[1]), _DIGITS)


def platt(p: npt.ArrayLike, scale: tuple[float, float]) -> Floats:
    """The calibrated probabilities, (n,)."""
    return _sigmoid(scale[0] * _odds(p) + scale[1])


def _odds(p: npt.ArrayLike) -> Floats:
    inside = np.clip(np.asarray(p, dtype=np.float64), _EDGE, 1 - _EDGE)
    result: Floats = np.log(inside / (1 - inside))
    return result


def _sigmoid(x: Floats) -> Floats:
    result: Floats = 0.5 * (1 + np.tanh(x / 2))
    return result


def _loss(both: Floats, target: Floats, at: Floats) -> float:
    z = both @ at
    pull = at - [1.0, 0.0]
    return float((np.logaddexp(0, z) - target * z).mean() + _PULL * (pull @ pull) / 2)
