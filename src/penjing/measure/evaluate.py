"""One ruler for every engine: scores with bootstrap bounds, paired comparisons, coverage against risk, reliability.

Rows (or whole groups of rows) are drawn with replacement, and a score's bounds are percentiles over the draws.
Rows with the same truth and guesses are interchangeable, so a draw is a multinomial over the distinct kinds of rows,
which has the same law as drawing the rows one by one and costs a small matrix product.
Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993; for paired scores of classifiers:
Berg-Kirkpatrick, Burkett and Klein, An Empirical Investigation of Statistical Significance in NLP, 2012.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from penjing.tasks.metrics import f1_of_sums

Metric = Literal["macro_f1", "accuracy"]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_CHUNK = 64


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

    low and high bound the two-sided 95 % interval; lower and upper are the one-sided 95 % bounds, each by itself.
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
    """One bar of a reliability diagram: rows whose confidence lies in (low, high], its mean, and their accuracy."""

    low: float
    high: float
    rows: int
    confidence: float
    accuracy: float


def bootstrap(
    truth: npt.ArrayLike,
    guess: npt.ArrayLike,
    labels: int,
    metric: Metric = "macro_f1",
    draws: int = 2000,
    seed: int = 0,
    groups: Sequence[str] | None = None,
    over: Sequence[int] | None = None,
) -> Interval:
    """The score of (n,) guesses with its two-sided 95 % interval.

    groups: rows of one group are drawn together; over: positions of the labels over which macro-F1 is averaged
    (None: all that occur). A sample without an error resamples to itself only; then low is 0.025 ** (1 / units),
    the exact bound of a proportion. No rows: 0 within [0, 1].
    """
    truths = np.asarray(truth, dtype=np.int64)
    if not len(truths):
        return Interval(0.0, 0.0, 1.0)
    kinds = _Kinds(truths, [np.asarray(guess, dtype=np.int64)], labels, groups)
    value = kinds.scores(kinds.times[None, :], metric, over)[0][0]
    drawn = np.concatenate([kinds.scores(weights, metric, over)[0] for weights in kinds.draw(draws, seed)])
    low, high = np.quantile(drawn, [0.025, 0.975])
    if value == 1.0:
        low = min(low, 0.025 ** (1 / kinds.units))
    return Interval(*_rounded(value, min(low, value), max(high, value)))


def paired_difference(
    truth: npt.ArrayLike,
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    labels: int,
    metric: Metric = "macro_f1",
    draws: int = 2000,
    seed: int = 0,
    groups: Sequence[str] | None = None,
    over: Sequence[int] | None = None,
) -> Paired:
    """score(a) - score(b) on the same rows; a is better with a held bound where `low` is above 0."""
    return _paired(_difference, truth, (a, b), labels, metric, draws, seed, groups, over)


def paired_ratio(
    truth: npt.ArrayLike,
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    labels: int,
    metric: Metric = "macro_f1",
    draws: int = 2000,
    seed: int = 0,
    groups: Sequence[str] | None = None,
    over: Sequence[int] | None = None,
) -> Paired:
    """score(a) / score(b) on the same rows: the share of b's score that a keeps; 1 where both are 0."""
    return _paired(_ratio, truth, (a, b), labels, metric, draws, seed, groups, over)


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


def reliability(probabilities: npt.ArrayLike, truth: npt.ArrayLike, bins: int = 15) -> list[Bin]:
    """The bars of a reliability diagram over equal-width bins of the top label's probability; empty bins left out.

    probabilities (n, L), truth (n,) positions.
    """
    table = np.asarray(probabilities, dtype=np.float64)
    if not table.size:
        return []
    confidence = table.max(axis=1)
    right = (table.argmax(axis=1) == np.asarray(truth)).astype(np.float64)
    places = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    rows = np.bincount(places, minlength=bins)
    sums = [np.bincount(places, weights=weights, minlength=bins) for weights in (confidence, right)]
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


