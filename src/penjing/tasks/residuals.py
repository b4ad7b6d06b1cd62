"""The error of values, estimated near each value: intervals of a stated coverage, chances to be within a limit.

    d(v): linear between the middles of up to ten bins of the value, equally full; at a middle the mean |y - v| over the
          bin's validation rows, pulled towards the mean over all rows as if ten more rows of the bin had it
    r_i = |y_i - v_i| / d'(v_i),   d' from the other half of the rows, so that r is not too small

d is continuous, so that a small move of a value moves its chance by little. Source: Lei and others, Distribution-Free
Predictive Inference for Regression, 2018, section 5.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_BIN_ROWS, _MOST_BINS, _PRIOR_ROWS = 50, 10, 10
_QUANTILES = 201
_LEAST = 1e-6
# The share of values left out on either side, and the width of the rest of a normal distribution in deviations.
_MIDDLES = ((0.25, 1.349), (0.1, 2.563), (0.05, 3.290), (0.01, 4.653))


@dataclass(frozen=True)
class Residuals:
    """middles (B,) of the bins, rising; errors (B,) mean error in each; ratios: quantiles of r; rows: how many."""

    middles: tuple[float, ...]
    errors: tuple[float, ...]
    ratios: tuple[float, ...]
    rows: int

    def to_json(self) -> dict[str, Any]:
        """Plain values from which `from_json` makes equal residuals."""
        return {
            "middles": list(self.middles), "errors": list(self.errors), "ratios": list(self.ratios), "rows": self.rows,
        }  # fmt: skip

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Residuals:
        """What `to_json` wrote."""
        return cls(tuple(value["middles"]), tuple(value["errors"]), tuple(value["ratios"]), value["rows"])

    def near(self, values: Floats) -> Floats:
        """The mean error near each value, (n,)."""
        result: Floats = np.interp(values, self.middles, self.errors)
        return result

    def half_width(self, values: Floats, coverage: float) -> Floats:
        """Half the interval that holds the truth of a share `coverage` of texts, (n,).

        With fewer rows than coverage / (1 - coverage), no interval from them promises that share: it has the largest
        ratio.
        """
        share = min(1.0, math.ceil((self.rows + 1) * coverage) / max(1, self.rows))
        ratio = np.interp(share, np.linspace(0, 1, len(self.ratios)), self.ratios)
        result: Floats = ratio * self.near(values)
        return result

    def share_within(self, values: Floats, limit: float) -> Floats:
        """The estimated probability that the error is at most `limit`, (n,); never above n / (n + 1)."""
        ratios = np.maximum.accumulate(np.array(self.ratios) + np.arange(len(self.ratios)) * 1e-12)
        share = np.interp(limit / self.near(values), ratios, np.linspace(0, 1, len(ratios)), left=0.0, right=1.0)
        result: Floats = np.minimum(share, self.rows / (self.rows + 1))
        return result


def fit_residuals(values: Floats, truth: Floats) -> Residuals:
    """The residuals of (n,) values against (n,) truths. No rows: an error of 1 everywhere."""
    if not len(values):
        return Residuals((0.0,), (1.0,), (0.0, 1.0), 0)
    errors = np.abs(truth - values)
    bins = int(np.clip(len(values) // _BIN_ROWS, 1, _MOST_BINS))
    edges = np.unique(np.quantile(values, np.linspace(0, 1, bins + 1)[1:-1]))
    place = np.searchsorted(edges, values, "right")
    middles = _middles(place, values)
    place = np.searchsorted(np.unique(place), place)
    half = np.arange(len(values)) % 2
    other = np.empty(len(values))
    for part in (0, 1):
        mine = half == part
        known = ~mine if (~mine).any() else mine
        other[mine] = np.interp(values[mine], middles, _means(place[known], errors[known], len(middles)))
    ratios = np.quantile(errors / other, np.linspace(0, 1, _QUANTILES))
    return Residuals(
        middles=tuple(round(float(middle), 6) for middle in middles),
        errors=tuple(round(float(error), 6) for error in _means(place, errors, len(middles))),
        ratios=tuple(round(float(ratio), 6) for ratio in ratios),
        rows=len(values),
    )


def _middles(place: npt.NDArray[np.int64], values: Floats) -> Floats:
    """The mean value of each bin that has rows, rising."""
    counts = np.bincount(place)
    result: Floats = np.bincount(place, weights=values)[counts > 0] / counts[counts > 0]
    return result


def _means(place: npt.NDArray[np.int64], errors: Floats, bins: int) -> Floats:
    counts = np.bincount(place, minlength=bins)
    sums = np.bincount(place, weights=errors, minlength=bins)
    result: Floats = np.maximum((sums + _PRIOR_ROWS * errors.mean()) / (counts + _PRIOR_ROWS), _LEAST)
    return result


def spread_of(values: Floats, least: float = 0.0) -> float:
    """The standard deviation of a normal distribution with the same middle half; rare values far away do not count.

    Where the middle half has one value, or gives less than `least`, the same of the middle 80, 90 and 98 %, and at last
    the standard deviation.
    """
    for tail, deviations in _MIDDLES:
        low, high = np.quantile(values, (tail, 1 - tail)).tolist()
        spread = float(high - low) / deviations
        if spread > 0 and spread >= least:
            return spread
    return float(values.std())
