"""Negations in a hundred wordings: none is taken for a value or a word, and no hint turns one into its opposite."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest

from penjing.core.errors import RuleError
from penjing.decide.cells import parse_cell
from penjing.decide.condition import Test
from penjing.decide.denials import known_in
from penjing.decide.foreign import refuse_foreign
from penjing.decide.schema import FactSchema
from penjing.decide.wordlists import Lists

SCHEMA = FactSchema(("ham", "spam", "满意", "不满意"), {"city": "str", "channel": ("app", "web", "phone")})
LISTS = Lists(Path("r.csv"), SCHEMA)
HOLD = [
    "not contains {}", "not contain {}", "does not contain {}", "doesn't contain {}", "don't contain {}",
    "do not contain {}", "不包含 {}", "不包含{}", "不含 {}", "不含{}", "没提到 {}", "未出现{}", "不得包含{}",
    "NOT {}", "!{}", "! {}", "!={}", "<>{}", "≠{}", "!== {}", "is not {}", "isn't {}", "not like '%{}%'",
    "NOT LIKE '%{}%'", "except {}", "other than {}", "除了{}", "除{}外", "不是 {}", "不是{}", "不等于 {}",
    "不等于{}", "不在{}中", "not in ({})", "not in {}", "NOT IN [{}]", "none of {}", "neither {}",
    "not equal to {}", "not has {}", "never {}", "cannot contain {}", "shouldn't contain {}",
    "must not contain {}", "不能有{}", "不可包含{}", "不属于 {}", "不属于{}", "排除 {}", "不为{}",
    "!contains {}", "does not include {}", "不包括{}", "未包含 {}", "not any of {}", "nor {}",
]  # fmt: skip
OPERANDS = {
    "text": ["退款", "退款|退货", "退款、退货", "refund", "退款 或 退货"],
    "city": ["北京", "北京|上海", "北京,上海", "Boston Mass"],
    "channel": ["app", "app|web", "app,web"],
    "label": ["spam", "ham|spam"],
}
CELLS = [(fact, form.format(words)) for fact, listed in OPERANDS.items() for form, words in product(HOLD, listed)]


def read(fact: str, written: str) -> Test | None:
    kind = SCHEMA.kinds()[fact]
    refuse_foreign(written, fact, kind, SCHEMA, "r.csv:2:3")
    return parse_cell(written, fact, kind, SCHEMA, LISTS, "r.csv:2:3")


def negated(test: Test | None) -> bool:
    return bool(getattr(test, "negated", False))


@pytest.mark.parametrize(("fact", "written"), CELLS)
def test_a_negation_is_read_or_refused_as_one(fact: str, written: str) -> None:
    try:
        test = read(fact, written)
    except RuleError as error:
        fix = (error.fix or "").partition("; `=")[0]
        forms = [each for each in re.findall(r"`([^`]+)`", fix) if each not in ("text", "all")]
        # The list of all comparisons, where the cell is none of them, begins with `contains 词1|词2`.
        assert forms and (all(negated(read(fact, form)) for form in forms) or "词1" in fix), error
    else:
        assert negated(test), f"{written} is read as {test}"


@pytest.mark.parametrize(
    ("written", "known", "found"),
    [
        ("非 spam", ("ham", "spam"), ["spam"]),
        ("anything but ham or spam", ("ham", "spam"), ["ham", "spam"]),
        ("spammy, not", ("ham", "spam"), []),
        ("spam", ("ham", "spam"), []),
        ("不满", ("满意", "不满意"), []),
        ("不是不满意", ("满意", "不满意"), ["不满意"]),
    ],
)
def test_known_values_that_are_denied(written: str, known: tuple[str, ...], found: list[str]) -> None:
    assert known_in(written, known) == found


def test_words_that_may_be_part_of_a_value_are_left_alone() -> None:
    for written in ("无锡", "非会员", "没有", "不详", "not urgent", "no problem", "Without Borders"):
        assert not negated(read("city", written))
    with pytest.raises(RuleError, match="no list of values") as raised:
        read("city", "无锡,上海")
    assert "`in 无锡|上海`" in (raised.value.fix or "") and "`not in 锡|上海`" in (raised.value.fix or "")
    with pytest.raises(RuleError, match="two meanings") as raised:
        read("text", "~退款")
    assert "`matches 退款`" in (raised.value.fix or "") and "`not matches 退款`" in (raised.value.fix or "")
    with pytest.raises(RuleError) as raised:
        read("text", "contains !退款、退货")
    assert "`not contains 退款|退货` where none of them may occur" in (raised.value.fix or "")
