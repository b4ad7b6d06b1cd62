"""Cells: every operator in half and full width, and the words of every refusal."""

from __future__ import annotations

import pytest

from penjing.core.errors import RuleError
from penjing.decide.first.cells import Among, Between, Contains, Is, Test, parse_cell
from penjing.decide.schema import FactSchema

SCHEMA = FactSchema(
    labels=("ham", "spam", "in stock", "a|b"),
    fields={"amount": "float", "age": "int", "channel": ("app", "web"), "city": "str", "vip": "bool", "day": "date"},
)


def cell(written: str, fact: str) -> Test | None:
    return parse_cell(written, fact, SCHEMA.kinds()[fact], SCHEMA, "rules.csv:2:3")


@pytest.mark.parametrize(
    ("fact", "written", "test"),
    [
        ("label", "", None),
        ("label", "  　", None),
        ("label", "spam", Among(("spam",))),
        ("label", "=spam", Among(("spam",))),
        ("label", "＝ spam", Among(("spam",))),
        ("label", "in ham|spam", Among(("ham", "spam"))),
        ("label", "in ham｜spam", Among(("ham", "spam"))),
        ("label", "in stock", Among(("in stock",))),
        ("label", "=a|b", Among(("a|b",))),
        ("channel", "in web | app", Among(("web", "app"))),
        ("city", "上海", Among(("上海",))),
        ("vip", "是", Is(True)),
        ("vip", "= FALSE", Is(False)),
        ("too_long", "true", Is(True)),
        ("day", "1970-01-02", Between(((86_400, 172_799),))),
        ("day", "＝1970/1/2", Between(((86_400, 172_799),))),
        ("day", "<1970-01-02", Between(((None, 86_399),))),
        ("day", "<=1970-01-02", Between(((None, 172_799),))),
        ("day", "≥1970年1月2日", Between(((86_400, None),))),
        ("day", ">1970-01-02", Between(((172_800, None),))),
        ("day", "1970-01-01..1970-01-02", Between(((0, 172_799),))),
        ("day", "in 1970-01-01|1970-01-03", Between(((0, 86_399), (172_800, 259_199)))),
        ("day", "<1970-01-01T00:00:09", Between(((None, 8),))),
        ("p", "<0.5", Between(((None, 499_999),))),
        ("p", "＜0.5", Between(((None, 499_999),))),
        ("p", "<=0.5", Between(((None, 500_000),))),
        ("p", "≤ 0.5", Between(((None, 500_000),))),
        ("p", ">0.5", Between(((500_001, None),))),
        ("p", "≥0.5", Between(((500_000, None),))),
        ("p", ">=.5", Between(((500_000, None),))),
        ("p", "0.3..0.7", Between(((300_000, 700_000),))),
        ("p", "0.3 … 0.7", Between(((300_000, 700_000),))),
        ("p", "<0.12345678", Between(((None, 123_456),))),
        ("p", "=0.5", Between(((500_000, 500_000),))),
        ("amount", "-5..5", Between(((-5_000_000, 5_000_000),))),
        ("amount", "in 1|2.5", Between(((1_000_000, 1_000_000), (2_500_000, 2_500_000)))),
        ("age", ">17.5", Between(((18, None),))),
        ("age", "<18", Between(((None, 17),))),
        ("pii.id_card", ">=1", Between(((1, None),))),
        ("pii.id_card", "0", Between(((0, 0),))),
        ("text", "contains 退款", Contains(("退款",))),
        ("text", "contains 退款|Refund｜投诉", Contains(("退款", "refund", "投诉"))),
        ("text", "Contains a=b", Contains(("a=b",))),
    ],
)
def test_reads(fact: str, written: str, test: Test | None) -> None:
    assert cell(written, fact) == test


@pytest.mark.parametrize(
    ("fact", "written", "words"),
    [
        ("label", "spma", ["unknown label 'spma'", "did you mean `spam`?", "rules.csv:2:3", "column `label`"]),
        ("label", "in ham|spma", ["unknown label 'spma'"]),
        ("label", "ham|spam", ["holds a bar", "write `in ham|spam`"]),
        ("label", "<3", ["needs a number, and `label` is not one"]),
        ("label", "=", ["a value is missing after `=`"]),
        ("label", "in ham||spam", ["between two bars is empty"]),
        ("channel", "phone", ["unknown value 'phone'", "`app`, `web`"]),
        ("city", "13812345678", ["personal number (mobile)", "`pii.mobile`"]),
        ("day", ">monday", ["'monday' is not a date", "write `2026-01-05`"]),
        ("day", "05/01/2026", ["is not a date"]),
        ("day", "2026-02-01..2026-01-31", ["wrong order", "write `2026-01-31..2026-02-01`"]),
        ("vip", "maybe", ["neither true nor false"]),
        ("p", "50%", ["is not a number", "write 0.5 for 50 %"]),
        ("p", "high", ["'high' is not a number"]),
        ("p", "<", ["is not a number"]),
        ("p", "nan", ["is not a number"]),
        ("p", "<1e999999", ["is not a number"]),
        ("p", "0.7..0.3", ["wrong order", "`0.3..0.7`"]),
        ("p", ">1.5", ["always between 0 and 1"]),
        ("p", "<0", ["always between 0 and 1"]),
        ("p", "=0.1234567", ["no value of `p` can be"]),
        ("age", "=1.5", ["no value of `age` can be 1.5", "whole numbers"]),
        ("pii.mobile", "<0", ["always 0 or more"]),
        ("amount", ">1e13", ["is not a number that can be compared"]),
        ("text", "退款", ["compared with `contains` only", "write `contains 退款`"]),
        ("text", "contains", ["compared with `contains` only"]),
        ("text", "contains 拨打13812345678", ["personal number (mobile)"]),
        ("text", "contains a\ud800", ["lone surrogate"]),
    ],
)
def test_refuses(fact: str, written: str, words: list[str]) -> None:
    with pytest.raises(RuleError) as raised:
        cell(written, fact)
    for word in words:
        assert word in str(raised.value)


def test_refuses_more_values_than_can_be_checked() -> None:
    with pytest.raises(RuleError, match="201 values in one cell; at most 200"):
        cell("contains " + "|".join(f"w{i}" for i in range(201)), "text")
