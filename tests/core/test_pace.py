"""Time left: nothing is said of too few units, but a minute is long enough to know a speed."""

from __future__ import annotations

import pytest

from penjing.core.pace import time_in_words, time_left


@pytest.mark.parametrize(
    ("done", "total", "spent", "left"),
    [
        (0, 100, 0.0, None),
        (10, 100, 5.0, None),  # a tenth is too few, the first may have taken longest
        (11, 100, 11.0, 89.0),
        (1, 8190, 900.0, None),  # one long unit may be the first
        (53, 8190, 106.0, 2 * 8137.0),  # hours must not be hidden until a tenth is done
        (53, 8190, 59.0, None),
        (100, 100, 9.0, 0.0),
        (101, 100, 9.0, 0.0),
        (0, 0, 90.0, None),  # without a total nothing is known
    ],
)
def test_the_time_left_of_counted_work(done: int, total: int, spent: float, left: float | None) -> None:
    assert time_left(done, total, spent) == left


@pytest.mark.parametrize(("seconds", "words"), [(0, "1 s"), (42, "40 s"), (170, "3 min"), (6000, "1 h 40 min")])
def test_times_in_words(seconds: float, words: str) -> None:
    assert time_in_words(seconds) == words
