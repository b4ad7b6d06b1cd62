"""The block on texts out of scope: shares with bounds, in both languages, and what is said where none are named."""

from __future__ import annotations

import html
from collections.abc import Callable

import pytest

from penjing.measure.evaluate import Interval
from penjing.prove.scope import Outside, ScopeTest
from penjing.report.contract import PageLanguage, Report
from penjing.report.page import render
from penjing.report.scope_part import scope_blocks

OTHER = Outside("forms", 40, Interval(0.953, 0.941, 0.964), Interval(0.21, 0.18, 0.25), Interval(0.475, 0.44, 0.51))
FOUND = ScopeTest(Interval(0.0121, 0.007, 0.02), 0.0145, 1452, (OTHER,))


def test_without_a_scope_there_is_no_block() -> None:
    assert scope_blocks(None, 100) == ()


def test_each_set_has_a_row_with_its_bounds() -> None:
    (block,) = scope_blocks(FOUND, 1649)
    assert block.rows == (
        ("test rows", 1649, "1.2% (0.7% – 2.0%)", "–", "–"),
        ("forms", 40, "47.5% (44.0% – 51.0%)", "0.953 (0.941 – 0.964)", "21.0% (18.0% – 25.0%)"),
    )
    assert "1,452 validation rows" in block.note["en"] and "1.45 %" in block.note["en"]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("Which texts are out of scope?", "test rows (in scope)", "Test rows, if 95 % are found")),
        ("zh", ("哪些文本超出范围？", "测试行（范围之内）", "找出 95% 时的测试行", "1,452 行验证数据", "1.45%")),
    ],
)
def test_the_page_has_it_in_its_language(
    language: PageLanguage, words: tuple[str, ...], sample: Callable[..., Report]
) -> None:
    page = html.unescape(render(sample(sections=scope_blocks(FOUND, 1649)), language=language))
    assert all(each in page for each in (*words, "forms", "0.953 (0.941 – 0.964)"))
    assert "column_" not in page and "scope out" not in page


def test_without_texts_from_outside_it_says_that_nothing_is_known() -> None:
    (block,) = scope_blocks(ScopeTest(FOUND.rejected, FOUND.asked, FOUND.rows), 10)
    assert "is not known" in block.note["en"] and "尚不知道" in block.note["zh"]
    (named,) = scope_blocks(FOUND, 10)
    assert "is not known" not in named.note["en"] and "尚不知道" not in named.note["zh"]
