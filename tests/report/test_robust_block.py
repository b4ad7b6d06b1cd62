"""The block on noise: shares with counts and bounds, in both languages, and what could not be done."""

from __future__ import annotations

import html
from collections.abc import Callable

import pytest

from penjing.report.contract import PageLanguage, Report
from penjing.report.page import render
from penjing.report.robust_block import robust_blocks
from penjing.report.robust_part import NoiseRow, Ranged, RobustPart

TYPOS = NoiseRow(
    kind="typos", strength=0.1, rows=480,
    score_before=Ranged(value=0.912, low=0.88, high=0.94), score_after=Ranged(value=0.854, low=0.82, high=0.88),
    difference=Ranged(value=-0.058, low=-0.081, high=-0.034), automated_before=400, automated_after=360,
    other_outcome=8, reviewed=44, errors=18, errors_before=12, error_high=0.0743,
)  # fmt: skip
NOTHING = TYPOS.model_copy(update={"kind": "case", "automated_before": 0, "automated_after": 0, "errors_before": 0})
PART = RobustPart(rows=500, kinds=(TYPOS, NOTHING), unaltered=("homophones", "traditional"), skipped={"synonyms": "no"})


def test_without_noise_there_is_no_block() -> None:
    assert robust_blocks(None) == () == robust_blocks(RobustPart(rows=500, kinds=(), unaltered=("typos",)))


def test_each_kind_has_a_row_with_its_counts_and_bounds() -> None:
    (block,) = robust_blocks(PART)
    assert block.rows[0] == (
        "typos", "10%", "480", "0.912 → 0.854", "-0.058 (-0.081 – -0.034)", "83.3% → 75.0%", "13.0% (8 + 44)",
        "3.0% → 5.0% (≤ 7.4%)",
    )  # fmt: skip
    assert block.rows[1][5:] == ("0.0% → 0.0%", "–", "–"), "nothing was decided alone"


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("What does noise in the text do?", "typing errors", "Comes out differently", "500 test rows",
                "homophones, traditional characters.", "Not possible: search over near words")),
        ("zh", ("文本中有噪声时会怎样？", "拼写错误", "结果不同", "500 行测试数据", "同音字、繁体字。",
                "无法进行：近义词搜索攻击")),
    ],
)  # fmt: skip
def test_the_page_has_it_in_its_language(
    language: PageLanguage, words: tuple[str, ...], sample: Callable[..., Report]
) -> None:
    page = html.unescape(render(sample(robustness=PART), language=language))
    assert all(each in page for each in words)
    assert "cell_noise" not in page and "noise kind" not in page and "replaces words" not in page
    searched = PART.model_copy(update={"kinds": (TYPOS.model_copy(update={"kind": "synonyms"}),), "skipped": {}})
    page = html.unescape(render(sample(robustness=searched), language=language))
    assert {"en": "some of these texts mean something else", "zh": "其中一些文本的意思也变了"}[language] in page


def test_a_report_has_it_as_values_and_is_read_again(sample: Callable[..., Report]) -> None:
    report = sample(robustness=PART)
    assert Report.model_validate_json(report.model_dump_json()).robustness == PART
    without = report.model_dump(mode="json")
    del without["robustness"]
    assert Report.model_validate(without).robustness is None, "a report of an earlier version"
