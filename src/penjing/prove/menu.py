"""The menu: which share of the cases would be decided under which limit on errors, as validation rows suggest.

For a limit and a number of calibration rows the share is that of the lowest threshold whose test would pass with as
many errors as expected: the mean of the share of errors on validation and of the calibrated probabilities, as in
`sequence.py`. With any number of rows it is that of the lowest threshold whose expected error is below the limit. It is
a forecast for choosing a limit, not a bound: validation rows chose the model.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from penjing.decide.schema import MICRO
from penjing.prove.sequence import DELTA, Cases, Floats, Ints, binomial_tail

LIMITS = (0.005, 0.01, 0.02, 0.05, 0.10, 0.20)
# The column `more` is for so many times the calibration rows.
TIMES = 4
_PLACES = 100


@dataclass(frozen=True)
class Offer:
    """One limit, and the share of cases that would be decided: with the rows now, with four times, with any number."""

    max_error: float
    now: float
    more: float
    most: float


def menu(validation: Cases, rows: int, limits: Sequence[float] = LIMITS, delta: float = DELTA) -> tuple[Offer, ...]:
    """The offers of each limit, rising. rows: calibration rows of this kind. Shares are those of all cases given."""
    shares, rates = _curve(validation)
    return tuple(
        Offer(
            max_error=limit,
            now=_share(shares, rates, limit, rows, delta),
            more=_share(shares, rates, limit, TIMES * rows, delta),
            most=max((share for share, rate in zip(shares, rates, strict=True) if rate <= limit), default=0.0),
        )
        for limit in sorted({*limits})
    )


def _curve(validation: Cases) -> tuple[list[float], list[float]]:
    """The share automated and the expected error at up to a hundred thresholds, the lowest one first."""
    order = np.argsort(-validation.p[validation.open], kind="stable")
    p: Ints = validation.p[validation.open][order]
    wrong = np.cumsum(~validation.correct[validation.open][order])
    ends = np.flatnonzero(np.append(p[1:] != p[:-1], True)) if len(p) else np.array([], dtype=np.int64)
    if len(ends) > _PLACES:
        ends = ends[np.unique(np.linspace(0, len(ends) - 1, _PLACES).astype(np.int64))]
    rates: Floats = (wrong[ends] + np.cumsum(1 - p / MICRO)[ends] + 0.5) / (2 * ends + 3)
    shares = (ends + 1) / max(1, len(validation))
    return shares[::-1].tolist(), rates[::-1].tolist()


def _share(shares: Sequence[float], rates: Sequence[float], limit: float, rows: int, delta: float) -> float:
    for share, rate in zip(shares, rates, strict=True):
        cases = round(share * rows)
        if rate < limit and cases and binomial_tail(math.ceil(rate * cases - 1e-9), cases, limit) <= delta:
            return share
    return 0.0
