"""`fmt`: every rules file that can be read is written in both languages as a file that is read as the same rules."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penjing.decide.condition import Rule
from penjing.decide.grid import to_csv
from penjing.decide.rules import read_rules
from penjing.decide.schema import FactSchema
from penjing.decide.table import RuleTable
from penjing.decide.write import write_cell, write_rules

SCHEMA = FactSchema(
    ("退款", "投诉", "in stock"),
    {
        "amount": "float", "age": "int", "city": "str", "channel": ("app", "包含 web"), "vip": "bool", "day": "date",
        "标签": "str", "priority": "int",
    },
)  # fmt: skip
WORDS = st.lists(
    st.sampled_from(["退款", "Refund", "ＶＩＰ", "a b", "全部", "不", "in", "=", "@敏感词"]), min_size=1, max_size=3
)
PLAIN = st.lists(st.sampled_from(["退款", "Refund", "ＶＩＰ", "a b", "x"]), min_size=2, max_size=3, unique=True)


def keyed(*pairs: tuple[str, st.SearchStrategy[list[str]]]) -> st.SearchStrategy[str]:
    """A keyword with words between bars."""
    return st.one_of(*(words.map(lambda each, key=key: f"{key} {'|'.join(each)}") for key, words in pairs))


def any_of(*cells: str) -> st.SearchStrategy[str]:
    return st.sampled_from(["", *cells])


TEXT = keyed(
    ("contains", WORDS), ("包含", WORDS), ("not contains", WORDS), ("不包含", WORDS), ("contains all", PLAIN),
    ("包含全部", PLAIN), ("不全包含", PLAIN), ("not contains all", PLAIN), ("starts", PLAIN), ("开头不是", PLAIN),
) | any_of("matches 退.{0,3}款|b+", "不匹配 ^a[0-9]", "包含退款", "开头是您好")  # fmt: skip
CELLS: dict[str, st.SearchStrategy[str]] = {
    "label": any_of("退款", "=退款", "不等于 投诉", "in stock", "in 退款|in stock", "不属于 退款", "not in 退款|投诉"),
    "p": any_of("<0.5", "≥ 0.5", "0.3..<0.7", "不等于 0.5", "属于 0.1|0.5..0.6", "=0.25", "not in 0.1..0.2"),
    "概率.投诉": any_of(">0.2", "＜０.９"),
    "text": TEXT,
    "文本": TEXT,
    "pii.mobile": any_of(">=1", "0", "!=0"),
    "amount": any_of("为空", "not empty", "-5..5", "!=1e3", "in 1|2.5"),
    "age": any_of(">3", "3<..<9", "等于 5"),
    "city": any_of(
        "上海", "=in x", "=为空", "!=北京", "empty", "非空", "in 上海|@敏感词", "contains 海", "不匹配 ^上", "=a|b"
    ),
    "channel": any_of("app", "包含 web", "in app|包含 web", "!=app", "为空"),
    "vip": any_of("是", "false", "!=true", "不等于 否", "y", "empty"),
    "day": any_of(
        "2026-01-05", "最近30天", "not within next 7 days", "30天内", "2026/1/1..<2026-02-01", "!=2026-01-05"
    ),
    "标签": any_of("vip", "contains x"),
    "priority": any_of(">3"),
    "规则优先级": any_of("7", "-3"),
    "owner": any_of("王", "a, b"),
    "valid_from": any_of("2026-01-01", "2026-01-01T12:00"),
    "失效日期": any_of("2026年2月1日", "2026-02-01T08:30:05"),
    "why": any_of('"quoted", why', "理由"),
}
THEN = st.sampled_from(["review", "转人工 法务", "outcome 退款", "结论 in stock", "model", "交给模型"])


@st.composite
def files(draw: st.DrawFn) -> list[list[str]]:
    columns = draw(st.lists(st.sampled_from(list(CELLS)), unique=True, max_size=8))
    rows = [
        [f"r{i}", *(draw(CELLS[column]) for column in columns), draw(THEN)]
        for i in range(draw(st.integers(min_value=0, max_value=4)))
    ]
    return [["名称", *columns, "then"], *rows]


def read(folder: Path, text: str) -> RuleTable:
    (folder / "words").mkdir(exist_ok=True)
    (folder / "words" / "敏感词.txt").write_text("律师\nＶＩＰ\n", encoding="utf-8")
    (folder / "r.csv").write_text(text, encoding="utf-8")
    return read_rules(folder / "r.csv", SCHEMA)


def unordered(rule: Rule) -> tuple[Rule, list[str]]:
    """A rule, and its conditions in an order that does not depend on the columns."""
    return replace(rule, conditions=()), sorted(f"{each.fact} {each.test}" for each in rule.conditions)


@settings(max_examples=150, deadline=None)
@given(lines=files())
def test_what_is_written_is_read_as_the_same_rules(lines: list[list[str]]) -> None:
    with TemporaryDirectory() as name:
        table = read(Path(name), to_csv(lines))
        for language in ("en", "zh"):
            text = write_rules(table, language)  # type: ignore[arg-type]
            again = read(Path(name), text)
            assert again.rules == table.rules and again.columns == table.columns
            assert write_rules(again, language) == text  # type: ignore[arg-type]
            whole = RuleTable(table.path, SCHEMA, table.rules, table.lists)
            other = read(Path(name), write_rules(whole, language))  # type: ignore[arg-type]
            assert list(map(unordered, other.rules)) == list(map(unordered, table.rules))


@pytest.mark.parametrize(
    ("fact", "written", "english", "chinese"),
    [
        ("text", "ｃｏｎｔａｉｎｓ　ＶＩＰ|退款", "contains ＶＩＰ|退款", "包含 ＶＩＰ|退款"),
        ("text", "不包含谢谢", "not contains 谢谢", "不包含 谢谢"),
        ("text", "contains all all in", "contains all all in", "包含全部 all in"),
        ("label", "不等于 退款", "!=退款", "不等于 退款"),
        ("label", "in stock", "in stock", "in stock"),
        ("city", "=为空", "=为空", "等于 为空"),
        ("p", "≤ 0.5", "<= 0.5", "<= 0.5"),
        ("p", "等于 0.5", "0.5", "0.5"),
        ("day", "最近 30 天", "within last 30 days", "最近30天"),
        ("vip", "!=是", "!=true", "不等于 是"),
        ("amount", "非空", "not empty", "不为空"),
    ],
)
def test_keywords_change_and_words_stay(fact: str, written: str, english: str, chinese: str) -> None:
    kind = SCHEMA.kinds()[fact]
    assert write_cell(written, fact, kind, SCHEMA, "en") == english
    assert write_cell(written, fact, kind, SCHEMA, "zh") == chinese
