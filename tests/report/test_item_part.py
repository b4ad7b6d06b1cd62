"""What the report says of items certified one by one: sums, the block, sentences in both languages, the line."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from tests.prove.test_label_words import certificate

from penjing.prove.by_item import ItemFigures, KindOfItems
from penjing.report.contract import Report
from penjing.report.item_part import BLOCK, item_block, item_lines, item_sentences, items_part
from penjing.report.page import render
from penjing.report.verdict import verdict

FIGURES = ItemFigures(
    accepted=np.array([2, 1, 2, 0] * 50), wrong=np.array([0, 1, 0, 0] * 5 + [0] * 180), whole=60, most=2,
    kinds=(KindOfItems("org", 220, 190, 5, 90, 4), KindOfItems("place", 80, 60, 0, 30, 2),
           KindOfItems("sum", 0, 0, 0, 3, 3)),
)  # fmt: skip


@pytest.fixture
def by_item(sample: Callable[..., Report]) -> Report:
    report = sample()
    items = items_part(FIGURES, 0.05)
    block = item_block(certificate(0.1).model_copy(update={"most_items": 2}), FIGURES)
    changed = report.decisions.model_copy(update={"items": items, "max_error": 0.1, "certified": True, "needs": {}})
    return report.model_copy(update={"decisions": changed, "sections": (*report.sections, *block), "harm": ()})


def test_sums_are_those_of_the_kinds() -> None:
    items = items_part(FIGURES, 0.05)
    assert items is not None and (items.told, items.settled, items.wrong, items.meant, items.missed) == (
        300,
        250,
        5,
        123,
        9,
    )
    assert items.high is not None and 0.02 < items.high < 0.1
    assert items_part(None, 0.05) is None
    (block,) = item_block(certificate(0.1).model_copy(update={"most_items": 2}), FIGURES)
    assert block.name == BLOCK and block.rows[0][:4] == ("org", 220.0, 190.0, 5.0) and block.rows[2][4] == 0
    assert item_block(certificate(0.1), FIGURES) == ()


def test_the_verdict_says_what_is_promised_and_what_is_not(by_item: Report) -> None:
    said = " ".join(verdict(by_item, "en")[1])
    assert "83.3\u00a0% of the entities that the model finds need no person" in said
    assert "at most 10\u00a0% of the entities that are decided without a person are wrong" in said
    assert "9 of 123 true ones are missing" in said and "An error is" not in said
    chinese = " ".join(verdict(by_item, "zh")[1])
    assert "83.3% 无需人工" in chinese and "漏掉 9 个" in chinese
    assert by_item.decisions.items is not None
    few = by_item.decisions.items.model_copy(update={"settled": 0, "wrong": 0, "high": None, "meant": 0, "missed": 0})
    assert len(item_sentences(by_item, few, "10 %", "en")) == 1
    nothing = by_item.decisions.model_copy(update={"automation_rate": 0.0})
    headline = verdict(by_item.model_copy(update={"decisions": nothing, "sealed": True}), "en")[0]
    assert "No text of the test rows is decided as a whole" in headline


def test_the_page_and_the_terminal_show_them(by_item: Report) -> None:
    for language, title, tile in (
        ("en", "Each type", "errors among decided entities"),
        ("zh", "各类型：哪些无需人工", "自动决定的实体出错"),
    ):
        page = render(by_item, language=language)  # type: ignore[arg-type]
        assert title in page and tile in page
    (line,) = item_lines(by_item, "en")
    assert line.startswith("of 300 entities on the test rows 250 (83.3\u00a0%)")
    assert (
        list(
            item_lines(
                by_item.model_copy(update={"decisions": by_item.decisions.model_copy(update={"items": None})}), "zh"
            )
        )
        == []
    )
