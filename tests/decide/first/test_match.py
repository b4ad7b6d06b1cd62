"""The compiled expression against a plain reading of the same cells, on random tables and facts."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from penjing.decide.first.cells import parse_cell
from penjing.decide.first.match import Matcher
from penjing.decide.first.table import Condition, Rule, RuleTable
from penjing.decide.schema import FactSchema

SCHEMA = FactSchema(("neg", "pos", "no'\"quote`"), {"amount": "float", "age": "int", "e": ("a", "b"), "s": "str"})
PHRASES = ("退", "退款", "急")
Predicate = Callable[[dict[str, Any]], bool]
Cell = tuple[str, str, Predicate]


def numbers(fact: str, values: list[float], get: Callable[[dict[str, Any]], float]) -> st.SearchStrategy[Cell]:
    def cell(sign: str, bound: float, width: float) -> Cell:
        holds: dict[str, Callable[[float], bool]] = {
            "<": lambda x: x < bound,
            "<=": lambda x: x <= bound,
            "≤": lambda x: x <= bound,
            ">": lambda x: x > bound,
            "≥": lambda x: x >= bound,
            "＝": lambda x: x == bound,
            "..": lambda x: bound <= x <= round(bound + width, 6),
            "in ": lambda x: x in (bound, round(bound + width, 6)),
        }
        top = round(bound + width, 6)
        written = {"..": f"{bound}..{top}", "in ": f"in {bound}|{top}"}.get(sign, f"{sign}{bound}")
        return fact, written, lambda facts: holds[sign](get(facts))

    signs = ["<", "<=", "≤", ">", "≥", "＝", "..", "in "]
    return st.builds(cell, st.sampled_from(signs), st.sampled_from(values), st.sampled_from([0, 1]))


def words(fact: str, values: tuple[str, ...], get: Callable[[dict[str, Any]], str]) -> st.SearchStrategy[Cell]:
    some = st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True)
    return some.map(lambda chosen: (fact, "in " + "|".join(chosen), lambda facts: get(facts) in chosen))


def phrases() -> st.SearchStrategy[Cell]:
    some = st.lists(st.sampled_from(PHRASES), min_size=1, max_size=2, unique=True)
    return some.map(
        lambda chosen: (
            "text",
            "contains " + "|".join(chosen),
            lambda facts: any(facts["contains"][each] for each in chosen),
        )
    )


CELLS = st.one_of(
    numbers("p", [0.4, 0.5, 0.6, 0.9], lambda facts: facts["p"]).filter(
        lambda cell: not re.search(r"\b1\.[1-9]", cell[1])
    ),
    numbers("amount", [-1.5, 0, 0.000001, 999999999999.12], lambda facts: facts["fields"]["amount"]).filter(
        lambda cell: "1000000000000" not in cell[1]
    ),
    numbers("age", [17, 18, 9007199254740990], lambda facts: facts["fields"]["age"]),
    numbers("pii.mobile", [1, 2], lambda facts: facts["pii"]["mobile"]),
    words("label", SCHEMA.labels, lambda facts: facts["label"]),
    words("e", ("a", "b"), lambda facts: facts["fields"]["e"]),
    words("s", ("x", "y 'z\" \\"), lambda facts: facts["fields"]["s"]),
    phrases(),
)
ROWS = st.lists(st.lists(CELLS, max_size=3, unique_by=lambda cell: cell[0]), min_size=1, max_size=6)
TEXTS = ("", "退", "退款", "急", "退。急", "退款。急")
FACTS = st.builds(
    lambda label, p, amount, age, e, s, mobile, text: {
        "label": label,
        "p": p,
        "margin": 0.1,
        "too_long": False,
        "pii": {"mobile": mobile},
        "fields": {"amount": amount, "age": age, "e": e, "s": s},
        "contains": {phrase: phrase in text for phrase in PHRASES},
    },
    st.sampled_from(SCHEMA.labels),
    st.sampled_from([0.333333, 0.4, 0.499999, 0.5, 0.500001, 0.6, 0.9, 1.0]),
    st.sampled_from([-1.5, -1e-6, 0.0, 1e-6, 2e-6, 999999999999.12, 999999999999.13]),
    st.sampled_from([-1, 17, 18, 19, 9007199254740989, 9007199254740990, 9007199254740991]),
    st.sampled_from(["a", "b"]),
    st.sampled_from(["x", "y 'z\" \\", "other"]),
    st.integers(0, 4),
    st.sampled_from(TEXTS),
)


def table_of(rows: list[list[Cell]]) -> RuleTable:
    kinds = SCHEMA.kinds()
    rules = []
    for i, row in enumerate(rows):
        conditions = []
        for fact, written, _ in row:
            test = parse_cell(written, fact, kinds[fact], SCHEMA, "r")
            assert test is not None
            conditions.append(Condition(fact, test))
        rules.append(Rule(f"r{i}", tuple(conditions), None))
    return RuleTable(SCHEMA, tuple(rules))


@settings(max_examples=150, deadline=None)
@given(rows=ROWS, cases=st.lists(FACTS, min_size=1, max_size=20))
def test_agrees_with_a_plain_reading(rows: list[list[Cell]], cases: list[dict[str, Any]]) -> None:
    matcher = table_of(rows).matcher
    for facts in cases:
        held = [all(predicate(facts) for _, _, predicate in row) for row in rows]
        assert matcher.first(facts) == (held.index(True) if True in held else None), matcher.source


def test_no_word_of_a_rule_or_a_request_enters_the_expression() -> None:
    table = table_of([[("label", "no'\"quote`", lambda _: True), ("s", "y 'z\" \\", lambda _: True)]])
    assert table.matcher.source == "[((nf0 or f0 in [0]) and (nf1 or f1 in [0]))]"


def test_a_row_without_conditions_always_holds() -> None:
    assert Matcher([[]], ()).first({}) == 0
    assert Matcher([], ()).first({}) is None


def test_a_thousand_rows_in_one_expression() -> None:
    rows: list[list[Cell]] = [[("p", f">=0.{9999 - i:04d}", lambda _: True)] for i in range(1000)]
    assert table_of(rows).matcher.first({"p": 0.90005}) == 999
