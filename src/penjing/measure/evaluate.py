"""Scores of any engine: bootstrap bounds, paired comparisons, coverage against risk, reliability.

A metric is a function of sums of counts, so that one bootstrap serves every task: counts (n, K) of rows, metric
(..., K) -> (...). Rows (or whole groups of rows) are drawn with replacement, and a score's bounds are percentiles over
the draws. Rows with the same counts are interchangeable, so a draw is a multinomial over the distinct rows. It has
the same distribution as drawing the rows one by one, and costs a small matrix product.
Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993; for paired scores of classifiers:
Berg-Kirkpatrick, Burkett and Klein, An Empirical Investigation of Statistical Significance in NLP, 2012.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
# Sums of counts (..., K) -> values (...).
Metric = Callable[[Floats], Floats]
DRAWS = 2000
_CHUNK = 64
# With more distinct rows than this, rows are drawn one by one: a multinomial takes a step for each distinct row.
_MOST_DISTINCT = 2000


@dataclass(frozen=True)
class Interval:
    """A score with the bounds of its two-sided 95 % interval."""

    value: float
    low: float
    high: float

    def to_json(self) -> dict[str, float]:
        """Plain values: value, low, high."""
        return asdict(self)


@dataclass(frozen=True)
class Paired:
    """A difference or a ratio of two scores on the same rows.

    low and high bound the two-sided 95 % interval; lower and upper are the two one-sided 95 % bounds.
    """

    value: float
    low: float
    high: float
    lower: float
    upper: float

    def to_json(self) -> dict[str, float]:
        """Plain values: value, low, high, lower, upper."""
        return asdict(self)


@dataclass(frozen=True)
class CoverageRisk:
    """Share of rows decided (coverage) and share of errors among them (risk), as the threshold falls; equal lengths."""

    threshold: tuple[float, ...]
    coverage: tuple[float, ...]
    risk: tuple[float, ...]


@dataclass(frozen=True)
class Bin:
    """One bar of a reliability diagram: rows whose confidence is in (low, high], its mean, and their accuracy."""

    low: float
    high: float
    rows: int
    confidence: float
    accuracy: float


def bootstrap(
    counts: npt.ArrayLike,
    metric: Metric,
    draws: int = DRAWS,
    seed: int = 0,
    groups: Sequence[str] | None = None,
) -> Interval:
    """The score of rows with these counts (n, K), with its two-sided 95 % interval.

    groups: rows of one group are drawn together. A sample without an error gives no other samples; then low is
    0.025 ** (1 / units), the exact bound of a proportion. No rows: 0 within [0, 1].
    """
    if not len(table := _table(counts)):
        return Interval(0.0, 0.0, 1.0)
    return bootstrap_all(table, lambda sums: {"": metric(sums)}, draws, seed, groups)[""]


def bootstrap_all(
    counts: npt.ArrayLike,
    metrics: Callable[[Floats], Mapping[str, Floats]],
    draws: int = DRAWS,
    seed: int = 0,
    groups: Sequence[str] | None = None,
    errors: Sequence[str] = (),
) -> dict[str, Interval]:
    """The same for several metrics by name, from the same draws. errors: those of which less is better."""
    table = _table(counts)
    if not len(table):
        with np.errstate(invalid="ignore"):  # only the names are wanted
            return dict.fromkeys(metrics(table.sum(axis=0)), Interval(0.0, 0.0, 1.0))
    values = metrics(table.sum(axis=0))
    units = _Units(table, groups)
    parts = [metrics(sums) for sums in units.draw(draws, seed)]
    found = {}
    for name, each in values.items():
        value = float(each)
        low, high = np.quantile(np.concatenate([part[name] for part in parts]), [0.025, 0.975])
        if value == 1.0 and name not in errors:
            low = min(low, 0.025 ** (1 / units.count))
        found[name] = Interval(*_rounded(value, min(low, value), max(high, value)))
    return found


def paired_difference(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    metric: Metric,
    draws: int = DRAWS,
    seed: int = 0,
    groups: Sequence[str] | None = None,
) -> Paired:
    """score(a) - score(b), counts (n, K) each of the same rows; a is better with a held bound if `low` is above 0."""
    return _Pair(_table(a), _table(b), metric).compare(_difference, draws, seed, groups)


def paired_ratio(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    metric: Metric,
    draws: int = DRAWS,
    seed: int = 0,
    groups: Sequence[str] | None = None,
) -> Paired:
    """score(a) / score(b) on the same rows: the share of b's score that a keeps; 1 where both are 0."""
    return _Pair(_table(a), _table(b), metric).compare(_ratio, draws, seed, groups)


def coverage_risk(confidence: npt.ArrayLike, right: npt.ArrayLike, points: int = 200) -> CoverageRisk:
    """Coverage and risk at the distinct confidences (n,), highest first, thinned to about `points`.

    right (n,) says which guesses are right. Source: El-Yaniv and Wiener, On the Foundations of Noise-free Selective
    Classification, 2010.
    """
    scores, hits = np.asarray(confidence, dtype=np.float64), np.asarray(right, dtype=bool)
    order = np.argsort(-scores, kind="stable")
    scores, wrong = scores[order], np.cumsum(~hits[order])
    # Only the last row of a run of equal confidences is a threshold that can be set.
    ends = np.flatnonzero(np.append(scores[1:] != scores[:-1], True)) if len(scores) else np.zeros(0, dtype=np.int64)
    if len(ends) > points:
        ends = ends[np.unique(np.linspace(0, len(ends) - 1, points).astype(np.int64))]
    decided = ends + 1
    return CoverageRisk(
        threshold=_rounded(*scores[ends]),
        coverage=_rounded(*(decided / max(len(scores), 1))),
        risk=_rounded(*(wrong[ends] / decided)),
    )


