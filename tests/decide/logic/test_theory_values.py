"""Which value a case has where a solution leaves a choice: the hint, a round number near it, a grade of the task."""

from __future__ import annotations

from itertools import product

import pytest
from tests.decide.logic.test_theory import made, solve
from tests.decide.logic.truths import Query, one_row
from tests.decide.test_check import TODAY, between, grades

from penjing.decide.condition import Among, Is, Test
from penjing.decide.logic.clauses import RowVariables
from penjing.decide.logic.rows import CLOCK, MadeCase, TableRows
from penjing.decide.logic.theory import Theory
from penjing.decide.schema import MICRO


@pytest.mark.parametrize(
    ("fact", "test", "value"),
    [
        ("channel", Among(("app",)), "web"),
        ("channel", Among(("app",)), "app"),
        ("vip", Is(value=True), "false"),
        ("amount", between(1, None), 7),
        ("when", between(TODAY, None), TODAY - 7),
        (CLOCK, between(TODAY, None), TODAY),
        ("label", Among(("ham",)), "spam"),
    ],
)
def test_where_nothing_is_asked_the_hint_is_taken(fact: str, test: Test, value: int | str) -> None:
    rows = TableRows(made((fact, test), ("p", between(1, None))))
    found = Theory(rows, RowVariables(rows, lambda _: None), rows.hints() | {fact: value, "p": 7}).solve({1})
    assert isinstance(found, MadeCase)
    assert (found.names | found.numbers)[fact] == value
    assert found.numbers["p"] == 950_000, "a model that is sure, whatever the tests are"


@pytest.mark.parametrize(
    ("low", "high", "hint", "chosen"),
    [
        (3, 40, 5, 5), (3, 40, 2, 3), (1_234, 9_000, 0, 1_300), (1_234, 1_236, 0, 1_234), (None, 1_234, 9_999, 1_000),
        (-50, -17, 0, -20), (1_000_001, None, 0, 1_100_000), (7, 7, 0, 7),
    ],
)  # fmt: skip
def test_a_number_is_the_hint_or_a_round_one_near_it(low: int | None, high: int | None, hint: int, chosen: int) -> None:
    asked = Query(made(("amount", between(low, high))))
    assert solve(asked, {"amount": chosen}, {"amount": hint}).numbers["amount"] == chosen


def test_grades_rise_and_are_among_those_of_the_task() -> None:
    listed = (0, MICRO, 2_500_000, 4 * MICRO)
    tests = [
        ("low", between(2 * MICRO, None)),
        ("value", between(None, 3 * MICRO)),
        ("high", between(MICRO, 4 * MICRO - 1)),
    ]
    asked = Query(one_row(grades(0, 1, 2.5, 4), tests))
    for low, value, high in ((a, b, c) for a, b, c in product(listed, repeat=3) if a <= b <= c):
        for hint in (-5, 1_700_000, 9 * MICRO):
            case = {"low": low, "value": value, "high": high}
            found = solve(asked, case, {"low": hint})
            assert [*found.numbers] == [CLOCK, "low", "value", "high"]
            chosen = [found.numbers[fact] for fact in case]
            assert chosen == sorted(chosen) and {*chosen} <= {*listed}
            assert asked.true(found.numbers) == asked.true(case)
