"""Conditions as clauses: no real case is excluded, and each literal is what the condition is by plain comparison."""

from __future__ import annotations

import re
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.decide.brute import Brute
from tests.decide.logic.truths import Query, one_row
from tests.decide.test_check import CITY, CITY_TESTS, LISTS, TEXT, TEXT_TESTS, TODAY, grades, table

from penjing.decide.condition import Among, Between, Contains, Empty, Is, Matches, Starts, Test, Then, Within
from penjing.decide.logic.clauses import TRUE, RowVariables
from penjing.decide.logic.rows import CLOCK, DATES, DAY, DAYS, TableRows
from penjing.decide.schema import MICRO

HOLDS = Brute((), (), LISTS)._holds
ENDS = st.integers(-4, 4) | st.none()


def query(*tests: tuple[str, Test]) -> Query:
    return Query(table([(list(tests), Then("review"))]))


@settings(max_examples=60, deadline=None)
@given(tests=st.lists(st.lists(st.tuples(ENDS, ENDS), max_size=3), min_size=1, max_size=4))
def test_ranges_of_a_number_hold_where_the_number_is_in_one(tests: list[list[tuple[int | None, int | None]]]) -> None:
    asked = query(*(("amount", Between(tuple(each))) for each in tests))
    for value in range(-6, 7):
        true = asked.true({"amount": value})
        for (_, test), literal in zip(asked.rows.tests, asked.literals, strict=True):
            assert asked.forced(literal, true) == HOLDS(value, test), (value, test)


@settings(deadline=None)
@given(cuts=st.lists(st.integers(-9, 9), min_size=1, max_size=6))
def test_cuts_in_any_order_leave_one_solution_between_each_two(cuts: list[int]) -> None:
    asked = query()
    mine = sorted({(cut, asked.variables.at_least("amount", cut)) for cut in cuts})
    assert [cut for cut, _ in mine] == asked.variables.cuts["amount"]
    for signs in product((1, -1), repeat=len(mine)):
        solved = asked.solved(sign * literal for sign, (_, literal) in zip(signs, mine, strict=True))
        assert solved == (list(signs) == sorted(signs, reverse=True)), "a larger cut brings the smaller ones"


