"""What more labelled rows would do for a limit that was not proven: enough, no help, or unknown.

The tests of a certificate have steps in a fixed order; the first must pass before any other is tested.

enough    With probability 0.90 or more, over both sets of rows, so many new rows pass the first step. It follows from
          an upper bound on its error, a lower bound on the share of rows that count, and the power of the test at both:

              0.10 = ERROR + SHARE + POWER,   P(Bin(m, U) <= c(m)) >= 1 - POWER,   P(Bin(N, L) >= m) >= 1 - SHARE / 2

          U: upper Clopper-Pearson bound of the error at level ERROR; L: lower one of the share at level SHARE / 2;
          c(m): the most errors with which m cases pass.
no help   At every step, and at stricter thresholds down to that of a twentieth of the rows, a lower bound of some limit
          is above that limit. This is wrong only if some of them keeps every limit; its own bounds are then all above
          its limits with probability at most 0.05, so none needs a correction for the others (intersection-union test,
          Berger 1982: "Multiparameter Hypothesis Testing").
unknown   Neither is shown.

Both answers are about cases drawn like these rows, for the same model and the same order of thresholds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from penjing.core.certificate import Need
from penjing.prove.sequence import DELTA, Ints, binomial_tail, lower_bound, rows_to_prove, upper_bound

# How the probability that `enough` is wrong is shared out; and the largest probability that `no help` is wrong.
ERROR, SHARE, POWER = 0.06, 0.01, 0.03
NO_HELP = 0.05
FAR = 100  # times the rows that were counted
SURE = (0.05, 0.1, 0.2, 0.4)
# Beyond so many rows the answer is `unknown`: it would be no advice.
_MOST = 500_000


@dataclass(frozen=True)
class LimitCount:
    """One limit at one step: the cases that count for it, the errors among them, and the limit."""

    cases: int
    errors: int
    risk: float


def needed(
    steps: Sequence[Sequence[LimitCount]],
    rows: int,
    delta: float = DELTA,
    tested: int | None = None,
    stricter: Sequence[Sequence[LimitCount]] = (),
) -> Need:
    """What more rows would do, from the counts of every limit at every step on `rows` rows.

    delta: the level of the tests. tested: number of rows on which the certificate was tested, if it is not `rows`;
    the answer `enough` counts the rows beyond these. stricter: the counts at thresholds above the first step, with
    which a later path could begin. A bound just below the limit would ask for more than FAR times the rows: that is
    unknown.
    """
    if steps and all(_hopeless(step) for step in (*steps, *stricter)):
        return Need(answer="no_help")
    total = _enough(steps[0], rows, delta) if steps else None
    if total is None or total > FAR * max(1, rows):
        return Need(answer="unknown")
    return Need(answer="enough", rows=max(1, total - (rows if tested is None else tested)))


def surest(p: Ints) -> list[int]:
    """The scores of the rows that end the surest twentieth, tenth, fifth and two fifths. p: scores (n,) of open cases.

    They depend on the scores alone, not on what is right.
    """
    falling = np.sort(p)[::-1]
    places = [max(1, math.ceil(share * len(falling))) - 1 for share in SURE] if len(falling) else []
    return [int(falling[place]) for place in places]


def _hopeless(step: Sequence[LimitCount]) -> bool:
    level = NO_HELP / max(1, len(step))
    return any(lower_bound(each.errors, each.cases, level) > each.risk for each in step)


def _enough(step: Sequence[LimitCount], rows: int, delta: float) -> int | None:
    """How many new rows pass this step with the assurance; None if the bounds do not show it."""
    most = 0
    for each in step:
        worst = upper_bound(each.errors, each.cases, ERROR / len(step))
        share = lower_bound(each.cases, rows, SHARE / 2 / len(step))
        if worst >= each.risk or share <= 0:
            return None
        cases = _cases_that_pass(worst, each.risk, delta, POWER / len(step))
        total = None if cases is None else _rows_with(cases, share, SHARE / 2 / len(step))
        if total is None:
            return None
        most = max(most, total)
    return most


@lru_cache(maxsize=4096)
def _cases_that_pass(rate: float, risk: float, delta: float, fail: float) -> int | None:
    """The fewest cases from which on a test at this error rate fails with probability `fail` at most.

    The number of errors allowed rises by one every 1 / risk cases, and the power falls a little in between: both the
    number and the next whole period must have the power.
    """
    period = int(1 / risk) + 1

    def power(cases: int) -> float:
        allowed = _errors_allowed(cases, risk, delta)
        return 0.0 if allowed < 0 else binomial_tail(allowed, cases, rate)

    def good(cases: int) -> bool:
        return all(power(cases + step) >= 1 - fail for step in (0, period // 2, period - 1, period))

    low = high = rows_to_prove(risk, delta)
    while not good(high):
        low, high = high, high * 2
        if high > _MOST:
            return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if good(middle) else (middle + 1, high)
    return low


def _errors_allowed(cases: int, risk: float, delta: float) -> int:
    """The most errors with which the test passes; -1 for none."""
    if binomial_tail(0, cases, risk) > delta:
        return -1
    # The normal approximation is a few errors off at most.
    found = max(0, round(cases * risk - 1.7 * math.sqrt(cases * risk * (1 - risk))))
    while found and binomial_tail(found, cases, risk) > delta:
        found -= 1
    while binomial_tail(found + 1, cases, risk) <= delta:
        found += 1
    return found


@lru_cache(maxsize=4096)
def _rows_with(cases: int, share: float, fail: float) -> int | None:
    """The fewest rows that hold so many cases with probability 1 - fail, if each counts with probability `share`."""
    if share >= 1:
        return cases
    low = high = cases
    while binomial_tail(cases - 1, high, share) > fail:
        low, high = high, high * 2
        if high > _MOST:
            return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if binomial_tail(cases - 1, middle, share) <= fail else (middle + 1, high)
    return low
