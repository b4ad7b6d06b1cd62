"""Probabilities of grades, the answer among them, and the interval around it, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from penjing.tasks.calibrate import fit_temperature
from penjing.tasks.grades import (
    GradeCalibration,
    best_grades,
    fit_grades,
    grade_intervals,
    grade_odds,
    grade_probabilities,
)

ALONE, WITHIN_ONE = np.eye(4), (np.abs(np.arange(4)[:, None] - np.arange(4)[None, :]) <= 1).astype(float)
SHARES = np.array([[0.35, 0.25, 0.30, 0.10]])


def test_probabilities_are_differences_of_chances_to_be_above() -> None:
    odds = np.log(np.array([[0.9 / 0.1, 0.5 / 0.5, 0.2 / 0.8]]))
    assert grade_probabilities(odds, 1.0)[0].tolist() == pytest.approx([0.1, 0.4, 0.3, 0.2])
    assert grade_probabilities(odds, 2.0)[0, 0] == pytest.approx(1 - 1 / (1 + 9**-0.5))


def test_odds_of_grades_agree_with_their_probability_and_change_where_it_rounds_to_one() -> None:
    odds = np.array([[2.0, 0.5, -1.0]])
    for near in (*WITHIN_ONE, *ALONE):
        p = grade_probabilities(odds, 0.7) @ near
        assert grade_odds(odds, 0.7, near) == pytest.approx(np.log(p / (1 - p)))
    sure = np.array([[60.0, 50.0, -40.0], [60.0, 45.0, -40.0]])
    assert grade_odds(sure, 1.0, ALONE[2]).tolist() == pytest.approx([40, 40], abs=0.01)
    assert grade_odds(sure, 1.0, WITHIN_ONE[3]).tolist() == pytest.approx([50, 45], abs=0.01)


def test_a_later_chance_never_exceeds_an_earlier_one() -> None:
    crossed = np.log(np.array([[0.2 / 0.8, 0.7 / 0.3, 0.1 / 0.9]]))
    assert grade_probabilities(crossed, 1.0)[0].tolist() == pytest.approx([0.8, 0.0, 0.1, 0.1])


def test_the_answer_is_the_mode_without_a_limit_and_the_median_with_one() -> None:
    best, p, margin = best_grades(SHARES, ALONE)
    assert (best[0], p[0], margin[0]) == (0, pytest.approx(0.35), pytest.approx(0.05))
    best, p, margin = best_grades(SHARES, WITHIN_ONE)  # above each grade: 0.65, 0.40, 0.10
    assert (best[0], p[0], margin[0]) == (1, pytest.approx(0.9), pytest.approx(0.2))


@pytest.mark.parametrize(
    ("mass", "ends"), [(-1.0, (1, 1)), (0.24, (1, 1)), (0.25, (1, 2)), (0.59, (1, 2)), (0.6, (0, 2)), (0.9, (0, 3))]
)
def test_an_interval_grows_to_the_more_probable_side_while_it_holds_at_most_the_mass(
    mass: float, ends: tuple[int, int]
) -> None:
    # From grade 1 it holds 0.25, with grade 2 0.6, with grade 0 0.9, then everything.
    low, high = grade_intervals(np.array([[0.30, 0.25, 0.35, 0.10]]), np.array([1]), mass)
    assert (low[0], high[0]) == ends


def test_the_mass_is_the_one_held_before_the_gold_of_the_ranked_row() -> None:
    # Equal rows of P = 0.1, 0.4, 0.3, 0.2; golds need 0, 0.4, 0.7, 0.9 held before them (-1: the answer itself).
    odds = np.tile(np.log(np.array([0.9 / 0.1, 1.0, 0.2 / 0.8])), (100, 1))
    golds = np.array([1, 1, 1, 1, 2, 2, 2, 3, 3, 0] * 10)
    found = fit_grades(odds, golds, np.eye(4), 0.5)
    assert found.temperature == pytest.approx(1.0, abs=0.02)
    assert found.mass == pytest.approx(0.4, abs=0.02), "the 51st of a hundred: (100 + 1) * 0.5 rounded up"
    assert fit_grades(odds[:10], golds[:10], np.eye(4), 0.99).mass == 1.0, "too few rows for this coverage: all grades"


@pytest.mark.parametrize("rows", [30, 300])
def test_rows_without_an_error_claim_about_as_much_as_their_number_supports(rows: int) -> None:
    random = np.random.default_rng(rows)
    golds = random.integers(0, 4, rows)
    odds = np.where(golds[:, None] > np.arange(3)[None, :], 1.0, -1.0) * random.gamma(2.0, 4.0, (rows, 1))
    found = fit_grades(odds, golds, np.eye(4), 0.9)
    best, p, _ = best_grades(grade_probabilities(odds, found.temperature), np.eye(4))
    assert best.tolist() == golds.tolist()
    assert 1 - 6 / (rows + 2) < p.mean() <= 1 - 1 / (rows + 2)


def test_two_grades_have_the_temperature_of_two_labels() -> None:
    odds = np.array([[3.0], [-3.0], [2.0], [1.0]] * 5)
    golds = np.array([1, 0, 1, 0] * 5)
    labels = fit_temperature(np.hstack([np.zeros_like(odds), odds]), golds)
    assert fit_grades(odds, golds, np.eye(2), 0.9).temperature == pytest.approx(labels, rel=1e-4)


def test_no_rows_and_values_that_are_not_finite() -> None:
    assert fit_grades(np.zeros((0, 3)), np.zeros(0, dtype=np.int64), np.eye(4), 0.9) == GradeCalibration(1.0, 1.0)
    with pytest.raises(ValueError, match="not finite"):
        fit_grades(np.array([[np.inf, 0.0, 0.0]]), np.array([0]), np.eye(4), 0.9)
    assert GradeCalibration.from_json(GradeCalibration(1.5, 0.4).to_json()) == GradeCalibration(1.5, 0.4)
