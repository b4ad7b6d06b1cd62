"""Probabilities of ordered grades from cumulative logits, the best grade for a limit, and conformal sets around it.

Formulas and sources: `tasks/score.py`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from penjing.tasks.calibrate import least_temperature, share_of_right

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
# Sums of probabilities are compared after rounding to this many decimals.
_DIGITS = 9
# Logarithms of probabilities below these are not told apart: a difference of probabilities is exact to about 1e-16.
_LEAST, _LEAST_FAR = 1e-16, 1e-300


@dataclass(frozen=True)
class GradeCalibration:
    """temperature of the logits; mass: an interval grows while it holds at most this probability."""

    temperature: float
    mass: float

    def to_json(self) -> dict[str, Any]:
        """Plain values from which `from_json` makes an equal calibration."""
        return {"temperature": self.temperature, "mass": self.mass}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> GradeCalibration:
        """What `to_json` wrote."""
        return cls(value["temperature"], value["mass"])


def grade_probabilities(logits: npt.ArrayLike, temperature: float) -> Floats:
    """Probabilities (n, K) of K grades from logits (n, K - 1), the k-th of "above the k-th grade"."""
    scaled = np.clip(np.asarray(logits, dtype=np.float64) / temperature, -500, 500)
    above = np.minimum.accumulate(1 / (1 + np.exp(-scaled)), axis=1)
    edges = np.concatenate([np.ones((len(above), 1)), above, np.zeros((len(above), 1))], axis=1)
    result: Floats = edges[:, :-1] - edges[:, 1:]
    return result


def grade_odds(logits: npt.ArrayLike, temperature: float, near: Floats) -> Floats:
    """The log-odds (n,) of the grades for which near (K,) is 1, neighbours all. They change even where the probability
    rounds to 1, because that of the other grades is not computed as a difference from 1.
    """
    scaled = np.clip(np.asarray(logits, dtype=np.float64) / temperature, -500, 500)
    least = np.minimum.accumulate(scaled, axis=1)
    first, last = int(near.argmax()), int(len(near) - 1 - near[::-1].argmax())
    none = np.full(len(least), -np.inf)
    # log P(below the first) and log P(above the last)
    below = -np.logaddexp(0.0, least[:, first - 1]) if first else none
    above = -np.logaddexp(0.0, -least[:, last]) if last < least.shape[1] else none
    inside = grade_probabilities(logits, temperature) @ near
    result: Floats = np.log(np.maximum(inside, _LEAST)) - np.maximum(np.logaddexp(below, above), np.log(_LEAST_FAR))
    return result


def best_grades(probabilities: Floats, near: Floats) -> tuple[Ints, Floats, Floats]:
    """Of each row the answer, the probability that it is within the limit, and the margin by which it is the answer.

    near (K, K): 1 where two grades are within the limit. The answer is the most probable grade where each is within the
    limit of itself alone, else the median grade, whose expected error is the least. margin: of the most probable grade
    how far it is ahead of the second; of the median twice how far the chance to be above a grade is from one half.
    """
    rows = np.arange(len(probabilities))
    if near.sum() == len(near):
        own = np.round(probabilities, _DIGITS)
        best = own.argmax(axis=1).astype(np.int64)
        others = own.copy()
        others[rows, best] = -1.0
        margin = own[rows, best] - np.maximum(others.max(axis=1), 0.0)
    else:
        above = np.round(1.0 - np.cumsum(probabilities, axis=1)[:, :-1], _DIGITS)
        best = (above > 0.5).sum(axis=1).astype(np.int64)
        margin = 2 * np.abs(above - 0.5).min(axis=1)
    p = np.round(np.minimum((probabilities * near[best]).sum(axis=1), 1.0), _DIGITS)
    return best, np.asarray(p, dtype=np.float64), np.asarray(margin, dtype=np.float64)


def grade_intervals(probabilities: Floats, best: Ints, mass: float) -> tuple[Ints, Ints]:
    """First and last grade (n,) each of the interval that grows from `best` while it holds at most `mass`."""
    low, high, _ = _grow(probabilities, best, mass, None)
    return low, high


def fit_grades(logits: npt.ArrayLike, places: Ints, near: Floats, coverage: float) -> GradeCalibration:
    """Temperature of least loss, and the mass by which a share `coverage` of golds is held.

    logits (n, K - 1), places (n,) positions of the gold. No rows: temperature 1 and all grades.
    """
    table = np.asarray(logits, dtype=np.float64)
    if not len(table):
        return GradeCalibration(1.0, 1.0)
    if not np.isfinite(table).all():
        raise ValueError("logits hold a value that is not finite")
    temperature = _fit_temperature(table, places)
    probabilities = grade_probabilities(table, temperature)
    best = best_grades(probabilities, near)[0]
    before = np.sort(_grow(probabilities, best, None, places)[2])
    rank = math.ceil((len(before) + 1) * coverage)
    mass = float(before[rank - 1]) if rank <= len(before) else 1.0
    return GradeCalibration(temperature, round(min(mass, 1.0), _DIGITS))


def _grow(probabilities: Floats, best: Ints, mass: float | None, places: Ints | None) -> tuple[Ints, Ints, Floats]:
    """Intervals grown from `best`: while they hold at most `mass`, or until they hold the grade at `places`.

    Returns first and last grade, and the probability held before the last one was added: -1 where none was.
    """
    low, high = best.copy(), best.copy()
    rows, last = np.arange(len(best)), probabilities.shape[1] - 1
    held: Floats = probabilities[rows, best].copy()
    before: Floats = np.full(len(best), -1.0)
    for _ in range(last):
        if places is not None:
            growing = (places < low) | (places > high)
        else:
            growing = np.round(held, _DIGITS) <= (1.0 if mass is None else mass)
        below = np.where(low > 0, probabilities[rows, np.maximum(low - 1, 0)], -1.0)
        above = np.where(high < last, probabilities[rows, np.minimum(high + 1, last)], -1.0)
        down, up = growing & (below > above), growing & (below <= above) & (above >= 0)
        before = np.where(down | up, held, before)
        held = held + np.where(down, below, 0.0) + np.where(up, above, 0.0)
        low, high = low - down, high + up
    return low, high, before


def _fit_temperature(logits: Floats, places: Ints) -> float:
    """The temperature of least loss of the cumulative logits.

    The targets are those of `tasks/calibrate.py`: (n + 1) / (n + 2) for the gold, the rest evenly over the other
    grades, summed over the grades above each.
    """
    rows, lasts = logits.shape
    rest = 1 - share_of_right(rows)
    above = places[:, None] > np.arange(lasts)[None, :]
    # Of the `lasts` other grades, so many are above the k-th, the gold left out.
    others = (lasts - np.arange(lasts))[None, :] - above
    targets = above * (1 - rest) + rest * others / lasts

    def loss(temperature: float) -> float:
        scaled = logits / temperature
        return float((np.logaddexp(0.0, scaled) - targets * scaled).mean())

    return least_temperature(loss)
