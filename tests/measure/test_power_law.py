"""A power law is found again from its own values, and never says that rows harm."""

from __future__ import annotations

import numpy as np
import pytest

from penjing.measure.power_law import POWERS, PowerLaw, fit_power_law, gain

SIZES = np.array([100.0, 200.0, 400.0, 800.0, 1600.0])


@pytest.mark.parametrize("law", [PowerLaw(2.0, float(POWERS[25]), 0.05), PowerLaw(0.9, float(POWERS[10]), 0.0)])
def test_it_is_found_again(law: PowerLaw) -> None:
    found = fit_power_law(SIZES, np.array([law.at(size) for size in SIZES]))
    assert (found.a, found.b, found.c) == pytest.approx((law.a, law.b, law.c), abs=1e-6)
    assert gain(found, 1600, 1600) == pytest.approx(law.at(1600) - law.at(3200))


def test_an_error_that_rises_with_rows_is_a_flat_line() -> None:
    found = fit_power_law(SIZES, np.array([0.1, 0.12, 0.13, 0.15, 0.2]))
    assert found.a == 0 and gain(found, 1600, 1600) == 0
    assert 0.1 < found.c < 0.2


def test_no_error_is_below_zero() -> None:
    found = fit_power_law(SIZES, np.array([0.5, 0.3, 0.1, 0.02, 0.0]))
    assert found.c >= 0 and found.at(10**9) >= 0


def test_large_sizes_weigh_more() -> None:
    errors = np.array([0.9, 0.3, 0.2, 0.15, 0.12])
    plain = fit_power_law(SIZES, errors)
    changed = fit_power_law(SIZES, errors + np.array([-0.1, 0, 0, 0, 0]))
    moved = fit_power_law(SIZES, errors + np.array([0, 0, 0, 0, -0.1]))
    assert abs(changed.at(1600) - plain.at(1600)) < abs(moved.at(1600) - plain.at(1600))


def test_three_sizes_are_needed() -> None:
    with pytest.raises(ValueError, match="three sizes"):
        fit_power_law(np.array([1.0, 2.0, 2.0]), np.array([0.3, 0.2, 0.2]))
