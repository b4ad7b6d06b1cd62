"""Whole numbers are read from decimal digits alone, and within their bounds."""

from __future__ import annotations

import pytest

from penjing.core.whole_number import whole_number


@pytest.mark.parametrize(("written", "number"), [("1", 1), ("100", 100), ("007", 7), ("٣", 3), ("３", 3)])
def test_a_number_is_read(written: str, number: int) -> None:
    assert whole_number(written, 1, 100) == number


@pytest.mark.parametrize("written", ["", "0", "101", "-1", "+1", " 1", "1.0", "²", "①", "000000001" + "9" * 5000])
def test_what_is_no_such_number_is_none(written: str) -> None:
    assert whole_number(written, 1, 100) is None


def test_without_bounds_any_count_is_read() -> None:
    assert (whole_number("0"), whole_number("9" * 18), whole_number("9" * 19)) == (0, 10**18 - 1, None)
