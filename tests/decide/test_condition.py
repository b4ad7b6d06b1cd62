"""Conditions as frozen data; the set of tests is closed, and each test is read from a cell and compiled into a row."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, get_args

import pytest

from penjing.decide import condition as module
from penjing.decide.cells import parse_cell
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
from penjing.decide.schema import FactSchema
from penjing.decide.wordlists import Lists

SCHEMA = FactSchema(("ham", "spam"), {"amount": "float", "city": "str", "vip": "bool", "due": "date"})
# Of each test: the fact, cells that are read as it, the test itself, values for which it holds, and for which not.
READ: dict[type[Any], tuple[str, list[tuple[str, Test]], Any, Any]] = {
    Contains: (
        "text",
        [("contains 退|Ａ", Contains(("退", "a"))), ("不包含 退|Ａ", Contains(("退", "a"), negated=True))],
        "请退款",
        "请付款",
    ),
    Starts: (
        "text",
        [("starts 您|Hi", Starts(("您", "hi"))), ("开头不是 您|Hi", Starts(("您", "hi"), negated=True))],
        "HI you",
        "oh hi",
    ),
    Matches: (
        "text",
        [("matches 退.款", Matches("退.款")), ("不匹配 退.款", Matches("退.款", negated=True))],
        "退了款",
        "退款",
    ),
    Among: (
        "label",
        [("in spam", Among(("spam",))), ("!=spam", Among(("spam",), negated=True))],
        "spam",
        "ham",
    ),
    Between: (
        "amount",
        [("1..2.5", Between(((10**6, 2_500_000),))), ("not in 1..2.5", Between(((None, 999_999), (2_500_001, None))))],
        2.5,
        2.500001,
    ),
    Is: ("vip", [("是", Is(True)), ("!=true", Is(False))], True, False),
    Within: (
        "due",
        [
            ("within last 3 days", Within(3, None)),
            ("not within last 3 days", Within(3, None, negated=True)),
        ],
        "2024-10-01",
        "2024-09-30",
    ),
    Empty: ("city", [("empty", Empty()), ("非空", Empty(negated=True))], None, "北京"),
}  # fmt: skip
CASES = [(fact, cell, test, held, not_held) for fact, cells, held, not_held in READ.values() for cell, test in cells]
DATA = (*(test for _, _, test, _, _ in CASES), Then("model"), Condition("p", Is(True), "是"))
RULE = Rule("r", 2, (Condition("vip", Is(True), "是"),), Then("review", "legal"))
LIST = WordList("词", ("退",), "退\n".encode())


def test_the_set_of_tests_is_closed_and_none_is_forgotten_here() -> None:
    """A new class is a test or one of the four nouns; a new test needs a reading and a place: an entry in READ."""
    classes = {each for each in vars(module).values() if isinstance(each, type) and each.__module__ == module.__name__}
    assert classes - {Condition, Then, Rule, WordList} == set(get_args(Test)) == set(READ)
    assert all(is_dataclass(each) for each in classes)


@pytest.mark.parametrize(("fact", "cell", "test"), [case[:3] for case in CASES], ids=[case[1] for case in CASES])
def test_every_test_is_read_from_a_cell(fact: str, cell: str, test: Test) -> None:
    lists = Lists(Path("r.csv"), SCHEMA)
    assert parse_cell(cell, fact, SCHEMA.kinds()[fact], SCHEMA, lists, "r.csv:2:1") == test


@pytest.mark.parametrize(("fact", "cell", "test", "held", "not_held"), CASES, ids=[case[1] for case in CASES])
def test_every_test_is_compiled_and_its_negation_turns_it(
    fact: str, cell: str, test: Test, held: Any, not_held: Any
) -> None:
    matcher = Matcher([Rule("r", 2, (Condition(fact, test, cell),), Then("review"))], SCHEMA, {})
    turned = test is not READ[type(test)][1][0][1]

    def first(value: Any) -> Match | None:
        facts: dict[str, Any] = {"label": "ham", "clock": "2024-10-04T12:00:00Z", "text": matcher.seen("")}
        facts["fields"] = dict.fromkeys(SCHEMA.fields)
        if fact == "text":
            facts["text"] = matcher.seen(value)
        else:
            (facts if fact == "label" else facts["fields"])[fact] = value
        return matcher.first(facts)

    assert (first(held), first(not_held)) == ((None, Match(0)) if turned else (Match(0), None))
    if fact in SCHEMA.fields and not isinstance(test, Empty):
        assert first(None) == Match(0, (fact,)), "without a value it is neither true nor false, negated or not"


@pytest.mark.parametrize("each", [*DATA, RULE, LIST], ids=lambda each: type(each).__name__)
def test_it_is_frozen_and_equal_ones_have_one_place_in_a_set(each: Any) -> None:
    name = fields(each)[0].name
    with pytest.raises(FrozenInstanceError):
        setattr(each, name, getattr(each, name))
    assert len({each, replace(each)}) == 1


def test_conditions_are_equal_whatever_is_written_and_rules_with_them() -> None:
    one, other = Condition("vip", Is(True), "是"), Condition("vip", Is(True), "true")
    assert one == other and hash(one) == hash(other) and (one.written, other.written) == ("是", "true")
    assert one != Condition("vip", Is(False), "是") and one != Condition("new", Is(True), "是")
    assert replace(RULE, conditions=(other,)) == RULE
    assert Contains(("a",)) != Starts(("a",)), "tests of two classes are never equal"


CHANGED: dict[str, Any] = {"name": "s", "row": 3, "conditions": (), "then": Then("model"), "why": "x", "priority": 1}
CHANGED |= {"owner": "x", "valid_from": 0, "valid_to": 0}


def test_every_other_part_counts() -> None:
    assert set(CHANGED) == {each.name for each in fields(Rule)}
    assert all(replace(RULE, **{name: value}) != RULE for name, value in CHANGED.items())
    for test in (Contains(("a",)), Starts(("a",)), Matches("a"), Among(("a",)), Within(1, 2), Empty()):
        assert replace(test, negated=True) != test and not test.negated
    assert Contains(("a", "b"), every=True) != Contains(("a", "b")) and Within(None, 1) != Within(1, None)
    assert replace(LIST, raw=b"") != LIST and replace(LIST, words=()) != LIST
