"""Calibration of any number of labels a text: probabilities, thresholds, and the probability that the set is right.

Of n validation rows with logits z (n, L) and truths y (n, L), 0 or 1:

    p[i, l] = sigmoid(a z[i, l] + b[l]),   (a, b) of least  sum of the cross entropies of p and t + (sum of b[l]^2) / 2
    t = (N + 1) / (N + 2) for the N rows of a label, 1 / (M + 2) for the M others
    threshold[l] = (N t[l] + 20 t*) / (N + 20),   t[l] of the best F1 of the label, t* of the best micro-F1 of all
    q[i] = product over l of p[i, l] where the label is given, else 1 - p[i, l]
    P(set is right) = sigmoid(c logit(q) + d)

One scale for all labels and a penalty on the biases keep a label of few rows near the others; so does its threshold.
Labels are not independent, so that q alone is too small: c > 0 and d are fitted to the rows whose whole set is right.

Sources: Platt, Probabilistic Outputs for Support Vector Machines, 1999 (the targets); Guo, Pleiss, Sun, Weinberger, On
Calibration of Modern Neural Networks, 2017 (one scale); Yang, A Study of Thresholding Strategies for Text
Categorization, 2001 (a threshold for each label overfits a rare one).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from penjing.tasks.metrics import Floats, f1_of_sums

_DIGITS = 6
_STEPS = 40
# A threshold counts as that of so many rows of the common one.
_COMMON_ROWS = 20
_GRID = np.round(np.arange(0.02, 0.985, 0.01), 2)
# Of models with an F1 of about 0.6.
_PLAIN = 0.3
_LOW, _HIGH = 0.05, 20.0
_MOST_ODDS = 30.0
# Two scores that differ by less are equal.
_TIE = 1e-9


@dataclass(frozen=True)
class FlagsCalibration:
    """scale and bias (L,) of the logits, threshold (L,) of each label, slope and offset of the set's log-odds."""

    scale: float
    bias: tuple[float, ...]
    threshold: tuple[float, ...]
    slope: float = 1.0
    offset: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """JSON values that `from_json` reads."""
        return {
            "scale": self.scale, "bias": list(self.bias), "threshold": list(self.threshold),
            "slope": self.slope, "offset": self.offset,
        }  # fmt: skip

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> FlagsCalibration:
        """Raises KeyError for a part that is missing."""
        bias, threshold = tuple(value["bias"]), tuple(value["threshold"])
        return cls(float(value["scale"]), bias, threshold, float(value["slope"]), float(value["offset"]))

    @classmethod
    def plain(cls, labels: int) -> FlagsCalibration:
        """Logits as they are, with one threshold for all labels.

        The threshold of the best F1 is half of that F1 (Lipton, Elkan, Naryanaswamy, Optimal Thresholding of
        Classifiers to Maximize F1 Measure, 2014). So at 0.5 good probabilities would lose to overconfident ones.
        """
        return cls(1.0, (0.0,) * labels, (_PLAIN,) * labels)

    def odds(self, logits: npt.ArrayLike) -> Floats:
        """The calibrated log-odds (n, L) of logits (n, L)."""
        result: Floats = self.scale * np.asarray(logits, dtype=np.float64) + np.array(self.bias)
        return result

    def probabilities(self, logits: npt.ArrayLike) -> Floats:
        """(n, L), rounded to 1e-6."""
        return sigmoid(self.odds(logits)).round(_DIGITS)

    def given(self, probabilities: Floats) -> npt.NDArray[np.bool_]:
        """(n, L): the labels that reach their thresholds."""
        result: npt.NDArray[np.bool_] = probabilities >= np.array(self.threshold)
        return result

    def margins(self, probabilities: Floats) -> Floats:
        """(n,): how far the nearest probability is from its threshold, rounded to 1e-6."""
        result: Floats = np.abs(probabilities - np.array(self.threshold)).min(axis=1).round(_DIGITS)
        return result

    def sure(self, logits: npt.ArrayLike) -> Floats:
        """(n,): the probability that the whole set is right, rounded to 1e-6."""
        odds = self.odds(logits)
        raw = _set_odds(odds, self.given(sigmoid(odds).round(_DIGITS)))
        return sigmoid(self.slope * raw + self.offset).round(_DIGITS)


def sigmoid(odds: npt.ArrayLike) -> Floats:
    """1 / (1 + exp(-x)), of any x."""
    result: Floats = np.exp(-np.logaddexp(0.0, -np.asarray(odds, dtype=np.float64)))
    return result


