"""The last word on hints: no form that is offered has a comparison or a negation among its words, none is inverted."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from penjing.decide.examine import examine_rules
from penjing.decide.plainly import is_unsafe, plain_hint
from penjing.decide.schema import FactSchema

SCHEMA = FactSchema(labels=("ham", "spam"), fields={"city": "str"})
SEVERAL = "write the words alone behind `contains`, `not contains`, `contains all` or `starts`, a column for each"
VALUES = "write the values alone behind `=`, `!=`, `in` or `not in`: `in a|b`"


def advice(folder: Path, column: str, cell: str) -> str:
    with (folder / "r.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["name", column, "then"], ["a", cell, "review"]])
    _, faults, _ = examine_rules(folder / "r.csv", SCHEMA)
    assert faults, f"{cell!r} was read"
    return faults[0].fix or ""


@pytest.mark.parametrize(
    ("column", "cell", "fix"),
    [
        ("text", "not like 退款%", "write `开头不是 退款`"),
        ("text", "!like refund%", "write `not starts refund`"),
        ("text", "<>退款*", "write `开头不是 退款`"),
        ("text", "!包含 退款", "write `不包含 退款`"),
        ("text", "not 包含 退款", "write `不包含 退款`"),
        ("text", "不是 包含 退款", "write `不包含 退款`"),
        ("text", "LIKE refund%", "write `starts refund`"),
        ("text", "not like %refund", "write `not matches refund$`"),
        ("text", "NOT 退款 AND NOT 律师", SEVERAL),
        ("text", "不包含退款但包含律师", SEVERAL),
        ("text", "contains 退款 but not 律师", SEVERAL),
        ("text", "contains at least 2 of a|b", SEVERAL),
        ("text", "不包含：退款", "write `不包含 退款`"),
        ("city", "!属于 北京", "write `!=北京`"),
        ("city", "!in a|b", "write `not in a|b`"),
        ("city", "!=北京 and !=上海", VALUES),
        ("city", "!=北京, !=上海", VALUES),
        ("city", '!="北京"', "write `!=北京`"),
        ("city", "not in 北*", VALUES),
        ("city", '!=""', "write `not empty`"),
        ("city", "!empty", "write `not empty`"),
    ],
)
def test_a_mixed_cell_gets_the_form_that_it_means_or_none(tmp_path: Path, column: str, cell: str, fix: str) -> None:
    assert advice(tmp_path, column, cell) == fix


def test_an_even_number_of_negations_is_none() -> None:
    assert plain_hint("not not like 退款%", True, "en") == "write `starts 退款`"


@pytest.mark.parametrize("fix", ["write `starts not like x`", "write `not in in a`", "write `不包含 包含 x`"])
def test_words_that_begin_with_a_comparison_are_seen(fix: str) -> None:
    assert is_unsafe(fix)


@pytest.mark.parametrize(
    "fix", ["write `contains 不满意`", "write `in 无锡|非洲`; `=not x` means exactly that", "write `!=island`"]
)
def test_words_that_only_look_like_one_are_left(fix: str) -> None:
    assert not is_unsafe(fix)
