"""Why a row decides: the same engine says of each condition whether it holds."""

from __future__ import annotations

from pathlib import Path

from penjing.decide.rule_cases import RuleRunner
from penjing.decide.rules import read_rules
from penjing.decide.schema import FactSchema
from penjing.decide.why import Why, shown

SCHEMA = FactSchema(("a", "b"), {"amount": "float", "vip": "bool"})


def test_every_row_above_has_a_condition_that_does_not_hold(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text(
        "name,label,text,amount,vip,then,valid_from\n"
        "one,a,contains x,,,review,\n"
        "two,b,,>5,,review,\n"
        "three,a,not contains y,,,review,\n"
        "later,a,,,,review,2030-01-01\n"
        "four,a,contains y,<=5,true,outcome b,\n"
        "five,,,,,review,\n",
        encoding="utf-8",
    )
    runner = RuleRunner(read_rules(tmp_path / "r.csv", SCHEMA))
    case = runner.read({"label": "a", "text": "y!", "amount": "5"}, "2026-01-05", "c.csv:2")
    ruled = runner.decide(case)
    rows = list(Why(runner).rows(case, ruled))
    assert ruled.rule is not None and ruled.absent == ("vip",)
    assert [(row.rule.name, row.stands, [each.fact for each in row.false]) for row in rows] == [
        ("one", True, ["text"]),
        ("two", True, ["label", "amount"]),
        ("three", True, ["text"]),
        ("later", False, []),
        ("four", True, []),
    ]
    assert [answer for _, answer in rows[-1].answers] == ["true", "true", "true", "unknown"]
    assert [shown(fact, case.facts) for fact in ("text", "label", "amount", "vip")] == ["y", "a", "5.0", ""]
