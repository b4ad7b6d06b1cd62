"""Ranges of whole numbers as sets: against the sets themselves."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from penjing.decide.logic.spans import Spans, bounded, common, joined, without

RANGES = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=4)


def numbers(spans: Spans) -> set[int]:
    return {number for low, high in spans for number in range(low, high + 1)}


@given(one=RANGES, other=RANGES)
def test_sets_and_ranges_agree(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    first, second = joined(one), joined(other)
    assert numbers(first) == {number for low, high in one for number in range(low, high + 1)}
    assert numbers(common(first, second)) == numbers(first) & numbers(second)
    assert numbers(without(first, second)) == numbers(first) - numbers(second)
    for spans in (first, common(first, second), without(first, second)):
        assert all(before[1] < behind[0] for before, behind in pairwise(spans))


def test_open_ends_are_those_of_the_limits() -> None:
    assert bounded(((None, 3), (7, None), (20, 30)), (0, 9)) == ((0, 3), (7, 9))
