"""Headers and keywords: each form in both languages means one thing, and a declared field keeps its name."""

from __future__ import annotations

import pytest

from penjing.core.chinese import read_tables
from penjing.decide.keywords import (
    COLUMNS,
    COMPARISONS,
    ENDS,
    FACTS,
    Form,
    Spellings,
    column_of,
    end_in,
    fact_in,
    header_of,
    special_of,
    split_form,
)

KINDS = {"label": 0, "p": 0, "p.退款": 0, "text": 0, "pii.ip": 0, "amount": 0}


@pytest.mark.parametrize("table", [COMPARISONS, {**COLUMNS, **FACTS}])
def test_no_form_means_two_things(table: dict[str, Spellings]) -> None:
    forms = [form for words in table.values() for form in (*words.en, *words.zh)]
    assert len(forms) == len(set(forms))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_keyword_is_read_as_it_is_written(language: str) -> None:
    for key, words in COMPARISONS.items():
        for form in words.zh if language == "zh" else words.en:
            assert split_form(f"{form} x") == Form(key, "x")
            assert split_form(form.upper() + "  x") == Form(key, "x")
    for column in (*COLUMNS, "label", "p", "p.退款", "text", "pii.ip", "amount"):
        assert column_of(header_of(column, language, ("amount",)), KINDS) == column  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("ＮＡＭＥ", "name"),
        ("Rule Name", "name"),
        ("概率.退款", "p.退款"),
        ("概率 . 退款", "p.退款"),
        ("概率.投诉", None),
        ("脱敏.ip地址", "pii.ip"),
        ("数值", None),
        ("AMOUNT", "amount"),
        ("nothing", None),
    ],
)
def test_headers_in_any_width_and_case(header: str, column: str | None) -> None:
    assert column_of(header, KINDS) == column


def test_a_field_is_never_headed_as_something_else() -> None:
    facts = {**KINDS, "标签": 0, "priority": 0}
    assert column_of("标签", facts) == "标签" and special_of("priority", facts) == ""
    assert header_of("label", "zh", ("标签",)) == "label" and header_of("标签", "zh", ("标签",)) == "标签"
    assert column_of("规则优先级", facts) == "rule priority" and special_of("rule priority", facts) == "priority"
    assert header_of("rule priority", "en", ("priority",)) == "rule priority"
    assert header_of("rule priority", "zh", ("priority",)) == "优先级"


@pytest.mark.parametrize(
    ("written", "joined", "form"),
    [
        ("containsx", True, Form("", "containsx")),
        ("包含x", False, Form("", "包含x")),
        ("包含x", True, Form("contains", "x")),
        ("不包含 x", False, Form("not contains", "x")),
        ("==x", False, Form("", "==x")),
        ("=<5", False, Form("", "=<5")),
        ("!=ＶＩＰ", False, Form("!=", "ＶＩＰ")),
        ("in stock", False, Form("in", "stock")),
        ("inside", False, Form("", "inside")),
        ("非空", False, Form("not empty", "")),
    ],
)
def test_a_cell_begins_with_its_comparison(written: str, joined: bool, form: Form) -> None:
    assert split_form(written, joined=joined) == form


def test_labels_that_differ_by_case_only_keep_their_own_probability() -> None:
    facts = {"p.A": "unit", "p.a": "unit"}
    headers = ("概率.A", "概率.a", "p.A", "概率．A")
    assert [column_of(header, facts) for header in headers] == [
        "p.A",
        "p.a",
        "p.A",
        "p.A",
    ]
    assert column_of("概率. A ", {"p.A": "unit"}) == "p.A"


def test_facts_and_ends_are_named_in_a_language() -> None:
    assert [fact_in(fact, "zh") for fact in ("label", "p.退款", "pii.ip", "amount")] == [
        "标签",
        "概率.退款",
        "脱敏.IP地址",
        "amount",
    ]
    assert fact_in("p.退款", "en") == "p.退款"
    assert [end_in(end, "zh") for end in ("review", "review 隐私", "outcome a b", "model")] == [
        "转人工",
        "转人工 隐私",
        "结论 a b",
        "交给模型",
    ]
    assert end_in("outcome a b", "en") == "outcome a b"


def test_the_messages_in_chinese_name_facts_columns_and_ends_as_the_files_do() -> None:
    tables = {name: {e: f for section, e, f in read_tables() if section == name} for name in ("facts", "ends")}
    assert {name: words.zh[0] for name, words in (*FACTS.items(), *COLUMNS.items())} == {
        name: form for name, form in tables["facts"].items() if name not in ("p.", "clock")
    }
    assert {name.strip(): form.strip() for name, form in tables["ends"].items()} == {
        name: words.zh[0] for name, words in ENDS.items()
    }
