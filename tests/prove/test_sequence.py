"""The statistics of the certificate: exact tails, an order fixed on validation, validity under a known risk."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.labelled_cases import draw

from penjing.prove.sequence import (
    Cases,
    binomial_tail,
    chosen,
    lower_bound,
    make_grid,
    rows_to_prove,
    run_sequence,
    upper_bound,
)


def exact_tail(errors: int, rows: int, risk: Fraction) -> Fraction:
    return sum((math.comb(rows, i) * risk**i * (1 - risk) ** (rows - i) for i in range(errors + 1)), start=Fraction(0))


@settings(max_examples=80, deadline=None)
@given(rows=st.integers(1, 400), share=st.fractions(0, 1), risk=st.fractions(Fraction(1, 200), Fraction(1, 2)))
def test_the_tail_is_exact(rows: int, share: Fraction, risk: Fraction) -> None:
    errors = int(share * rows)
    expected = float(exact_tail(errors, rows, risk))
    assert binomial_tail(errors, rows, float(risk)) == pytest.approx(expected, rel=1e-9, abs=1e-300)


def test_the_tail_at_its_edges() -> None:
    assert binomial_tail(0, 0, 0.05) == 1.0
    assert binomial_tail(5, 5, 0.05) == 1.0
    assert binomial_tail(0, 100_000, 0.05) == 0.0
    assert 0.45 < binomial_tail(5_000, 100_000, 0.05) < 0.55


@pytest.mark.parametrize(("rows", "risk"), [(29, 0.10), (59, 0.05), (149, 0.02), (299, 0.01)])
def test_rows_without_an_error_that_certify(rows: int, risk: float) -> None:
    assert binomial_tail(0, rows, risk) <= 0.05 < binomial_tail(0, rows - 1, risk)
    assert upper_bound(0, rows) <= risk < upper_bound(0, rows - 1)


def test_the_upper_bound_inverts_the_tail() -> None:
    for errors, rows in ((0, 10), (3, 40), (50, 2_000)):
        assert binomial_tail(errors, rows, upper_bound(errors, rows)) == pytest.approx(0.05, rel=1e-6)
    assert upper_bound(0, 0) == upper_bound(3, 3) == 1.0


def test_the_grid_falls_and_is_short() -> None:
    cases = draw(np.random.default_rng(0), 3_000)
    grid = make_grid(cases, 0.05, 3_000)
    assert 2 <= len(grid) <= 50
    assert list(grid) == sorted(grid, reverse=True) and len(set(grid)) == len(grid)
    assert all(grid[i] == round(grid[i], 6) for i in range(len(grid)))


def test_the_first_threshold_is_not_one_at_which_just_enough_rows_are_expected() -> None:
    # 40 validation rows without an error, p from 0.99 down to 0.80. To certify 10 % takes 29 rows without an error.
    p = np.linspace(990_000, 800_000, 40).round().astype(np.int64)
    cases = Cases(np.zeros(40, dtype=np.int64), p, np.ones(40, bool), np.ones(40, bool))
    first = make_grid(cases, 0.1, 40)[0]
    assert (p >= first * 1e6).sum() >= 33, "with 29 expected, half of all sets of calibration rows have fewer"


def test_the_grid_leaves_room_for_the_tolerance() -> None:
    cases = draw(np.random.default_rng(0), 500)
    plain, banded = make_grid(cases, 0.05, 500), make_grid(cases, 0.05, 500, band=1_000)
    assert banded == tuple(round(each - 0.001, 6) for each in plain)


def test_without_open_cases_the_grid_is_a_fixed_one() -> None:
    empty = np.array([], dtype=np.int64)
    nothing = Cases(empty, empty, empty.astype(bool), empty.astype(bool))
    assert make_grid(nothing, 0.05, 100)[:2] == (0.99, 0.98)
    assert chosen(run_sequence(nothing, (0.9,), 0.05)) is None


def test_testing_ends_at_the_first_that_does_not_pass() -> None:
    # 100 right above 0.9, then 50 wrong, then 10,000 right that would pass again.
    p = np.concatenate([np.full(100, 950_000), np.full(50, 850_000), np.full(10_000, 750_000)])
    correct = np.concatenate([np.ones(100, bool), np.zeros(50, bool), np.ones(10_000, bool)])
    cases = Cases(np.zeros(len(p), dtype=np.int64), p, correct, np.ones(len(p), dtype=bool))
    tried = run_sequence(cases, (0.9, 0.8, 0.7), 0.05)
    assert [(each.threshold, each.automated, each.errors, each.passed) for each in tried] == [
        (0.9, 100, 0, True),
        (0.8, 150, 50, False),
    ]
    best = chosen(tried)
    assert best is not None and best.threshold == 0.9


def test_cases_that_a_rule_takes_are_not_counted() -> None:
    p = np.full(100, 950_000)
    taken = Cases(np.zeros(100, dtype=np.int64), p, np.arange(100) >= 40, np.arange(100) >= 40)
    (step,) = run_sequence(taken, (0.9,), 0.05)
    assert (step.automated, step.errors, step.passed) == (60, 0, True)


def test_a_lower_bound_is_the_upper_bound_of_what_went_right() -> None:
    assert lower_bound(0, 50) == lower_bound(3, 0) == 0.0
    assert lower_bound(7, 50) == pytest.approx(1 - upper_bound(43, 50))
    # P(Bin(50, low) >= 7) is 5 % at the bound.
    assert 1 - binomial_tail(6, 50, lower_bound(7, 50)) == pytest.approx(0.05, rel=1e-6)


@pytest.mark.parametrize(("risk", "rows"), [(0.10, 29), (0.05, 59), (0.02, 149), (0.01, 299)])
def test_rows_to_prove(risk: float, rows: int) -> None:
    assert rows_to_prove(risk) == rows
    assert (
        binomial_tail(0, rows_to_prove(risk, 0.01), risk)
        <= 0.01
        < binomial_tail(0, rows_to_prove(risk, 0.01) - 1, risk)
    )


def test_enough_validation_rows_pass_the_first_threshold() -> None:
    random = np.random.default_rng(3)
    for rows in (150, 400, 2_000):
        for _ in range(20):
            validation = draw(random, 300)
            first = make_grid(validation, 0.05, rows)[0]
            passed = int((validation.p >= round(first * 1e6)).sum())
            # As many as 59 of the calibration rows.
            assert passed >= 59 * 300 / rows


def test_where_no_threshold_can_pass_the_first_one_has_the_smallest_bound() -> None:
    validation = draw(np.random.default_rng(3), 300)
    first = make_grid(validation, 0.05, 20)[0]
    passed = validation.p >= round(first * 1e6)
    assert passed.sum() >= 30, "no handful of the surest rows"
    assert (~validation.correct[passed]).mean() < 0.1


@pytest.mark.slow
@pytest.mark.parametrize(("risk", "wrong"), [(0.05, 1.0), (0.05, 0.6), (0.10, 1.0)])
def test_the_promise_holds_where_the_risk_is_known(risk: float, wrong: float) -> None:
    """At most 5 % of runs may certify a threshold whose true risk is above the limit (here: 300 runs, 4 s.e.)."""
    random = np.random.default_rng(7)
    population = draw(random, 400_000, wrong)
    order = np.argsort(-population.p)
    scores = population.p[order]
    true = np.cumsum(wrong * (1 - scores / 1e6)) / np.arange(1, len(scores) + 1)
    violations = certified = 0
    for _ in range(300):
        grid = make_grid(draw(random, 300, wrong), risk, 600)
        best = chosen(run_sequence(draw(random, 600, wrong), grid, risk))
        if best is not None:
            certified += 1
            above = int(np.searchsorted(-scores, -round(best.threshold * 1e6), side="right"))
            violations += bool(true[max(0, above - 1)] > risk)
    assert certified > 150
    assert violations / 300 <= 0.05 + 4 * math.sqrt(0.05 * 0.95 / 300)
