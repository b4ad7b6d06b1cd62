"""Sets of rows by number and by value, against a plain reading of the same ranges and values."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from penjing.decide.axes import NumberAxis, ValueAxis, common, joined
from penjing.decide.condition import Ranges

BOUND = st.one_of(st.none(), st.integers(-6, 6))
RANGES = st.lists(st.tuples(BOUND, BOUND), max_size=3).map(tuple)
TESTS = st.dictionaries(st.integers(0, 39), st.lists(RANGES, min_size=1, max_size=3), max_size=40)


def inside(number: int, ranges: Ranges) -> bool:
    return any((low is None or low <= number) and (high is None or number <= high) for low, high in ranges)


@given(TESTS)
def test_a_number_leaves_the_rows_whose_ranges_it_meets(tests: dict[int, list[Ranges]]) -> None:
    axis = NumberAxis(40, tests)
    for number in range(-9, 10):
        held = axis.at(number)
        for row in range(40):
            assert bool(held >> row & 1) == all(inside(number, each) for each in tests.get(row, ())), (number, row)


@given(RANGES)
def test_joined_ranges_hold_the_same_numbers_and_leave_a_gap_between_them(ranges: Ranges) -> None:
    found = joined(ranges)
    for number in range(-9, 10):
        assert inside(number, tuple(found)) == inside(number, ranges)
    for (_, high), (low, _) in pairwise(found):
        assert high is not None
        assert low is not None
        assert low > high + 1


def test_common_ranges_of_two_unions() -> None:
    assert common([((None, 3), (7, None)), ((2, 8),)]) == [(2, 3), (7, 8)]
    assert common([((1, 2),), ((4, 5),)]) == []


def test_more_bounds_than_one_stored_set_covers() -> None:
    axis = NumberAxis(100, {row: [((row, row + 9),)] for row in range(100)})
    for number in range(-1, 120):
        assert [row for row in range(100) if axis.at(number) >> row & 1] == [
            row for row in range(100) if row <= number <= row + 9
        ]


def test_a_value_that_is_not_listed_meets_only_the_rows_that_refuse_others() -> None:
    tests = {0: [(frozenset(("a",)), False)], 1: [(frozenset(("a", "b")), True)], 3: [(frozenset(("c",)), True)]}
    axis = ValueAxis(4, ("a", "b", "c"), tests)
    assert axis.at("a") == 0b1101
    assert axis.at("b") == 0b1100
    assert axis.at("c") == 0b0110
    assert axis.at("new") == 0b1110


def test_two_tests_of_one_value_must_both_hold() -> None:
    axis = ValueAxis(1, ("a", "b"), {0: [(frozenset(("a", "b")), False), (frozenset(("a",)), True)]})
    assert (axis.at("a"), axis.at("b"), axis.at("new")) == (0, 1, 0)