def fit_flags(logits: npt.ArrayLike, truth: npt.ArrayLike) -> FlagsCalibration:
    """The calibration of logits (n, L) against truths (n, L) of 0 and 1; `plain` for no rows.

    Raises ValueError for logits that are not finite.
    """
    table, wanted = np.asarray(logits, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    if table.ndim != 2 or table.shape != wanted.shape:
        raise ValueError(f"logits {table.shape} and truth {wanted.shape} must be (n, L)")
    if not np.isfinite(table).all():
        raise ValueError("logits hold a value that is not finite")
    if not table.size:
        return FlagsCalibration.plain(table.shape[1])
    scale, bias = _fit_labels(table, wanted)
    found = FlagsCalibration(scale, tuple(bias.round(_DIGITS).tolist()), (0.5,) * table.shape[1])
    shares = found.probabilities(table)
    found = FlagsCalibration(scale, found.bias, tuple(_thresholds(shares, wanted).tolist()))
    given = found.given(shares)
    right = (given == (wanted > 0.5)).all(axis=1)
    slope, offset = _fit_set(_set_odds(found.odds(table), given), right)
    return FlagsCalibration(scale, found.bias, found.threshold, slope, offset)


def _set_odds(odds: Floats, given: npt.NDArray[np.bool_]) -> Floats:
    """(n,): the log-odds of the product over labels, at most 30 on either side."""
    logs = -np.logaddexp(0.0, np.where(given, -odds, odds))
    total = np.minimum(np.add.reduce(logs, axis=1), -np.exp(-_MOST_ODDS))
    result: Floats = np.clip(total - np.log(-np.expm1(total)), -_MOST_ODDS, _MOST_ODDS)
    return result


def _smoothed(wanted: Floats) -> Floats:
    """Platt's targets of truths (n, ...)."""
    rows = wanted.sum(axis=0)
    result: Floats = np.where(wanted > 0.5, (rows + 1) / (rows + 2), 1 / (len(wanted) - rows + 2))
    return result


def _fit_labels(table: Floats, wanted: Floats) -> tuple[float, Floats]:
    """(a, b (L,)) by Newton steps on each in turn; the loss is convex in both."""
    targets, scale, bias = _smoothed(wanted), 1.0, np.zeros(table.shape[1])
    for _ in range(_STEPS):
        shares = sigmoid(scale * table + bias)
        slope = (shares - targets).sum(axis=0) + bias
        step = np.clip(slope / ((shares * (1 - shares)).sum(axis=0) + 1), -1.0, 1.0)
        bias = bias - step
        shares = sigmoid(scale * table + bias)
        curve = float((shares * (1 - shares) * table**2).sum()) + 1.0
        moved = scale - (float(((shares - targets) * table).sum()) + scale - 1) / curve
        moved = float(np.clip(moved, max(_LOW, scale / 2), min(_HIGH, 2 * scale)))
        done = max(abs(moved - scale), float(np.abs(step).max())) < 1e-7
        scale = moved
        if done:
            break
    return round(scale, _DIGITS), bias


def _fit_set(odds: Floats, right: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """(c, d) of log-odds (n,) against whether the set is right, drawn towards (1, 0); c is at least 0.05."""
    targets, slope, offset = _smoothed(right.astype(np.float64)), 1.0, 0.0
    for _ in range(_STEPS):
        shares = sigmoid(slope * odds + offset)
        weight, gap = shares * (1 - shares), shares - targets
        step = np.clip((gap.sum() + offset) / (weight.sum() + 1), -1.0, 1.0)
        offset = float(offset - step)
        shares = sigmoid(slope * odds + offset)
        weight, gap = shares * (1 - shares), shares - targets
        moved = slope - ((gap * odds).sum() + slope - 1) / ((weight * odds**2).sum() + 1)
        moved = float(np.clip(moved, max(_LOW, slope / 2), min(_HIGH, 2 * slope)))
        done = max(abs(moved - slope), abs(float(step))) < 1e-7
        slope = moved
        if done:
            break
    return round(slope, _DIGITS), round(offset, _DIGITS)


def _thresholds(shares: Floats, wanted: Floats) -> Floats:
    """(L,): of each label that of its best F1, drawn towards that of the best micro-F1."""
    rows = wanted.sum(axis=0)
    given = np.array([(shares >= cut).sum(axis=0) for cut in _GRID])
    hits = np.array([((shares >= cut) * wanted).sum(axis=0) for cut in _GRID])
    common = _best(f1_of_sums(hits.sum(axis=1), np.full(len(_GRID), rows.sum()), given.sum(axis=1)), 0.5)
    own = np.array([_best(column, common) for column in f1_of_sums(hits, rows + np.zeros_like(hits), given).T])
    result: Floats = ((rows * own + _COMMON_ROWS * common) / (rows + _COMMON_ROWS)).round(_DIGITS)
    return result


def _best(scores: Floats, near: float) -> float:
    """The threshold of the best score, of equal ones that nearest to another."""
    found = np.nan_to_num(scores)
    kept = _GRID[found >= found.max() - _TIE]
    return float(kept[np.abs(kept - near).argmin()])
