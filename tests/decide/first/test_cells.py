"""Sealed cells: every operator in half and full width, and what cannot be read."""

from __future__ import annotations

import re

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
        ("label", "spma", "unknown label 'spma'"),
        ("label", "in ham|spma", "unknown label 'spma'"),
        ("label", "ham|spam", "holds a bar"),
        ("label", "<3", "needs a number, and `label` is not one"),
        ("label", "=", "a value is missing after `=`"),
        ("label", "in ham||spam", "between two bars is empty"),
        ("channel", "fax", "unknown value 'fax'"),
        ("day", ">monday", "'monday' is not a date"),
        ("day", "05/01/2026", "is not a date"),
        ("vip", "maybe", "neither true nor false"),
        ("p", "50%", "is not a number"),
        ("p", "<", "is not a number"),
        ("p", "nan", "is not a number"),
        ("p", "<1e999999", "is not a number"),
        ("amount", ">1e13", "is not a number that can be compared"),
        ("text", "退款", "compared with `contains` only"),
        ("text", "contains", "compared with `contains` only"),
        ("text", "contains a\ud800", "lone surrogate"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_column(fact: str, written: str, words: str) -> None:
    with pytest.raises(RuleError, match=re.escape(words)) as raised:
        cell(written, fact)
    # Nobody can correct a sealed file, so no other form is offered.
    assert raised.value.where == f"rules.csv:2:3 (column `{fact}`)"
    assert raised.value.fix == "make the release again"


@pytest.mark.parametrize(
    ("fact", "written", "test"),
    [
        ("text", "contains 律师、法院", Contains(("律师、法院",))),
        ("text", 'contains "工商局"', Contains(('"工商局"',))),
        ("city", "!=北京", Among(("!=北京",))),
        ("city", "广州,深圳", Among(("广州,深圳",))),
        ("city", "not 北京", Among(("not 北京",))),
    ],
)
def test_cells_of_another_syntax_keep_the_meaning_that_was_sealed(fact: str, written: str, test: Test) -> None:
    assert cell(written, fact) == test