class _Kinds:
    """Distinct kinds of units (a row, or a group of rows): how often each occurs and what it adds to the counts."""

    def __init__(self, truth: Ints, guesses: Sequence[Ints], labels: int, groups: Sequence[str] | None) -> None:
        if any(guess.shape != truth.shape for guess in guesses) or (groups is not None and len(groups) != len(truth)):
            raise ValueError("truth, guesses and groups must be of one length")
        code = truth.copy()
        for guess in guesses:
            code = code * labels + guess
        if groups is None:
            codes, times = np.unique(code, return_counts=True)
            units, cells = np.arange(len(codes)), codes
        else:
            times, units, cells = _group_kinds(code, np.unique(np.asarray(groups), return_inverse=True)[1])
        self.times = times.astype(np.int64)  # (kinds,)
        self.units = int(times.sum())
        self._systems, self._labels = len(guesses), labels
        # Columns: truths (L), then guesses and hits (L each) of every system.
        self._adds = np.zeros((len(times), labels * (1 + 2 * len(guesses))))
        rows = cells // labels ** len(guesses)
        np.add.at(self._adds, (units, rows), 1)
        for position in range(len(guesses)):
            column = cells // labels ** (len(guesses) - 1 - position) % labels
            first = labels * (1 + 2 * position)
            np.add.at(self._adds, (units, first + column), 1)
            np.add.at(self._adds, (units, first + labels + column), column == rows)

    def draw(self, draws: int, seed: int) -> list[Ints]:
        """How often each kind is drawn, in chunks of (draws, kinds)."""
        random = np.random.default_rng(seed)
        shares = self.times / self.units
        return [
            random.multinomial(self.units, shares, size=min(_CHUNK, draws - first)) for first in range(0, draws, _CHUNK)
        ]

    def scores(self, weights: Ints, metric: Metric, over: Sequence[int] | None) -> list[Floats]:
        """The score of every system, (draws,) each, for weights (draws, kinds)."""
        sums = (weights.astype(np.float64) @ self._adds).reshape(len(weights), -1, self._labels)
        truths = sums[:, 0]
        result = []
        for position in range(self._systems):
            guesses, hits = sums[:, 1 + 2 * position], sums[:, 2 + 2 * position]
            if metric == "accuracy":
                result.append(hits.sum(axis=1) / truths.sum(axis=1))
                continue
            by_label = f1_of_sums(hits, truths, guesses)
            if over is not None:
                by_label = by_label[:, list(over)]
            present = ~np.isnan(by_label)
            result.append(np.nan_to_num(by_label).sum(axis=1) / np.maximum(present.sum(axis=1), 1))
        return result


def _group_kinds(code: Ints, group: Ints) -> tuple[Ints, Ints, Ints]:
    """(times (kinds,), kind (cells,), code (cells,)): groups that hold the same rows are one kind."""
    order = np.lexsort((code, group))
    code, group = code[order], group[order]
    parts = np.split(code, np.flatnonzero(np.diff(group)) + 1)
    counts: dict[bytes, int] = {}
    for part in parts:
        key = part.tobytes()
        counts[key] = counts.get(key, 0) + 1
    held = [np.frombuffer(key, dtype=np.int64) for key in counts]
    kind = np.repeat(np.arange(len(held)), [len(part) for part in held])
    return np.fromiter(counts.values(), dtype=np.int64), kind, np.concatenate(held)


def _paired(
    join: Callable[[Floats, Floats], Floats],
    truth: npt.ArrayLike,
    guesses: tuple[npt.ArrayLike, npt.ArrayLike],
    labels: int,
    metric: Metric,
    draws: int,
    seed: int,
    groups: Sequence[str] | None,
    over: Sequence[int] | None,
) -> Paired:
    truths = np.asarray(truth, dtype=np.int64)
    if not len(truths):
        raise ValueError("two systems can't be compared on no rows")
    kinds = _Kinds(truths, [np.asarray(guess, dtype=np.int64) for guess in guesses], labels, groups)
    value = join(*kinds.scores(kinds.times[None, :], metric, over))[0]
    drawn = np.concatenate([join(*kinds.scores(weights, metric, over)) for weights in kinds.draw(draws, seed)])
    return Paired(*_rounded(value, *np.quantile(drawn, [0.025, 0.975, 0.05, 0.95])))


def _difference(a: Floats, b: Floats) -> Floats:
    return a - b


def _ratio(a: Floats, b: Floats) -> Floats:
    # A b of 0 keeps the ratio finite, so that a report stays JSON.
    result: Floats = np.where((a == 0) & (b == 0), 1.0, a / np.maximum(b, 1e-6))
    return result


def _rounded(*values: float) -> tuple[float, ...]:
    return tuple(round(float(value), 6) for value in values)
