"""The part on labels that are perhaps wrong: rows, files, labels left out, and a page without texts."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from penjing.data.doubts import Doubt, LabelDoubts
from penjing.report.contract import PageLanguage, Report
from penjing.report.doubts_part import SHOWN, doubts_context
from penjing.report.page import render
from penjing.report.phrases import words


def doubt(row: int, file: str = "a.csv") -> Doubt:
    return Doubt(file=file, row=row, text="很\n好", given="差评", suggested="好评", p=0.974, p_given=0.01)


@pytest.mark.parametrize(
    ("language", "share", "more"), [("en", "97.4\u00a0%", "The first 20"), ("zh", "97.4%", "前 20 行")]
)
def test_the_first_rows_are_shown(language: PageLanguage, share: str, more: str) -> None:
    found = LabelDoubts(looked=900, count=40, doubts=tuple(doubt(row) for row in range(2, 42)), left_out=("x", "y"))
    shown = doubts_context(found, words(language), language)
    assert len(shown["rows"]) == SHOWN and shown["rows"][0] == ("a.csv", 2, "差评", "好评", share, "很 好")
    assert "40" in shown["lead"] and "900" in shown["lead"] and more in shown["more"]
    assert shown["files"] is False and ("x, y" if language == "en" else "x、y") in shown["left_out"]


def test_rows_of_several_files_name_them() -> None:
    found = LabelDoubts(looked=900, count=2, doubts=(doubt(2), doubt(3, "b.csv")))
    shown = doubts_context(found, words("en"), "en")
    assert shown["files"] is True and shown["more"] == "" and shown["left_out"] == ""


def test_why_nothing_was_looked_for_is_said_in_the_language_of_the_page() -> None:
    found = LabelDoubts(skipped="fewer than 100 train and validation rows")
    assert doubts_context(found, words("zh"), "zh")["lead"] == "没有查找：训练和验证行不足 100 行。"
    assert doubts_context(None, words("zh"), "zh") == {}


def test_the_page_shows_the_rows_and_can_leave_the_texts_out(sample: Callable[..., Report]) -> None:
    page, bare = render(sample()), render(sample(), texts=False)
    assert "Labels that are perhaps wrong" in page and page.count("SECRET") > 20
    assert "Labels that are perhaps wrong" in bare and "SECRET" not in bare
    assert "Labels that are perhaps wrong" not in render(sample(doubts=None)), "reports of earlier versions"