@pytest.mark.parametrize(
    ("fact", "least", "most"),
    [
        ("p", 0, MICRO), ("pii.id_card", 0, 2**53), ("amount", -(2**53), 2**53), ("when", *DATES), (CLOCK, *DATES),
        ("when" + DAYS, DATES[0] // DAY - DATES[1] // DAY, DATES[1] // DAY - DATES[0] // DAY),
    ],
)  # fmt: skip
def test_a_bound_beyond_the_values_of_a_number_is_constant(fact: str, least: int, most: int) -> None:
    variables = query().variables
    assert variables.at_least(fact, least) == TRUE
    assert variables.at_least(fact, most + 1) == -TRUE
    assert variables.cuts == {}
    assert {variables.at_least(fact, least + 1), variables.at_least(fact, most)}.isdisjoint({TRUE, -TRUE})
    assert variables.cuts == {fact: [least + 1, most]}


def test_the_bound_of_a_grade_is_that_of_the_next_grade() -> None:
    variables = RowVariables(TableRows(one_row(grades(0, 1, 2.5, 4), [])), lambda _: None)
    assert variables.at_least("value", MICRO + 1) == variables.at_least("value", 2_500_000) != TRUE
    assert variables.at_least("value", 2_500_001) == variables.at_least("value", 4 * MICRO)
    assert variables.at_least("value", -1) == TRUE and variables.at_least("value", 4 * MICRO + 1) == -TRUE
    assert variables.cuts["value"] == [2_500_000, 4 * MICRO]


def test_ordered_facts_share_their_bounds_and_rise() -> None:
    asked = Query(one_row(grades(0, 1, 2), [("low", Between(((MICRO, None),))), ("high", Between(((None, MICRO),)))]))
    assert asked.variables.cuts == {fact: [MICRO, 2 * MICRO] for fact in ("low", "value", "high")}
    for low, value, high in product((0, MICRO, 2 * MICRO), repeat=3):
        true = asked.true({"low": low, "value": value, "high": high})
        known = (each if each in true else -each for each in asked.of_the_case())
        assert asked.solved(known) == (low <= value <= high)


LISTED: list[tuple[str, Test, set[Any]]] = [
    ("channel", Among(("app",)), {"app"}), ("channel", Among(("app", "elsewhere")), {"app"}),
    ("channel", Among(("app", "web")), {"app", "web"}), ("channel", Among(("app",), negated=True), {"web"}),
    ("channel", Among(("elsewhere",)), set()), ("vip", Is(value=True), {True}), ("vip", Is(value=False), {False}),
]  # fmt: skip


@pytest.mark.parametrize(("fact", "test", "values"), LISTED)
def test_a_listed_value_is_one_that_the_test_names(fact: str, test: Test, values: set[Any]) -> None:
    asked = query((fact, test))
    for value in ("app", "web") if fact == "channel" else (True, False):
        assert asked.forced(asked.literals[0], asked.true({fact: value})) == (value in values)
    assert not asked.solved(-each for each in asked.variables.names[fact].values()), "some value is there"


@pytest.mark.parametrize("test", [*TEXT_TESTS, Starts(()), Starts((), negated=True), Matches("退.?款", negated=True)])
def test_a_text_meets_the_literal_of_its_test(test: Test) -> None:
    asked = query(("text", test))
    for (text,) in TEXT.values:
        expected = not re.search(test.pattern, text) if isinstance(test, Matches) else HOLDS(text, test)
        assert asked.forced(asked.literals[0], asked.true({"text": text})) == expected, text


@pytest.mark.parametrize("test", CITY_TESTS)
def test_a_field_of_text_meets_the_literal_and_refuses_only_a_value(test: Test) -> None:
    asked = query(("city", test))
    refused = asked.variables.refused(0)
    for (city,) in CITY.values:
        true, empty = asked.true({"city": city}), isinstance(test, Empty)
        if city is not None or empty:
            held = (city is None) != test.negated if isinstance(test, Empty) else HOLDS(city, test)
            assert asked.forced(asked.literals[0], true) == held
        known = [each if each in true else -each for each in asked.of_the_case()]
        assert asked.solved([*known, refused]) == ((city is not None or empty) and not held)


def test_days_are_counted_from_the_clock_and_are_absent_with_their_date() -> None:
    asked = query(("when", Within(1, 2)), ("when", Within(1, None, negated=True)))
    for days in range(-4, 5):
        true = asked.true({"when": TODAY + days * DAY + 7, CLOCK: TODAY + 9})
        assert [asked.forced(each, true) for each in asked.literals] == [-1 <= days <= 2, days < -1 or days > 0]
    assert asked.variables.without("when" + DAYS) == asked.variables.without("when") != asked.variables.without("due")


def test_what_is_never_absent_is_refused_by_its_negation() -> None:
    asked = query(("text", Contains(("退",))), ("label", Among(("ham",))), ("text", Empty()), ("label", Empty()))
    assert [asked.variables.refused(place) for place in range(4)] == [-each for each in asked.literals]
    assert asked.literals[2:] == [asked.variables.absent["text"], -TRUE], "a text can be empty, a label is always there"


def test_the_same_condition_has_the_same_variables() -> None:
    variables = query().variables
    one = variables.of("text", Contains(("退", "急")))
    assert variables.of("text", Contains(("退", "急"))) == one != variables.of("text", Contains(("退",)))
    assert (
        variables.of("text", Contains(("退",)))
        == variables.of_text("text", "has", "退")
        != variables.of_text("text", "list", "退")
    )


@settings(deadline=None)
@given(chosen=st.lists(st.sampled_from([TRUE, -TRUE, 2, -2, 3, -3, 4, -4]), max_size=4))
def test_any_of_is_true_exactly_where_one_is(chosen: list[int]) -> None:
    asked = query()
    assert [asked.variables.new() for _ in range(3)] == [2, 3, 4]
    found = asked.variables.any_of(chosen)
    for signs in product((1, -1), repeat=3):
        known = [sign * each for sign, each in zip(signs, (2, 3, 4), strict=True)]
        expected = any(each in (TRUE, *known) for each in chosen)
        assert asked.solved([*known, found]) == expected
        assert asked.solved([*known, -found]) == (not expected)
    assert found == TRUE or not any(-each in chosen for each in chosen), "no variable for what is always so"
