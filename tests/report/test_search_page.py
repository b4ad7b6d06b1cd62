"""What the page says of a search: the trials, the best first, and that its score is optimistic, in both languages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.report.test_search_charts import part

from penjing.report.contract import Report
from penjing.report.page import render
from penjing.report.search_page import ROWS, search_context, search_note
from penjing.report.search_part import TrialRow
from penjing.report.verdict import note_in


def test_the_best_trial_is_first_and_the_others_follow_by_score() -> None:
    shown = search_context(part(), "en")
    assert shown is not None and search_context(None, "en") is None
    assert [row["number"] for row in shown["rows"]] == [4, 5, 1, 3, 2]
    assert [row["state"] for row in shown["rows"]] == ["best", "finished", "finished", "ended early", "failed"]
    assert [row["score"] for row in shown["rows"]] == ["0.900", "0.800", "0.700", "0.500", "–"]
    assert "5 trials of tune.full" in shown["lead"] and "0.900 on validation rows, after 0.700" in shown["lead"]


@pytest.mark.parametrize(
    ("language", "reason"), [("en", "no learning rate gave a finite loss"), ("zh", "没有一个学习率得到有限的损失")]
)
def test_the_reason_of_a_failed_trial_is_in_the_language_of_the_page(language: Any, reason: str) -> None:
    failed = TrialRow(number=1, values={"c": 1}, state="failed", reason="no learning rate gave a finite loss")
    shown = search_context(part(trials=[failed], best=1), language)
    assert shown is not None and shown["rows"][0]["reason"] == reason


def test_many_trials_are_cut() -> None:
    many = [TrialRow(number=i, values={"c": i}, state="finished", score=i / 100) for i in range(1, ROWS + 8)]
    shown = search_context(part(trials=many, best=ROWS + 7), "zh")
    assert shown is not None and len(shown["rows"]) == ROWS and shown["more"] == 7


@pytest.mark.parametrize(("language", "words"), [("en", "optimistic"), ("zh", "偏乐观")])
def test_the_page_shows_it(sample: Callable[..., Report], language: Any, words: str) -> None:
    found = part(yaml="- tune.full: {kind: <b>}", importance={"c": 1.0})
    page = render(sample(search=found, notes=(search_note(found),)), language=language)
    assert page.count(words) == 2 and "- tune.full: {kind: &lt;b&gt;}" in page
    assert words in note_in(search_note(found), language) and "{" not in page.split("<style>")[0]
    assert words not in render(sample(), language=language)
    few = render(sample(search=part()), language=language)
    assert {"en": "Too few to say", "zh": "组数太少"}[language] in few


@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_says_what_differences_say_little_and_where_nothing_was_better(language: Any) -> None:
    shown = search_context(part(rows=100), language)
    assert shown is not None and "0.030" in shown["lead"] and "100" in shown["lead"]
    assert part().noise is None and part(rows=100, best=1).noise == pytest.approx(0.0458, abs=1e-4)
    vain = note_in(search_note(part(best=1)), language)
    assert {"en": "none of 5 trials", "zh": "没有一组好于"}[language] in vain
    assert {"en": "optimistic", "zh": "乐观"}[language] not in vain
