"""The compiled table against a plain reading of the same tests, on random tables and cases."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penjing.data.dates import span_of
from penjing.data.fold import open_folding
from penjing.decide.condition import (
    Among,
    Between,
    Condition,
    Contains,
    Empty,
    Is,
    Matches,
    Rule,
    Starts,
    Test,
    Then,
    Within,
    WordList,
)
from penjing.decide.match import Match, Matcher
from penjing.decide.scan import MAX_FOUND
from penjing.decide.schema import FactSchema

FIELDS = {"amount": "float", "age": "int", "vip": "bool", "grade": ("a", "b", "c"), "city": "str", "due": "date"}
SCHEMA = FactSchema(("neg", "pos"), FIELDS)
LISTS = {"词": WordList("词", ("退", "加急"), b""), "城": WordList("城", ("北京", "上海"), b"")}
WORDS = ("退", "退款", "急", "加急", "款急", "vip")
CITIES = ("北京", "北", "上海", "x y")
PATTERNS = ("退.{0,2}急", "^急", "[0-9]{2}", "款$")
START = date(2026, 1, 1)


def fold(text: str) -> str:
    return open_folding(SCHEMA.folding)(text)


def some(values: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True).map(tuple)


BOUND = st.one_of(st.none(), st.integers(-1, 3))
RANGES = st.lists(st.tuples(BOUND, BOUND), min_size=1, max_size=2).map(tuple)
NAMED = st.lists(st.sampled_from(tuple(LISTS)), max_size=1).map(tuple)
BOOL = st.booleans()


def in_text(fact: str, words: tuple[str, ...]) -> st.SearchStrategy[Condition]:
    tests = st.one_of(
        st.builds(Contains, some(words), NAMED, st.just(False), BOOL),
        st.builds(Contains, some(words), st.just(()), st.just(True), BOOL),
        st.builds(Contains, st.just(()), some(tuple(LISTS)), st.just(False), BOOL),
        st.builds(Starts, some(words), BOOL),
        st.builds(Matches, st.sampled_from(PATTERNS), BOOL),
        st.builds(Empty, BOOL),
    )
    return condition(fact, tests)


def condition(fact: str, tests: st.SearchStrategy[Any]) -> st.SearchStrategy[Condition]:
    return tests.map(lambda test: Condition(fact, test, ""))


def times(scale: int, ranges: tuple[tuple[int | None, int | None], ...]) -> Between:
    return Between(tuple((None if a is None else a * scale, None if b is None else b * scale) for a, b in ranges))


DAY = 86_400
FIRST = span_of(START.isoformat())[0]
SECONDS = st.integers(-3, 3).map(lambda day: FIRST + day * DAY)
CONDITIONS = st.one_of(
    in_text("text", WORDS),
    in_text("city", CITIES),
    condition("city", st.builds(Among, some(CITIES), NAMED, BOOL)),
    condition("label", st.builds(Among, some(("neg", "pos")), st.just(()), BOOL)),
    condition("grade", st.builds(Among, some(("a", "b", "c")), st.just(()), BOOL)),
    condition("grade", st.builds(Empty, BOOL)),
    condition("vip", st.builds(Is, BOOL)),
    condition("p", RANGES.map(lambda each: times(250_000, each))),
    condition("p.neg", RANGES.map(lambda each: times(250_000, each))),
    condition("amount", RANGES.map(lambda each: times(1_000_000, each))),
    condition("amount", st.builds(Empty, BOOL)),
    condition("age", RANGES.map(lambda each: times(1, each))),
    condition("pii.mobile", RANGES.map(lambda each: times(1, each))),
    condition("due", st.builds(Within, st.one_of(st.none(), st.integers(0, 2)), st.integers(0, 2) | st.none(), BOOL)),
    condition("due", st.tuples(SECONDS, SECONDS).map(lambda pair: Between((pair,)))),
    condition("due", st.builds(Empty, BOOL)),
)
RULES = st.lists(st.tuples(st.lists(CONDITIONS, max_size=4), st.none() | SECONDS, st.none() | SECONDS), max_size=8).map(
    lambda rows: [
        Rule(f"r{i}", i + 2, tuple(each), Then("review"), valid_from=first, valid_to=last)
        for i, (each, first, last) in enumerate(rows)
    ]
)
CASES = st.fixed_dictionaries(
    {
        "text": st.lists(st.sampled_from(("退", "款", "加", "急", "ＶＩＰ", "12", "好")), max_size=5).map("".join),
        "p": st.sampled_from((0.5, 0.75, 0.749999, 1.0)),
        "pii": st.integers(0, 3),
        "clock": st.integers(-3 * DAY, 3 * DAY),
        "amount": st.sampled_from((None, -1.0, 0.0, 0.999999, 1.0, 2.5)),
        "age": st.sampled_from((None, 0, 1, 2, 40)),
        "vip": st.sampled_from((None, True, False)),
        "grade": st.sampled_from((None, "a", "b", "c")),
        "city": st.sampled_from((None, "", "北京", "上海", "ｘ y", "北", "北 京", "退款急")),
        "due": st.none() | st.integers(-3, 3).map(lambda day: (START + timedelta(day)).isoformat()),
    }
)


def facts_of(case: dict[str, Any], matcher: Matcher) -> dict[str, Any]:
    clock = FIRST + case["clock"]
    day, rest = divmod(clock, DAY)
    return {
        "label": "pos",
        "p": case["p"],
        "margin": round(2 * case["p"] - 1, 6),
        "probabilities": {"neg": round(1 - case["p"], 6), "pos": case["p"]},
        "too_long": False,
        "pii": {"mobile": case["pii"]},
        "fields": {name: case[name] for name in FIELDS},
        "text": matcher.seen(case["text"]),
        "clock": f"{date(1970, 1, 1) + timedelta(day)}T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}.250000Z",
    }


def holds(test: Test, fact: str, case: dict[str, Any]) -> bool | None:
    """A plain reading: True, False, or None where the fact has no value."""
    known = {"label": "pos", "p.neg": 1 - case["p"], "pii.mobile": case["pii"]}
    value = known[fact] if fact in known else case[fact]
    blank = value is None or (isinstance(value, str) and not value.strip())
    if isinstance(test, Empty):
        return blank != test.negated
    if blank and fact != "text":
        return None
    if isinstance(test, Is):
        return bool(value == test.value)
    if isinstance(test, Between):
        number = span_of(value)[0] if fact == "due" else value * (1 if fact in ("age", "pii.mobile") else 1_000_000)
        return any((low is None or low <= number) and (high is None or number <= high) for low, high in test.ranges)
    if isinstance(test, Within):
        away = (date.fromisoformat(value) - START).days - case["clock"] // DAY
        return (-(test.past or 0) <= away <= (test.future or 0)) != test.negated
    folded = fold(value) if fact in ("text", "city") else value
    if isinstance(test, Among):
        return (folded in test.values or any(folded in LISTS[name].words for name in test.lists)) != test.negated
    if isinstance(test, Starts):
        return folded.startswith(test.words) != test.negated
    if isinstance(test, Matches):
        return bool(re.search(test.pattern, folded)) != test.negated
    words = [*test.words, *(word for name in test.lists for word in LISTS[name].words)]
    return (all if test.every else any)(word in folded for word in words) != test.negated


@settings(max_examples=600, deadline=None)
@given(RULES, CASES)
def test_the_first_row_that_is_not_false_decides(rules: list[Rule], case: dict[str, Any]) -> None:
    matcher = Matcher(rules, SCHEMA, LISTS)
    expected = None
    for place, rule in enumerate(rules):
        clock = FIRST + case["clock"]
        stands = (rule.valid_from is None or rule.valid_from <= clock) and (
            rule.valid_to is None or clock <= rule.valid_to
        )
        found = [holds(each.test, each.fact, case) for each in rule.conditions]
        if stands and False not in found:
            absent = {each.fact for each, held in zip(rule.conditions, found, strict=True) if held is None}
            expected = Match(place, tuple(sorted(absent)))
            break
    assert matcher.first(facts_of(case, matcher)) == expected


def rule(*conditions: tuple[str, Test], **more: Any) -> Rule:
    return Rule("r", 2, tuple(Condition(fact, test, "") for fact, test in conditions), Then("review"), **more)


def test_only_what_holds_is_recorded_and_only_what_is_asked_of_the_text() -> None:
    rules = [
        rule(("text", Contains(("退款", "投诉")))),
        rule(("text", Contains(("你好",), negated=True)), ("city", Contains(("北",)))),
        rule(("text", Starts(("要",))), ("text", Matches("退.款"))),
        rule(("city", Contains(lists=("城",)))),
        rule(("text", Contains(lists=("词",)))),
    ]
    matcher = Matcher(rules, SCHEMA, LISTS)
    assert matcher.seen("要退款，去北京，加急") == {
        "contains": ["退款"],
        "starts": ["要"],
        "lists": {"词": ["加急", "退"]},
    }
    assert matcher.seen("早") == {}
    assert Matcher([rule(("text", Empty()))], SCHEMA, {}).seen("") == {"empty": True}
    assert Matcher([rule(("p", Between(((0, 1),))))], SCHEMA, {}).seen("退款") == {}


def test_a_list_records_a_bounded_number_of_its_words() -> None:
    words = tuple(f"w{i:03}x" for i in range(100))
    matcher = Matcher([rule(("text", Contains(lists=("many",))))], SCHEMA, {"many": WordList("many", words, b"")})
    assert matcher.seen(" ".join(reversed(words))) == {"lists": {"many": list(words[:MAX_FOUND])}}


@pytest.mark.parametrize(
    ("clock", "stands"),
    [
        ("2026-01-01T00:00:00.000000Z", True),
        ("2025-12-31T23:59:59.999999Z", False),
        ("2026-01-31T23:59:59.999999Z", True),
        ("2026-02-01T00:00:00Z", False),
        ("2026-01-01T07:59:59+08:00", False),
        ("2026-01-01T08:00:00+08:00", True),
        ("2026-01-15", True),
    ],
)
def test_a_row_stands_from_the_first_to_the_last_second_of_its_dates(clock: str, stands: bool) -> None:
    dated = rule(valid_from=span_of("2026-01-01")[0], valid_to=span_of("2026-01-31")[1])
    assert (Matcher([dated], SCHEMA, {}).first({"clock": clock, "fields": {}}) is not None) == stands


def test_a_large_amount_is_compared_to_the_last_of_six_decimals() -> None:
    matcher = Matcher([rule(("amount", Between(((1_234_567_890_345_678, None),))))], SCHEMA, {})
    facts = {"fields": {"amount": 1234567890.345678}}
    assert matcher.first(facts) is not None
    assert matcher.first({"fields": {"amount": 1234567890.345677}}) is None


def test_a_table_without_rows_decides_nothing() -> None:
    assert Matcher([], SCHEMA, {}).first({}) is None
