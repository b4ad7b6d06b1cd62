"""The number of given labels and the labels themselves are not independent: the check agrees with trying each set."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from tests.decide.brute import Axis
from tests.decide.test_check import Row, agree, between, findings, rows_of, table

from penjing.decide.condition import Is, Test, Then
from penjing.decide.schema import FactSchema
from penjing.tasks import described, open_reader

GIVEN: list[Test] = [Is(True), Is(False)]
COUNTS: list[Test] = [between(2, None), between(None, 0), between(1, 1), between(3, None), between(None, 2)]


def sets(*labels: str) -> FactSchema:
    """The facts of these labels."""
    return FactSchema((), other=described(open_reader("several", {}).learn(list(labels)))["task"])


@settings(max_examples=200, deadline=None)
@given(rows=rows_of(("has.a", GIVEN), ("has.b", GIVEN), ("has.c", GIVEN), ("count", COUNTS)))
def test_sets_agree_with_trying_each(rows: list[Row]) -> None:
    rules = [(tests, then if then.kind != "outcome" else Then("outcome", "a;b")) for tests, then in rows]
    every = tuple((*each, sum(each)) for each in product((True, False), repeat=3))
    made = replace(table(rules), schema=sets("a", "b", "c"))
    agree(made, [Axis(("has.a", "has.b", "has.c", "count"), every)])


@settings(max_examples=60, deadline=None)
@given(rows=rows_of(("has.a", GIVEN), ("count", COUNTS)))
def test_labels_of_no_rule_are_counted_too(rows: list[Row]) -> None:
    rules = [(tests, then if then.kind != "outcome" else Then("outcome", "a;b")) for tests, then in rows]
    every = tuple((a, a + others) for a, others in product((True, False), range(3)))
    agree(replace(table(rules), schema=sets("a", "b", "c")), [Axis(("has.a", "count"), every)])


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("odd,4,,,review,", "`count` is always one of 0, 1, 2, 3, never `4`"),
        ("odd,1,yes,yes,review,", "the number of the given labels"),
        ("odd,3,no,,review,", "the number of the given labels"),
    ],
)
def test_a_row_against_the_count_can_never_hold(tmp_path: Path, row: str, what: str) -> None:
    found = findings(tmp_path, f"name,count,has.a,has.b,then,why\n{row}\n", sets("a", "b", "c"))
    odd = next(each for each in found if each.level == "error")
    assert odd.kind == "impossible" and what in f"{odd.what} {odd.fix}"


def test_a_count_of_one_is_left_below_a_row_of_two(tmp_path: Path) -> None:
    found = findings(tmp_path, "name,count,then,why\nmany,>=2,review,\none,>=1,review,\n", sets("a", "b", "c"))
    assert not [each for each in found if each.level == "error"]
