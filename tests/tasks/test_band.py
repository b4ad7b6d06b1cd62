"""The bounds of a band: they are reached at whole millionths, and a band of 0 changes nothing."""

from __future__ import annotations

from penjing.tasks.band import half_within, margin_within


def test_a_margin_is_compared_in_whole_millionths() -> None:
    # 0.000123 * 1,000,000 is 123.00000000000001 in floating point.
    assert margin_within({"margin": 0.000123}, 123) and not margin_within({"margin": 0.000123}, 122)


def test_a_half_and_the_band_is_the_last_probability_that_may_change() -> None:
    assert half_within({"p": 0.500003}, 3) and not half_within({"p": 0.500004}, 3)


def test_without_a_band_nothing_changes() -> None:
    assert not margin_within({"margin": 0.0}, 0) and not half_within({"p": 0.0}, 0)
