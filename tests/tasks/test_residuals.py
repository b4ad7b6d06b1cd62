"""Local errors of values, by hand; intervals and chances that follow from them."""

from __future__ import annotations

import numpy as np
import pytest

from penjing.tasks.residuals import Residuals, fit_residuals

# Errors of 1 at 0 and of 3 at 10, linear between; ratios are uniform on [0, 2].
TWO = Residuals((0.0, 10.0), (1.0, 3.0), tuple(np.linspace(0, 2, 201)), 999)


def test_the_error_is_linear_between_the_middles_and_level_beyond() -> None:
    assert TWO.near(np.array([-5.0, 0.0, 5.0, 10.0, 50.0])).tolist() == [1.0, 1.0, 2.0, 3.0, 3.0]


def test_the_interval_has_the_ratio_of_the_stated_coverage() -> None:
    assert TWO.half_width(np.array([0.0, 5.0]), 0.9).tolist() == pytest.approx([1.8, 3.6], abs=0.01)


def test_the_chance_is_the_share_of_ratios_within_the_limit() -> None:
    assert TWO.share_within(np.array([0.0, 5.0, 10.0]), 1.0).tolist() == pytest.approx([0.5, 0.25, 1 / 6], abs=1e-6)
    assert TWO.share_within(np.array([0.0]), 100.0)[0] == pytest.approx(999 / 1000), "never more than the rows tell"
    assert TWO.share_within(np.array([0.0]), 0.0)[0] == pytest.approx(0.0, abs=1e-9)


def test_errors_are_learned_by_bin_and_drawn_towards_their_mean() -> None:
    values = np.concatenate([np.zeros(100), np.full(100, 10.0)])
    truth = values + np.concatenate([np.full(100, 1.0), np.full(100, 3.0)])
    found = fit_residuals(values, truth)
    assert found.middles == (0.0, 10.0) and found.rows == 200
    # (100 rows of the bin + 10 rows of the mean 2) / 110
    assert found.errors == pytest.approx(((100 + 20) / 110, (300 + 20) / 110), abs=1e-6)


def test_one_value_everywhere_and_no_rows() -> None:
    same = fit_residuals(np.full(80, 5.0), np.full(80, 6.0))
    assert same.middles == (5.0,) and same.errors == (1.0,)
    assert same.half_width(np.array([5.0, 9.0]), 0.9).tolist() == pytest.approx([1.0, 1.0])
    nothing = fit_residuals(np.zeros(0), np.zeros(0))
    assert nothing.near(np.array([3.0])).tolist() == [1.0]
    assert nothing.share_within(np.array([3.0]), 1.0).tolist() == [0.0]


def test_residuals_survive_json() -> None:
    assert Residuals.from_json(TWO.to_json()) == TWO


def test_too_few_rows_for_a_coverage_give_the_largest_ratio() -> None:
    """Nine rows can promise 90 % at best: the rank ceil((n + 1) 0.9) of eight rows would be the ninth."""
    ratios = tuple(np.linspace(0, 2, 201))
    for rows, width in ((8, 2.0), (9, 2.0), (19, 2 * 18 / 19)):
        found = Residuals((0.0,), (1.0,), ratios, rows)
        assert found.half_width(np.array([0.0]), 0.9)[0] == pytest.approx(width), rows
