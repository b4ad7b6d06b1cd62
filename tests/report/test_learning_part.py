"""What more rows would buy: its sentence, its place on the page and its chart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from penjing.report.charts import learning
from penjing.report.contract import PageLanguage, Report
from penjing.report.learning_part import CurvePoint, RowsForecast, forecast_sentence
from penjing.report.page import render
from penjing.report.phrases import words

POINTS = tuple(
    CurvePoint(rows=rows, score=score, low=score - 0.02, high=score + 0.02)
    for rows, score in ((100, 0.6), (200, 0.7), (400, 0.76), (800, 0.8))
)
VALUES: dict[str, Any] = {
    "metric": "macro_f1", "rows": 800, "more": 500, "gain": 0.0131, "low": 0.004, "high": 0.021, "answer": "gain",
    "points": POINTS, "law": (2.0, 0.4, 0.05),
}  # fmt: skip
FOUND = RowsForecast(**VALUES)


@pytest.mark.parametrize(
    ("language", "answer", "said"),
    [
        ("en", "gain", "About 500 more train rows would raise macro-F1 by 1.3 points (0.4 to 2.1)"),
        ("zh", "gain", "再加约 500 行训练数据，宏平均 F1 约提高 1.3 个百分点（0.4 至 2.1）"),
        ("en", "flat", "500 more give 2.1 points at most"),
        ("zh", "flat", "再加 500 行至多提高 2.1 个百分点"),
        ("en", "noisy", "cannot be said"),
        ("zh", "noisy", "说不准"),
    ],
)
def test_the_page_says_it_in_its_language(
    sample: Callable[..., Report], language: PageLanguage, answer: str, said: str
) -> None:
    found = RowsForecast(**VALUES | {"answer": answer})
    metric = {"en": "macro-F1", "zh": "宏平均 F1"}[language]
    assert said in forecast_sentence(found, words(language), metric)
    page = render(sample(forecast_rows=found), language=language)
    assert said in page and words(language)["learning"] in page and words(language)["rows_axis"] in page


def test_without_a_measurement_the_page_has_no_such_part(sample: Callable[..., Report]) -> None:
    page = render(sample(), language="en")
    assert words("en")["learning"] not in page


def test_the_chart_is_dashed_beyond_the_rows_there_are() -> None:
    drawn = learning(FOUND, "t", ("rows", "score"))
    assert drawn.count('class="dot main"') == len(POINTS)
    assert drawn.count('class="trace main"') == 1 and drawn.count('class="ideal"') == 1


def test_a_forecast_of_another_answer_is_refused() -> None:
    with pytest.raises(ValidationError):
        RowsForecast(**VALUES | {"answer": "perhaps"})
