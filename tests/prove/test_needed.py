"""What more rows would do, on laws whose error is known: `enough` and `no help` are wrong as rarely as they say."""

from __future__ import annotations

import numpy as np
import pytest

from penjing.core.certificate import Need
from penjing.prove.needed import ERROR, POWER, SHARE, LimitCount, needed
from penjing.prove.sequence import binomial_tail, upper_bound

RUNS = 500
# Noise of a rate of 5 % or 10 % in 500 runs, three standard errors.
NOISE_5, NOISE_10 = 0.03, 0.04


def one(cases: int, errors: int, risk: float = 0.05) -> list[list[LimitCount]]:
    return [[LimitCount(cases, errors, risk)]]


def test_the_three_answers() -> None:
    assert needed(one(90, 0), 180, tested=90).answer == "enough"
    assert needed(one(40, 0), 100) == Need(answer="unknown")
    assert needed(one(60, 2), 100) == Need(answer="unknown")
    assert needed(one(100, 20), 200) == Need(answer="no_help")
    assert needed([], 100) == Need(answer="unknown")
    barely = next(n for n in range(40, 400) if upper_bound(0, n, ERROR) < 0.05)
    assert needed(one(barely, 0), barely).answer == "unknown"  # a bound just below the limit asks for far too many


def test_one_threshold_that_might_hold_is_no_no_help() -> None:
    assert needed([*one(10, 1), *one(100, 20)], 200).answer == "unknown"
    assert needed([*one(60, 12), *one(100, 20)], 200).answer == "no_help"


def test_every_limit_of_a_step_must_pass() -> None:
    fine, hopeless = LimitCount(500, 2, 0.05), LimitCount(100, 30, 0.05)
    assert needed([[fine, hopeless]], 1_000).answer == "no_help"
    assert needed([[fine, LimitCount(30, 0, 0.05)]], 1_000).answer == "unknown"
    both = needed([[fine, LimitCount(200, 0, 0.05)]], 1_000, tested=10)
    alone = needed([[LimitCount(200, 0, 0.05)]], 1_000, tested=10)
    assert both.answer == alone.answer == "enough" and (both.rows or 0) >= (alone.rows or 0)


def test_the_parts_of_the_assurance_are_90_percent() -> None:
    assert pytest.approx(0.10) == ERROR + SHARE + POWER


@pytest.mark.whole
@pytest.mark.parametrize(
    ("share", "error", "rows", "often"),
    [(0.5, 0.005, 90, 0.5), (0.3, 0.01, 200, 0.3), (0.8, 0.03, 300, 0.0), (0.6, 0.0499, 400, 0.0)],
)
def test_enough_holds_on_known_laws(share: float, error: float, rows: int, often: float) -> None:
    """Twice `rows` rows are looked at; then the number that is said to be enough is drawn, and the test repeated."""
    random, risk, said, failed = np.random.default_rng(5), 0.05, 0, 0
    for _ in range(RUNS):
        cases = int(random.binomial(2 * rows, share))
        found = needed(one(cases, int(random.binomial(cases, error)), risk), 2 * rows, tested=rows)
        if found.answer == "enough" and found.rows is not None:
            said += 1
            again = int(random.binomial(found.rows + rows, share))
            failed += binomial_tail(int(random.binomial(again, error)), again, risk) > 0.05
    assert failed / RUNS <= 0.10 + NOISE_10
    assert said / RUNS >= often, "an answer that is never given promises nothing"


@pytest.mark.parametrize("steps", [(0.05, 0.05, 0.05), (0.05, 0.07, 0.09), (0.03, 0.08, 0.12)])
def test_no_help_is_false_in_at_most_5_percent(steps: tuple[float, ...]) -> None:
    """Some step keeps the limit in truth; the steps are nested, as thresholds are."""
    random, false = np.random.default_rng(6), 0
    for _ in range(RUNS):
        draws = [random.binomial(150, error) for error in steps]
        tallies = [[LimitCount(150 * (i + 1), int(sum(draws[: i + 1])), 0.05)] for i in range(len(steps))]
        false += needed(tallies, 600).answer == "no_help"
    assert false / RUNS <= 0.05 + NOISE_5


def test_no_help_is_said_where_it_is_true() -> None:
    random, said = np.random.default_rng(7), 0
    for _ in range(100):
        said += needed(one(300, int(random.binomial(300, 0.12))), 600).answer == "no_help"
    assert said >= 90
