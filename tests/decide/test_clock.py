"""Clocks of requests as seconds, and seconds as clocks."""

from __future__ import annotations

import pytest

from penjing.decide.clock import clock_at, seconds_of


@pytest.mark.parametrize(
    ("clock", "second"),
    [
        ("1970-01-01T00:00:00.000000Z", 0),
        ("1970-01-02T00:00:01.999999Z", 86_401),
        ("1970-01-01T08:00:00+08:00", 0),
        ("1970-01-02", 86_400),
        ("1969-12-31T23:59:59.500000Z", -1),
    ],
)
def test_a_clock_is_whole_seconds_in_utc(clock: str, second: int) -> None:
    assert seconds_of(clock) == second


@pytest.mark.parametrize("second", [0, -1, 1_767_225_599, 1_767_225_600])
def test_a_second_is_written_as_a_clock_that_is_read_back(second: int) -> None:
    assert seconds_of(clock_at(second)) == second
    assert clock_at(second).endswith(".000000Z")
