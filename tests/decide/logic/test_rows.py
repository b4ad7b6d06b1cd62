"""All rows against one case: against trying every case, and the limits and values of each kind of fact."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.decide.brute import DAY, Axis, Brute
from tests.decide.test_check import (
    AMOUNT,
    CHANNEL,
    CITY,
    CITY_TESTS,
    DATE_TESTS,
    FIELD_TESTS,
    LISTS,
    PERIODS,
    TEXT,
    TEXT_TESTS,
    TODAY,
    VIP,
    Row,
    between,
    grades,
    rows_of,
    table,
)

from penjing.decide.condition import Among, Contains, Empty, Is, Matches, Test, Then, Within
from penjing.decide.logic.rows import CLOCK, DAYS, MadeCase, TableRows, ranges
from penjing.decide.logic.texts import MadeText
from penjing.decide.table import RuleTable

TIME = Axis(
    ("clock", "when", "due"),
    tuple((TODAY + 5, when, due) for when in (None, TODAY - 1, TODAY + 2 * DAY) for due in (None, TODAY + DAY - 1)),
)
AXES = [TEXT, AMOUNT, CHANNEL, VIP, CITY, TIME]
END = Then("review")


def made(*rows: Sequence[tuple[str, Test]]) -> TableRows:
    return TableRows(table([(list(row), END) for row in rows]))


def case_of(facts: dict[str, Any]) -> MadeCase:
    """A case of plain values: None is an absent field."""
    absent = frozenset(fact for fact, value in facts.items() if value is None)
    numbers = {CLOCK: facts["clock"]} | {
        fact: facts[fact] for fact in ("amount", "when", "due") if facts[fact] is not None
    }
    names = {fact: str(facts[fact]).lower() for fact in ("channel", "vip")}
    texts = {fact: MadeText(facts[fact] or "", exact=True) for fact in ("text", "city")}
    return MadeCase(numbers, names, absent, texts)


@settings(max_examples=150, deadline=None)
@given(
    rows=rows_of(
        ("text", TEXT_TESTS), ("city", CITY_TESTS), ("when", DATE_TESTS), ("due", DATE_TESTS), *FIELD_TESTS
    ),
    periods=st.lists(st.sampled_from(PERIODS), min_size=6, max_size=6),
    places=st.lists(st.tuples(*(st.integers(0, len(axis.values) - 1) for axis in AXES)), min_size=1, max_size=8),
)  # fmt: skip
def test_rows_hold_and_are_not_false_as_trying_each_test_gives(
    rows: list[Row], periods: list[tuple[int | None, int | None]], places: list[tuple[int, ...]]
) -> None:
    both = TableRows(table(rows, dict(enumerate(periods))))
    for place in places:
        one = [Axis(axis.facts, (axis.values[at],)) for axis, at in zip(AXES, place, strict=True)]
        brute = Brute(one, both.rules, LISTS)
        facts = {fact: value for axis in one for fact, value in zip(axis.facts, *axis.values, strict=True)}
        held = both.held(case_of(facts))
        assert held.true.tolist() == [bool(grid.item()) for grid in brute.true]
        assert held.standing.tolist() == [bool(grid.item()) for grid in brute.standing]


def test_a_condition_is_decided_once_however_many_rows_have_it() -> None:
    small, app = ("amount", between(None, 1)), ("channel", Among(("app",)))
    rows = made([small, app], [app, small, app], [], [small])
    assert rows.tests == [small, app]
    assert rows.of == [(0, 1), (1, 0), (), (0,)]
    held = rows.held(MadeCase({"amount": 1}, {"channel": "web"}))
    assert held.conditions.tolist() == [True, False, True]
    assert held.true.tolist() == [False, False, True, True]


def test_no_rows_hold_where_there_are_none() -> None:
    held = made().held(MadeCase())
    assert held.true.shape == held.standing.shape == (0,)


def test_facts_are_in_the_order_of_the_schema_and_the_clock_is_the_last() -> None:
    tests: list[tuple[str, Test]] = [("vip", Is(True)), ("amount", Empty()), ("text", Contains(("退",)))]
    timed = TableRows(table([(tests, END)], {0: (TODAY, None)}))
    assert timed.facts == ("text", "amount", "vip", CLOCK)
    assert timed.tests[-1] == (CLOCK, between(TODAY, None))
    assert made(tests).facts == ("text", "amount", "vip")


def test_each_kind_of_fact_has_its_limits_and_values() -> None:
    rows = made()
    first, last = (int(datetime(*when, tzinfo=UTC).timestamp()) for when in ((1, 1, 1), (9999, 12, 31, 23, 59, 59)))
    days = (last - first) // DAY
    assert {fact: rows.limits(fact) for fact in ("p", "p.ham", "pii.mobile", "amount", "when", CLOCK)} == {
        "p": (0, 10**6), "p.ham": (0, 10**6), "pii.mobile": (0, 2**53), "amount": (-(2**53), 2**53),
        "when": (first, last), CLOCK: (first, last),
    }  # fmt: skip
    assert rows.limits("when" + DAYS) == (-days, days)
    assert TableRows(RuleTable("r.csv", grades(0.5, 1, 4), ())).limits("value") == (500_000, 4_000_000)
    assert rows.values("label") == ("ham", "spam") and rows.values("channel") == ("app", "web")
    assert set(rows.values("vip")) == set(rows.values("too_long")) == {"true", "false"}
    known = ("label", "p", "text", "too_long", CLOCK, "amount", "channel", "city", "vip", "when", "when" + DAYS)
    assert [fact for fact in known if rows.may_be_absent(fact)] == list(known[5:])
    assert [fact for fact in known if rows.is_text(fact)] == ["text", "city"]
    assert [fact for fact in known if rows.is_number(fact)] == ["p", CLOCK, "amount", "when", "when" + DAYS]


SPANS = st.tuples(st.none() | st.integers(-6, 6), st.none() | st.integers(-6, 6))


@given(tests=st.lists(SPANS, min_size=1, max_size=6), names=st.lists(st.sampled_from(["app", "web"]), min_size=1))
def test_hints_are_values_of_which_the_fewest_tests_hold(
    tests: list[tuple[int | None, int | None]], names: list[str]
) -> None:
    rows = made(*([("amount", between(*each))] for each in tests), *([("channel", Among((each,)))] for each in names))

    def held(fact: str, value: Any) -> int:
        amount, channel = value if fact == "amount" else 0, value if fact == "channel" else "app"
        case = MadeCase({"amount": amount}, {"channel": channel})
        return sum(
            bool(true)
            for (named, _), true in zip(rows.tests, rows.held(case).conditions[:-1], strict=True)
            if named == fact
        )

    hints = rows.hints()
    assert held("amount", hints["amount"]) == min(held("amount", value) for value in range(-9, 10))
    assert held("channel", hints["channel"]) == min(held("channel", value) for value in ("app", "web"))


def test_patterns_are_as_a_case_supposes_and_are_looked_up_where_it_does_not() -> None:
    rows = made([("text", Matches("退.款"))], [("city", Matches("^北"))])
    case = MadeCase(texts={"text": MadeText("退款", exact=True, supposed={"退.款": True}), "city": MadeText("北京")})
    assert rows.held(case).true.tolist() == [True, True]
    assert not rows.confirmed(case)
    real = rows.looked_up(case)
    assert rows.held(real).true.tolist() == [False, True] and rows.confirmed(real)
    assert case.texts["text"].supposed and not real.texts["text"].supposed
    right = MadeCase(texts={"text": MadeText("退的款", supposed={"退.款": True, "^北": False})})
    assert rows.confirmed(right)
    wrong = MadeCase(texts={"city": MadeText("北京", supposed={"^北": False})})
    assert not rows.confirmed(wrong)
    assert rows.confirmed(MadeCase(absent=frozenset({"city"}), texts=wrong.texts))
    with pytest.raises(ValueError):
        made([("text", Matches("退(?=款)"))])


@given(past=st.none() | st.integers(0, 4), future=st.none() | st.integers(0, 4), negated=st.booleans())
def test_ranges_of_days_are_the_days_before_and_after(past: int | None, future: int | None, negated: bool) -> None:
    spans = ranges(Within(past, future, negated))
    for days in range(-7, 8):
        near = (days < 0 and -days <= (past or 0)) or days == 0 or (days > 0 and days <= (future or 0))
        held = any((low is None or low <= days) and (high is None or days <= high) for low, high in spans)
        assert held == (near != negated)


def test_ranges_are_of_numbers_only() -> None:
    assert ranges(between(None, 3)) == ((None, 3),)
    with pytest.raises(TypeError, match="no test of a number"):
        ranges(Contains(("退",)))
    with pytest.raises(TypeError, match="no test of a listed value"):
        made([("channel", Contains(("a",)))])


def test_words_and_lists_of_texts_are_known_and_others_are_not() -> None:
    tests = [("text", Contains(("退",), ("L",))), ("city", Among(("北京",), ("C",))), ("label", Among(("ham",)))]
    rows = made(*([each] for each in tests))
    assert rows.words.named == {"退", "北京"} and set(rows.words.lists) == {*LISTS}
    assert not np.any(rows.held(MadeCase(names={"label": "spam"}, texts={
        "text": MadeText("无", exact=True), "city": MadeText("京", exact=True)})).true)  # fmt: skip
