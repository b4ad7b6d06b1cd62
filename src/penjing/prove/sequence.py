"""Fixed-sequence testing of thresholds with exact binomial p-values, on plain arrays.

Learn-then-Test (Angelopoulos, Bates, Candès, Jordan, Lei: "Learn then Test: Calibrating Predictive Algorithms to
Achieve Risk Control", 2021) with a fixed sequence: thresholds t_1, t_2, ... are ordered on validation rows; on the
calibration rows H_i: "risk(t_i) > alpha" is tested in that order at level delta, and testing ends at the first that is
not rejected. With n automated rows of which k are wrong the p-value is

    P(Bin(n, alpha) <= k) = sum_{i <= k} C(n, i) alpha^i (1 - alpha)^(n - i)

which is valid for every n, so also for the random number of automated rows. With probability 1 - delta no threshold
that passed has a risk above alpha. The guarantee holds for cases drawn like the calibration rows, not after drift.

Prefer it to conformal sets if the promise is about the errors among the decided cases. Prefer it to a bound on one
threshold (SGR, Geifman and El-Yaniv 2017: a union bound over a search), which gets weaker with every threshold tested.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from penjing.decide.schema import MICRO
from penjing.prove.weighted import betting_p_value

DELTA = 0.05
STEPS = 50
_CANDIDATES = 150
# Up to so many errors a sum of Python numbers is the faster one.
_FEW = 100
# The middles of five equally likely parts of a normal distribution, in deviations from its mean.
_FIFTHS = (-1.2816, -0.5244, 0.0, 0.5244, 1.2816)

Ints = np.ndarray[Any, np.dtype[np.int64]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]
Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, eq=False)
class Cases:
    """Labelled cases as arrays of shape (n,).

    scope: position of the scope whose threshold applies. p: confidence of the model in millionths. correct: whether
    the outcome is right. open: whether the model decides if the threshold allows it (no rule decided the case, and the
    text is not too long). drawn: the probability with which each was drawn, in the order of the cases; None: all alike.
    least: the least probability of any case, those included that were not drawn.
    """

    scope: Ints
    p: Ints
    correct: Bools
    open: Bools
    drawn: Floats | None = None
    least: float = 1.0

    def __len__(self) -> int:
        return len(self.scope)

    def take(self, index: Ints) -> Cases:
        """The cases at these positions."""
        drawn = None if self.drawn is None else self.drawn[index]
        return Cases(self.scope[index], self.p[index], self.correct[index], self.open[index], drawn, self.least)

    def of(self, scope: int | None) -> Cases:
        """The same cases, open only in this scope (None: unchanged)."""
        return self if scope is None else replace(self, open=self.open & (self.scope == scope))


@dataclass(frozen=True)
class ThresholdStep:
    """One step of a sequence: numbers of automated cases and of errors among them at one threshold."""

    threshold: float
    automated: int
    errors: int
    p_value: float
    passed: bool


def binomial_tail(errors: int, rows: int, risk: float) -> float:
    """P(Bin(rows, risk) <= errors), exact to rounding; 1 for no rows."""
    if rows <= 0 or errors >= rows:
        return 1.0
    term, odds = rows * math.log1p(-risk), math.log(risk) - math.log1p(-risk)
    if errors > _FEW:
        below = np.arange(errors)
        logs = term + np.concatenate([[0.0], np.cumsum(np.log(rows - below) - np.log(below + 1) + odds)])
        return min(1.0, float(math.exp(logs.max()) * np.exp(logs - logs.max()).sum()))
    terms = [term]
    for i in range(errors):
        term += math.log(rows - i) - math.log(i + 1) + odds
        terms.append(term)
    top = max(terms)
    return min(1.0, math.exp(top) * math.fsum(math.exp(each - top) for each in terms))


def upper_bound(errors: int, rows: int, delta: float = DELTA) -> float:
    """The one-sided Clopper-Pearson bound (1934): the largest risk that this number of errors does not reject."""
    if rows <= 0 or errors >= rows:
        return 1.0
    low, high = errors / rows, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if binomial_tail(errors, rows, middle) > delta else (low, middle)
    return high


def lower_bound(errors: int, rows: int, delta: float = DELTA) -> float:
    """The one-sided Clopper-Pearson bound from below: 1 - the upper bound of what went right."""
    return 1 - upper_bound(rows - errors, rows, delta) if rows > 0 else 0.0


def rows_to_prove(risk: float, delta: float = DELTA) -> int:
    """The fewest automated cases that prove `risk`, if none of them is wrong: 59 for 5 %."""
    return math.ceil(math.log(delta) / math.log1p(-risk) - 1e-9)


def make_grid(
    validation: Cases, risk: float, rows: int, *, delta: float = DELTA, band: int = 0, steps: int = STEPS
) -> tuple[float, ...]:
    """At most `steps` thresholds in falling order, chosen on validation rows alone.

    The first threshold is the most likely one to pass on `rows` calibration rows, among those that enough validation
    rows pass: as many as `rows` calibration rows need to prove the limit without an error. If the rows are too few for
    that at any threshold, it is the one whose error has the smallest upper bound. Each next one automates more. The
    estimated risk at a threshold is the mean of two estimates: the share of errors, and the mean of 1 - p by the
    calibrated probabilities. The second varies less if there are few rows.
    band: tolerance in millionths (a case is automated where p >= threshold + band).
    """
    order = np.argsort(-validation.p[validation.open], kind="stable")
    p = validation.p[validation.open][order]
    wrong = np.cumsum(~validation.correct[validation.open][order])
    # Of several equal scores, the last one is the threshold.
    ends = np.flatnonzero(np.append(p[1:] != p[:-1], True)) if len(p) else np.array([], dtype=np.int64)
    if not len(ends):
        return tuple(round(0.99 - 0.01 * i, 6) for i in range(steps))
    if len(ends) > _CANDIDATES:
        ends = ends[np.unique(np.linspace(0, len(ends) - 1, _CANDIDATES).astype(np.int64))]
    rates = (wrong[ends] + np.cumsum(1 - p / MICRO)[ends] + 0.5) / (2 * ends + 3)
    ratio = rows / max(1, len(validation))
    chances = np.array(
        [
            pass_chance(count, len(validation), ratio, rate, risk, delta)
            for count, rate in zip((ends + 1).tolist(), rates.tolist(), strict=True)
        ]
    )
    first = _first(ends + 1, rates, chances, math.ceil(rows_to_prove(risk, delta) / max(ratio, 1e-9)), delta)
    possible = np.flatnonzero(rates <= 2 * risk)
    last = max(first, int(possible[-1]) if len(possible) else first)
    selected = ends[np.unique(np.linspace(first, last, min(steps, last - first + 1)).round().astype(np.int64))]
    falling = [max(0, int(p[end]) - band) / MICRO for end in selected]
    return tuple(dict.fromkeys(round(each, 6) for each in falling))


def _first(counts: Ints, rates: Floats, chances: Floats, least: int, delta: float) -> int:
    """The position of the first threshold. counts: validation rows that pass each; least: how many of them must."""
    able = np.flatnonzero(counts >= least)
    if len(able) and chances[able].max() > 0:
        level = able[chances[able] >= chances[able].max() - 1e-3]
        return int(level[len(level) // 2])
    bounds = [upper_bound(round(rate * count), int(count), delta) for rate, count in zip(rates, counts, strict=True)]
    return int(np.argmin(bounds))


def pass_chance(count: int, rows: int, ratio: float, rate: float, risk: float, delta: float) -> float:
    """The probability that a test passes which `count` of `rows` validation rows enter, if its true risk is `rate`.

    ratio: number of calibration rows / number of validation rows.
    """
    share, calibration = count / max(1, rows), round(rows * ratio)
    numbers = _counts(share, calibration, ratio)
    return sum(_chance_to_pass(number, rate, risk, delta) for number in numbers) / len(numbers)


def _counts(share: float, rows: int, ratio: float) -> list[int]:
    """Five equally likely numbers of automated calibration rows, of which validation rows say the share only about.

    The number on `rows` rows has the variance rows * share * (1 - share) * (1 + ratio), with ratio = rows / number of
    validation rows. Too few rows can prove nothing, so a threshold at which as many as needed are only just expected is
    no good first one.
    """
    deviation = math.sqrt(max(0.0, rows * share * (1 - share) * (1 + ratio)))
    return [min(rows, max(1, round(rows * share + place * deviation))) for place in _FIFTHS]


def _chance_to_pass(rows: int, rate: float, risk: float, delta: float) -> float:
    """The probability that a threshold with `rows` automated rows passes if its true risk is `rate`."""
    allowed = _allowed(rows, risk, delta)
    return 0.0 if allowed < 0 else binomial_tail(allowed, rows, min(rate, 1 - 1e-9))


@lru_cache(maxsize=65_536)
def _allowed(rows: int, risk: float, delta: float) -> int:
    """The most errors with which so many rows pass; -1 for none."""
    if binomial_tail(0, rows, risk) > delta:
        return -1
    low, high = 0, math.ceil(rows * risk)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if binomial_tail(middle, rows, risk) <= delta else (low, middle - 1)
    return low


def tallies(cases: Cases, grid: tuple[float, ...], band: int = 0) -> list[tuple[int, int]]:
    """(automated, errors among them) at each threshold."""
    rising = np.sort(cases.p[cases.open])
    wrong = np.sort(cases.p[cases.open & ~cases.correct])
    least = [round(threshold * MICRO) + band for threshold in grid]
    return [(len(rising) - int(np.searchsorted(rising, p)), len(wrong) - int(np.searchsorted(wrong, p))) for p in least]


def run_sequence(
    cases: Cases, grid: tuple[float, ...], risk: float, *, delta: float = DELTA, band: int = 0
) -> list[ThresholdStep]:
    """Test the thresholds in their order, up to and including the first that does not pass."""
    tried: list[ThresholdStep] = []
    for threshold, (automated, errors) in zip(grid, tallies(cases, grid, band), strict=True):
        value = _p_value(cases, round(threshold * MICRO) + band, (automated, errors), risk)
        tried.append(ThresholdStep(threshold, automated, errors, value, value <= delta))
        if not tried[-1].passed:
            break
    return tried


def _p_value(cases: Cases, least: int, counted: tuple[int, int], risk: float) -> float:
    """The exact binomial p-value, or one by betting where cases were drawn with different probabilities."""
    if cases.drawn is None:
        return binomial_tail(counted[1], counted[0], risk)
    mine = cases.open & (cases.p >= least)
    return betting_p_value(~cases.correct[mine], cases.drawn[mine], risk, cases.least)


def chosen(tried: list[ThresholdStep]) -> ThresholdStep | None:
    """The step that passed and automates most; None if the first did not pass."""
    passed = [each for each in tried if each.passed]
    return max(passed, key=lambda each: each.automated) if passed else None
