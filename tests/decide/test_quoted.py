"""Rules about words and numbers of pieces: the engine and the check agree with trying every case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.decide.brute import Axis, Brute

from penjing.core.errors import RequestError, RuleError
from penjing.decide.check import check
from penjing.decide.condition import Among, Between, Condition, Contains, Empty, Rule, Starts, Test, Then, WordList
from penjing.decide.match import Matcher
from penjing.decide.rule_cases import RuleRunner
from penjing.decide.rules import read_rules
from penjing.decide.schema import MICRO, FactSchema
from penjing.decide.table import RuleTable

SCHEMA = FactSchema((), other={"type": "tag", "types": ["sum", "firm"]})
FIRM, FIRMS = "entity.firm.text", "entity.firm.count"
LEAST, MOST, SUMS = "entity.sum.min", "entity.sum.max", "entity.sum.count"
LISTS = {"L": ("acme", "bolt")}
ENDS = (Then("review"), Then("review", "money"), Then("model"))
NUMBERS = (None, 0, 2 * MICRO, 5 * MICRO, 9 * MICRO)
TEXTS = ("acme", "bolt", "acme bolt", "acme x", "x bolt", "x")
# Every count, word and number that can come together.
FIRM_AXIS = Axis((FIRMS, FIRM), ((0, None), *((count, word) for count in (1, 2) for word in TEXTS)))
SUM_AXIS = Axis(
    (SUMS, LEAST, MOST),
    (
        (0, None, None),
        *((count, None, None) for count in (1, 2)),
        *(
            (count, low, high)
            for count in (1, 2)
            for low, high in product(NUMBERS[1:], repeat=2)
            if low is not None and high is not None and low <= high
        ),
    ),
)


def _between(low: int | None, high: int | None) -> Between:
    return Between(((None if low is None else low * MICRO, None if high is None else high * MICRO),))


COUNTS = (Between(((0, 0),)), Between(((1, None),)), Between(((2, 2),)))
WORDS: tuple[Test, ...] = (
    Among(("acme",)),
    Among(("acme",), negated=True),
    Among((), ("L",)),
    Contains(("bolt",)),
    Contains(("bolt",), negated=True),
    Starts(("acme",)),
    Empty(),
    Empty(negated=True),
)
VALUES: tuple[Test, ...] = (
    _between(2, None),
    _between(None, 2),
    _between(5, 5),
    Between(((None, 5 * MICRO - 1), (5 * MICRO + 1, None))),
    Empty(),
)
CONDITIONS = [
    (fact, test)
    for fact, tests in ((FIRMS, COUNTS), (FIRM, WORDS), (SUMS, COUNTS), (LEAST, VALUES), (MOST, VALUES))
    for test in tests
]
ROWS = st.lists(
    st.tuples(st.lists(st.sampled_from(CONDITIONS), min_size=1, max_size=3), st.sampled_from(ENDS)),
    min_size=1,
    max_size=4,
)


def table(rows: Sequence[tuple[Sequence[tuple[str, Test]], Then]]) -> RuleTable:
    rules = tuple(
        Rule(f"r{place}", place + 2, tuple(Condition(*each, "…") for each in tests), then)
        for place, (tests, then) in enumerate(rows)
    )
    return RuleTable("r.csv", SCHEMA, rules, {name: WordList(name, words, b"") for name, words in LISTS.items()})


def recorded(matcher: Matcher, case: dict[str, Any]) -> dict[str, Any]:
    """A case as a decision records it."""
    values = dict.fromkeys(SCHEMA.quoted) | {
        fact: value / MICRO if fact in (LEAST, MOST) and value is not None else value
        for fact, value in case.items()
        if fact in SCHEMA.quoted
    }
    counts = {fact: value for fact, value in case.items() if fact not in SCHEMA.quoted}
    return {**counts, **matcher.quoted(values), "fields": {}, "text": {}}


@given(ROWS)
@settings(max_examples=150, deadline=None)
def test_engine_and_check_agree_with_every_case(rows: list[tuple[list[tuple[str, Test]], Then]]) -> None:
    made = table(rows)
    axes = (FIRM_AXIS, SUM_AXIS)
    brute = Brute(axes, made.rules, LISTS, tuple(SCHEMA.quoted))
    _engine_agrees(made, brute, axes)
    found = check(made)
    assert not [each for each in found if each.kind == "undecided"]
    fired = [bool((brute.true[i] & ~brute.before(i)).any()) for i in range(len(made.rules))]
    wrong = {
        each.rows[1] if each.kind == "contradiction" else each.rows[0]: each for each in found if each.level == "error"
    }
    assert set(wrong) == {row + 2 for row, fires in enumerate(fired) if not fires}
    for number, error in wrong.items():
        assert (error.kind == "impossible") == (not brute.true[number - 2].any())
    covered = [each for each in found if each.kind == "gap" and each.what.startswith("the rules cover every case")]
    assert bool(covered) == (not (~brute.before(len(made.rules))).any())


def _engine_agrees(made: RuleTable, brute: Brute, axes: Sequence[Axis]) -> None:
    matcher = Matcher(made.rules, SCHEMA, made.lists)
    for places in product(*(range(len(axis.values)) for axis in axes)):
        case: dict[str, Any] = {}
        for axis, place in zip(axes, places, strict=True):
            case |= dict(zip(axis.facts, axis.values[place], strict=True))
        first = next((row for row, true in enumerate(brute.true) if true[places]), None)
        found = matcher.first(recorded(matcher, case))
        assert (None if found is None else found.place) == first, case


def test_a_record_has_no_word_and_no_number_that_the_rules_do_not_name() -> None:
    made = table(
        [([(FIRM, Among(("acme",))), (MOST, _between(5, None))], ENDS[0]), ([(MOST, _between(None, 1))], ENDS[1])]
    )
    matcher = made.matcher
    values = dict.fromkeys(SCHEMA.quoted) | {FIRM: "Mrs Doe", MOST: 7.25, LEAST: 7.25}
    assert matcher.quoted(values) == {FIRM: {}, MOST: {"from": "5"}}
    assert matcher.quoted(values | {FIRM: "ＡCME", MOST: 3.0}) == {
        FIRM: {"values": ["acme"]}, MOST: {"from": "1.000001", "below": "5"},
    }  # fmt: skip
    assert matcher.quoted(dict.fromkeys(SCHEMA.quoted)) == {FIRM: None, MOST: None}


def test_the_text_of_a_case_file_may_be_empty(tmp_path: Path) -> None:
    file = tmp_path / "rules.csv"
    file.write_text(
        "name,entity.sum.max,entity.firm.text,then\nlarge,>=10000,not in @blocked,review\n", encoding="utf-8"
    )
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "blocked.txt").write_text("Acme\n", encoding="utf-8")
    runner = RuleRunner(read_rules(file, SCHEMA))

    def decided(most: str, firm: str) -> str:
        case = runner.read({"entity.sum.max": most, "entity.firm.text": firm}, "2026-01-05", "row")
        return runner.decide(case).in_words()

    assert decided("12000", "Bolt") == "review"
    assert decided("12000", "acme") == decided("9999", "Bolt") == decided("", "Bolt") == decided("12000", "") == "model"
    with pytest.raises(RequestError, match="not a number"):
        decided("many", "Bolt")


def test_releases_with_older_facts_know_no_such_column(tmp_path: Path) -> None:
    file = tmp_path / "rules.csv"
    file.write_text("name,entity.firm.text,then\nacme,=Acme,review\n", encoding="utf-8")
    assert len(read_rules(file, SCHEMA).rules) == 1
    with pytest.raises(RuleError, match=r"entity\.firm\.text"):
        read_rules(file, replace(SCHEMA, quotes=False))


def test_what_can_never_be_is_said_with_the_reason(tmp_path: Path) -> None:
    file = tmp_path / "rules.csv"
    file.write_text(
        "name,entity.firm.count,entity.firm.text,entity.sum.min,entity.sum.max,then\n"
        "none,0,=Acme,,,review\nlow,,,>=5,<=2,review\n",
        encoding="utf-8",
    )
    first, second = (each for each in check(read_rules(file, SCHEMA)) if each.level == "error")
    assert first.kind == second.kind == "impossible"
    assert "`entity.firm.text` is empty where `entity.firm.count` is 0" in str(first.fix)
    assert "it is always entity.sum.min <= entity.sum.max" in str(second.fix)
    assert np.all([each.rows for each in (first, second)] == [(2,), (3,)])


ENDS_OF = FactSchema(
    (), other={"type": "triples", "types": ["org", "place"], "classes": [[], [">buys"]], "reach": 1, "none": ""}
)
BUYS, HEAD, TYPE = "relation.buys.count", "relation.buys.head.text", "relation.buys.head.type"
ENDS_AXIS = Axis(
    (BUYS, HEAD, TYPE),
    ((0, None, None), *((count, word, kind) for count in (1, 2) for word in TEXTS for kind in ("org", "place"))),
)
TYPES: tuple[Test, ...] = (
    Among(("org",)),
    Among(("org",), negated=True),
    Among(("org", "place")),
    Empty(),
    Empty(negated=True),
)
OF_ENDS = [
    (fact, test) for fact, tests in ((BUYS, COUNTS), (HEAD, WORDS), (TYPE, TYPES)) for test in tests
]  # fmt: skip


@given(
    st.lists(
        st.tuples(st.lists(st.sampled_from(OF_ENDS), min_size=1, max_size=3), st.sampled_from(ENDS)),
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=100, deadline=None)
def test_the_ends_of_relations_agree_with_every_case(rows: list[tuple[list[tuple[str, Test]], Then]]) -> None:
    made = replace(table(rows), schema=ENDS_OF)
    brute = Brute((ENDS_AXIS,), made.rules, LISTS, tuple(ENDS_OF.quoted))
    matcher = Matcher(made.rules, ENDS_OF, made.lists)
    for place, values in enumerate(ENDS_AXIS.values):
        case = dict(zip(ENDS_AXIS.facts, values, strict=True))
        quotes = matcher.quoted(dict.fromkeys(ENDS_OF.quoted) | {HEAD: case[HEAD], TYPE: case[TYPE]})
        found = matcher.first({BUYS: case[BUYS], **quotes, "fields": {}, "text": {}})
        assert (None if found is None else found.place) == next((r for r, t in enumerate(brute.true) if t[place]), None)
    found = check(made)
    assert not [each for each in found if each.kind == "undecided"]
    fired = [bool((brute.true[i] & ~brute.before(i)).any()) for i in range(len(made.rules))]
    wrong = {each.rows[1] if each.kind == "contradiction" else each.rows[0] for each in found if each.level == "error"}
    assert wrong == {row + 2 for row, fires in enumerate(fired) if not fires}


@pytest.mark.parametrize(
    ("other", "fact"),
    [
        ({"type": "relate", "labels": ["buys", "none"], "none": "none"}, "head.text"),
        ({"type": "relate", "labels": ["buys", "none"], "none": "none"}, "tail.text"),
        ({"type": "match", "labels": ["no", "yes"], "symmetric": True}, "other.text"),
    ],
)
def test_the_further_texts_of_a_case_are_facts_that_every_case_has(
    other: dict[str, Any], fact: str, tmp_path: Path
) -> None:
    schema = FactSchema((), other=other)
    file = tmp_path / "rules.csv"
    file.write_text(
        f"name,{fact},then\nacme,in Acme|Bolt,review\nrest,not in Acme|Bolt,model\nmore,Coda,review\n", "utf-8"
    )
    (error,) = (each for each in check(read_rules(file, schema)) if each.level == "error")
    assert error.rows[0] == 4, "the two rows above take every case, because no case lacks the text"
    file.write_text(f"name,{fact},then\nnone,empty,review\n", encoding="utf-8")
    with pytest.raises(RuleError, match="always has a value"):
        read_rules(file, schema)
    file.write_text(f"name,{fact},then\nacme,starts Acme,review\n", encoding="utf-8")
    runner = RuleRunner(read_rules(file, schema))
    assert runner.decide(runner.read({fact: "ACME Ltd"}, "2026-01-05", "row")).in_words() == "review"
    assert runner.decide(runner.read({fact: "Bolt"}, "2026-01-05", "row")).in_words() == "model"
    with pytest.raises(RequestError, match="has no value"):
        runner.read({fact: ""}, "2026-01-05", "row")
    with pytest.raises(RuleError, match=r"head|tail|other"):
        read_rules(file, replace(schema, quotes=False))


def test_a_type_that_the_task_does_not_know_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "rules.csv"
    file.write_text(f"name,{TYPE},then\nplaces,plce,review\n", encoding="utf-8")
    with pytest.raises(RuleError, match="place"):
        read_rules(file, ENDS_OF)
    file.write_text(f"name,{TYPE},then\nplaces,place,review\n", encoding="utf-8")
    runner = RuleRunner(read_rules(file, ENDS_OF))
    for written, end in (("place", "review"), ("org", "model"), ("", "model")):
        assert runner.decide(runner.read({TYPE: written}, "2026-01-05", "row")).in_words() == end
    with pytest.raises(RequestError, match="unknown value"):
        runner.read({TYPE: "firm"}, "2026-01-05", "row")
