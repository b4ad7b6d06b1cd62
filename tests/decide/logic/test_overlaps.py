"""Rows that may meet: none that does is left out, and none that a number or a listed fact keeps apart is named."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.decide.brute import Axis, Brute, answers
from tests.decide.test_check import (
    AMOUNT,
    ANSWER_TESTS,
    CHANNEL,
    DATE_TESTS,
    FIELD_TESTS,
    LISTS,
    TEXT,
    TEXT_TESTS,
    TIME,
    TODAY,
    VIP,
    Row,
    between,
    grades,
    rows_of,
    table,
)

from penjing.decide.condition import Among, Contains, Empty, Is, Starts, Test, Then, Within
from penjing.decide.logic.boxes import Boxes
from penjing.decide.logic.overlaps import Meetings
from penjing.decide.logic.rows import TableRows
from penjing.decide.table import RuleTable

HAM, REVIEW = Then("outcome", "ham"), Then("review")
CUTS = (299_999, 300_000, 400_000, 500_000, 550_000, 599_999, 600_000, 700_000, 800_000)
MARGINS = (0, 199_999, 200_000, 400_000, 600_000)
SETS: list[tuple[list[tuple[str, list[Test]]], list[Axis]]] = [
    ([("text", TEXT_TESTS), *FIELD_TESTS], [TEXT, AMOUNT, CHANNEL, VIP]),
    ([*ANSWER_TESTS, *FIELD_TESTS[:2]], [answers(CUTS, MARGINS), AMOUNT]),
    ([("when", DATE_TESTS), ("due", DATE_TESTS), FIELD_TESTS[2]], [TIME, CHANNEL]),
]


def meetings(made: RuleTable) -> Meetings:
    rows = TableRows(made)
    return Meetings(rows, Boxes(rows))


@pytest.mark.parametrize(("pairs", "axes"), SETS, ids=["fields", "answers", "dates"])
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_rows_that_hold_together_meet_and_rows_that_are_apart_reach_out(
    pairs: list[tuple[str, list[Test]]], axes: list[Axis], data: st.DataObject
) -> None:
    rows: list[Row] = data.draw(rows_of(*pairs))
    priorities = data.draw(st.lists(st.sampled_from([0, 0, 0, 5]), min_size=len(rows), max_size=len(rows)))
    made = table(rows)
    rules = tuple(replace(rule, priority=each) for rule, each in zip(made.rules, priorities, strict=True))
    found = meetings(replace(made, rules=rules))
    brute = Brute(axes, rules, LISTS)
    for row, rule in enumerate(rules):
        above = found.above(row)
        assert above == sorted(above) and all(one < row for one in above)
        assert all(rules[one].then != rule.then and rules[one].priority == rule.priority for one in above)
        for one in range(row):
            if rules[one].then != rule.then and rules[one].priority == rule.priority:
                assert one in above or not (brute.true[one] & brute.true[row]).any()
        for one in range(len(rules)):
            if found.apart(one, row) and brute.true[one].any():
                assert (brute.true[one] & ~brute.true[row]).any()


@given(spans=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 4)), min_size=2, max_size=6))
def test_probabilities_that_have_no_value_in_common_keep_rows_apart(spans: list[tuple[int, int]]) -> None:
    ends = [(low * 100_000, min(low + wide, 10) * 100_000) for low, wide in spans]
    found = meetings(table([([("p", between(*each))], (HAM, REVIEW)[i % 2]) for i, each in enumerate(ends)]))
    for row, (low, high) in enumerate(ends):
        assert found.above(row) == [
            one for one in range(row) if (row - one) % 2 and ends[one][0] <= high and low <= ends[one][1]
        ]


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ([], [("text", Contains(("退",)))], True),
        ([], [("text", Contains(lists=("L",), negated=True))], True),
        ([("text", Contains(("退",)))], [("text", Contains(("款",)))], False),  # the solver knows the words
        ([], [("text", Starts(("退",)))], False),
        ([], [("amount", between(0, None))], True),  # a case may lack the field
        ([("amount", between(0, 1))], [("amount", between(5, 6))], False),
        ([], [("amount", Empty())], False),
        ([], [("too_long", Is(value=True))], True),
        ([], [("label", Among(("ham",)))], True),
        ([], [("label", Among(("ham", "spam")))], False),
        ([("p", between(600_000, None))], [("label", Among(("ham",)))], False),
        ([("p.spam", between(600_000, None))], [("label", Among(("ham",)))], False),
        ([("due", Within(1, 1))], [("when", between(TODAY, None))], False),  # the clock is between them
        ([("due", Within(1, 1))], [("when", between(TODAY, None)), ("vip", Is(value=True))], True),
        ([("vip", Is(value=True))], [], False),
    ],
)
def test_a_row_is_apart_from_one_that_tests_what_it_leaves_open(
    one: list[tuple[str, Test]], other: list[tuple[str, Test]], apart: bool
) -> None:
    assert meetings(table([(one, HAM), (other, REVIEW)])).apart(0, 1) == apart


def test_grades_and_the_ends_of_their_interval_are_not_independent() -> None:
    tests: list[Row] = [([("low", between(0, 0))], REVIEW), ([("value", between(0, 0)), ("p", between(0, 9))], REVIEW)]
    found = meetings(replace(table(tests), schema=grades(0, 1)))
    assert not found.apart(0, 1) and not found.apart(1, 0)