def reliability(confidence: npt.ArrayLike, right: npt.ArrayLike, bins: int = 15) -> list[Bin]:
    """The bars of a reliability diagram over equal-width bins of the confidence (n,); empty bins left out.

    right (n,) says which answers are right.
    """
    sure, hits = np.asarray(confidence, dtype=np.float64), np.asarray(right, dtype=np.float64)
    places = _bins(sure, bins)
    rows = np.bincount(places, minlength=bins)
    sums = [np.bincount(places, weights=weights, minlength=bins) for weights in (sure, hits)]
    return [
        Bin(
            low=round(place / bins, 6),
            high=round((place + 1) / bins, 6),
            rows=int(rows[place]),
            confidence=round(float(sums[0][place] / rows[place]), 6),
            accuracy=round(float(sums[1][place] / rows[place]), 6),
        )
        for place in np.flatnonzero(rows).tolist()
    ]


def expected_calibration_error(confidence: npt.ArrayLike, right: npt.ArrayLike, bins: int = 15) -> float:
    """Mean gap between confidence and share right over equal-width bins, weighted by their rows; 0 for no rows.

    confidence, right (n,). Source: Guo et al., On Calibration of Modern Neural Networks, 2017.
    """
    sure, hits = np.asarray(confidence, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if not len(sure):
        return 0.0
    gaps = np.bincount(_bins(sure, bins), weights=sure - hits, minlength=bins)
    return float(np.abs(gaps).sum() / len(sure))


class _Units:
    """Distinct units (a row, or a group of rows): how often each occurs and what it adds to the counts."""

    def __init__(self, counts: Floats, groups: Sequence[str] | None) -> None:
        if groups is not None:
            if len(groups) != len(counts):
                raise ValueError("counts and groups must be of one length")
            names, place = np.unique(np.asarray(groups), return_inverse=True)
            units = np.zeros((len(names), counts.shape[1]))
            np.add.at(units, place, counts)
        else:
            units = counts
        # Big-endian bytes of numbers that are not negative sort as the numbers do; the first column decides first.
        raw = np.ascontiguousarray(units + 0.0).astype(">f8").view(np.dtype((np.void, 8 * units.shape[1])))
        _, first, times = np.unique(raw.ravel(), return_index=True, return_counts=True)
        self._times: Ints = times[::-1].astype(np.int64)  # (distinct,)
        self._adds: Floats = units[first[::-1]]  # (distinct, K)
        self.count = len(units)

    def draw(self, draws: int, seed: int) -> list[Floats]:
        """Sums of counts of each draw, in chunks of (draws, K)."""
        random = np.random.default_rng(seed)
        distinct = len(self._times)
        which = np.repeat(np.arange(distinct), self._times) if distinct > _MOST_DISTINCT else None
        found = []
        for begin in range(0, draws, _CHUNK):
            size = min(_CHUNK, draws - begin)
            if which is None:
                weights = random.multinomial(self.count, self._times / self.count, size=size)
            else:
                rows = which[random.integers(0, self.count, (size, self.count))]
                weights = np.stack([np.bincount(row, minlength=distinct) for row in rows])
            found.append(weights.astype(np.float64) @ self._adds)
        return found


@dataclass(frozen=True, eq=False)
class _Pair:
    """Counts (n, K) of two systems on the same rows, and the metric by which they are compared."""

    a: Floats
    b: Floats
    metric: Metric

    def compare(
        self, join: Callable[[Floats, Floats], Floats], draws: int, seed: int, groups: Sequence[str] | None
    ) -> Paired:
        if self.a.shape != self.b.shape:
            raise ValueError(f"counts {self.a.shape} and {self.b.shape} must be of one length")
        if not len(self.a):
            raise ValueError("two systems can't be compared on no rows")
        both = np.concatenate([self.a, self.b], axis=1)
        value = self._joined(join, both.sum(axis=0))
        drawn = np.concatenate([self._joined(join, sums) for sums in _Units(both, groups).draw(draws, seed)])
        return Paired(*_rounded(float(value), *np.quantile(drawn, [0.025, 0.975, 0.05, 0.95])))

    def _joined(self, join: Callable[[Floats, Floats], Floats], sums: Floats) -> Floats:
        width = self.a.shape[1]
        return join(self.metric(sums[..., :width]), self.metric(sums[..., width:]))


def _table(counts: npt.ArrayLike) -> Floats:
    table = np.asarray(counts, dtype=np.float64)
    if table.ndim != 2:
        raise ValueError(f"counts {table.shape} must be (rows, K)")
    return table


def _bins(confidence: Floats, bins: int) -> Ints:
    result: Ints = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    return result


def _difference(a: Floats, b: Floats) -> Floats:
    return a - b


def _ratio(a: Floats, b: Floats) -> Floats:
    # A b of 0 keeps the ratio finite, so that a report stays JSON.
    result: Floats = np.where((a == 0) & (b == 0), 1.0, a / np.maximum(b, 1e-6))
    return result


def _rounded(*values: float) -> tuple[float, ...]:
    return tuple(round(float(value), 6) for value in values)
