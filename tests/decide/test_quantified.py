"""`any of`, `all of`, `任一`, `全部` and colons: refused with a form that is read, and that means the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from penjing.core.chinese import chinese, is_english
from penjing.core.errors import RuleError
from penjing.decide.cells import parse_cell
from penjing.decide.condition import Among, Between, Contains, Starts, Test
from penjing.decide.foreign import refuse_foreign
from penjing.decide.schema import FactSchema
from penjing.decide.wordlists import Lists

SCHEMA = FactSchema(labels=("退款", "投诉", "任一 其他"), fields={"city": "str", "amount": "int", "day": "date"})
CELLS = [
    ("text", "contains any refund|money", "contains refund|money"),
    ("text", "contains any 律师", "contains 律师"),
    ("text", "not contains any 律师", "not contains 律师"),
    ("text", "包含 any 律师", "包含 律师"),
    ("text", "starts either 律师", "starts 律师"),
    ("city", "in any 广州", "in 广州"),
    ("text", "contains any of refund|money", "contains refund|money"),
    ("text", "contains at least one of refund|money", "contains refund|money"),
    ("text", "contains either refund or money", "contains refund|money"),
    ("text", "contains all of refund|money", "contains all refund|money"),
    ("text", "contains all of refund", "contains refund"),
    ("text", "contains both refund and money", "contains all refund|money"),
    ("text", "not contains any of a|b", "not contains a|b"),
    ("text", "not contains all of a|b", "not contains all a|b"),
    ("text", "包含任一 退款|谢谢", "包含 退款|谢谢"),
    ("text", "包含任意 退款|谢谢", "包含 退款|谢谢"),
    ("text", "包含任何一个：退款|谢谢", "包含 退款|谢谢"),
    ("text", "包含任意一个退款|谢谢", "包含 退款|谢谢"),
    ("text", "包含其中之一 退款|谢谢", "包含 退款|谢谢"),
    ("text", "包含 全部 a|b", "包含全部 a|b"),
    ("text", "包含所有 a|b", "包含全部 a|b"),
    ("text", "包含所有 退款", "包含 退款"),
    ("text", "同时包含退款和谢谢", "包含全部 退款|谢谢"),
    ("text", "都不包含 退款|谢谢", "不包含 退款|谢谢"),
    ("text", "不包含任何 退款|谢谢", "不包含 退款|谢谢"),
    ("text", "任一 退款|谢谢", "包含 退款|谢谢"),
    ("text", "包含：退款", "包含 退款"),
    ("text", "不包含：退款", "不包含 退款"),
    ("text", "contains: refund", "contains refund"),
    ("text", "contains=refund", "contains refund"),
    ("text", "contains all: a|b", "contains all a|b"),
    ("text", "starts with: hello", "starts hello"),
    ("text", "开头是任一 您好|你好", "开头是 您好|你好"),
    ("text", "匹配：退.款", "匹配 退.款"),
    ("city", "in any of a|b", "in a|b"),
    ("city", "in: a|b", "in a|b"),
    ("city", "不属于任何 广州|深圳", "不属于 广州|深圳"),
    ("city", "等于：广州", "广州"),
    ("label", "属于任一 退款|投诉", "属于 退款|投诉"),
    ("label", "!=任一 退款|投诉", "not in 退款|投诉"),
    ("amount", "in any of 1|2", "in 1|2"),
    ("amount", "属于：1|2", "属于 1|2"),
    ("day", "属于任一 2026-01-01|2026-01-02", "属于 2026-01-01|2026-01-02"),
]
READ: list[tuple[str, str, Test]] = [
    ("text", "包含 全部退款|部分退款", Contains(("全部退款", "部分退款"))),
    ("text", "contains both sides", Contains(("both sides",))),
    ("text", "contains any refund", Contains(("any refund",))),
    ("text", "contains all all of it", Contains(("all of it",))),
    ("text", "contains :)", Contains((":)",))),
    ("text", "starts 所有", Starts(("所有",))),
    ("city", "=in any of a", Among(("in any of a",))),
    ("city", "=any 广州", Among(("any 广州",))),
    ("label", "任一 其他", Among(("任一 其他",))),
    ("label", "in 任一 其他|退款", Among(("任一 其他", "退款"))),
    ("amount", "in 1|2", Between(((1, 1), (2, 2)))),
]


def read(fact: str, cell: str) -> Test | None:
    kind = SCHEMA.kinds()[fact]
    refuse_foreign(cell, fact, kind, SCHEMA, "r.csv:2:3")
    return parse_cell(cell, fact, kind, SCHEMA, Lists(Path("r.csv"), SCHEMA), "r.csv:2:3")


@pytest.mark.parametrize(("fact", "cell", "right"), CELLS)
def test_the_form_that_means_the_same_is_offered_first_and_all_offers_are_read(
    fact: str, cell: str, right: str
) -> None:
    with pytest.raises(RuleError) as error:
        read(fact, cell)
    offered = re.findall("`([^`]+)`", error.value.fix or "")
    assert offered[0] == right
    assert all(read(fact, form) is not None for form in offered)
    assert not is_english(chinese(f"r.csv:2:3: {error.value.what} ({error.value.fix})"))


@pytest.mark.parametrize("cell", ["不包含全部 退款|谢谢", "不包含所有退款|谢谢"])
def test_a_denial_of_all_has_two_meanings_and_both_are_offered(cell: str) -> None:
    with pytest.raises(RuleError) as error:
        read("text", cell)
    assert re.findall("`([^`]+)`", error.value.fix or "") == ["不包含 退款|谢谢", "不全包含 退款|谢谢"]


@pytest.mark.parametrize(("fact", "cell", "test"), READ)
def test_phrases_and_known_values_are_read(fact: str, cell: str, test: Test) -> None:
    assert read(fact, cell) == test
