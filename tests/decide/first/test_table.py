"""A table in memory: the first row that holds decides, and it says which fields it needed and was not given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from penjing.decide.first.reader import read_rules
from penjing.decide.first.table import RuleTable
from penjing.decide.schema import FactSchema

SCHEMA = FactSchema(("ham", "spam"), {"amount": "float", "channel": ("app", "web")})


def load(folder: Path, text: str) -> RuleTable:
    (folder / "r.csv").write_text(text, encoding="utf-8")
    return read_rules(folder / "r.csv", SCHEMA)


def facts(table: RuleTable, text: str = "", label: str = "ham", **fields: Any) -> dict[str, Any]:
    given = {name: fields.get(name) for name in SCHEMA.fields}
    return {"label": label, "fields": given, "contains": table.contained(text)}


def name_of(table: RuleTable, case: dict[str, Any]) -> str | None:
    found = table.first(case)
    return None if found is None else found[0].name


def test_the_first_row_that_holds_decides(tmp_path: Path) -> None:
    text = "name,label,amount,then\nsmall,,<10,review\nspam,spam,,outcome spam\nlarge,,>1000,review\n"
    table = load(tmp_path, text)
    assert name_of(table, facts(table, label="spam", amount=5.0)) == "small"
    assert name_of(table, facts(table, label="spam", amount=5000.0)) == "spam"
    assert name_of(table, facts(table, label="ham", amount=5000.0)) == "large"
    assert name_of(table, facts(table, label="ham", amount=500.0)) is None


def test_two_columns_of_text_must_both_hold(tmp_path: Path) -> None:
    table = load(tmp_path, "name,text,text,then\na,contains x,contains y,review\n")
    assert name_of(table, facts(table, "x alone")) is None
    assert name_of(table, facts(table, "y and x")) == "a"


def test_a_field_that_is_missing_may_be_anything_and_is_named(tmp_path: Path) -> None:
    table = load(tmp_path, "name,label,amount,channel,then\na,ham,>10,app,review\n")
    for given, absent in (
        ({}, ("amount", "channel")),
        ({"amount": 11.0}, ("channel",)),
        ({"channel": "app"}, ("amount",)),
    ):
        found = table.first(facts(table, **given))
        assert found is not None and found[1] == absent
    assert table.first(facts(table, amount=11.0, channel="app")) == (table.rules[0], ())
    assert table.first(facts(table, amount=9.0)) is None
    assert table.first(facts(table, label="spam")) is None


def test_phrases_are_found_whatever_their_case_and_named_once(tmp_path: Path) -> None:
    table = load(tmp_path, "name,text,then\na,contains Refund|退款,review\nb,contains 投诉|急,review\n")
    assert table.phrases == ("refund", "急", "投诉", "退款")
    assert table.contained("我要 REFUND，急！") == {"refund": True, "急": True, "投诉": False, "退款": False}


def test_a_table_without_rules_decides_nothing() -> None:
    table = RuleTable(SCHEMA, ())
    assert table.first({}) is None and table.phrases == () and table.contained("text") == {}
