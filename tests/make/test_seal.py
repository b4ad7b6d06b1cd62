"""The regression suite holds cases that the sealed model gets right, and no text where none may be kept."""

from __future__ import annotations

from penjing.core.nouns import Table
from penjing.make.seal import SUITE_ROWS, regression_suite


def test_suite() -> None:
    table = Table(texts=["a", "b", "c"], labels=["x", "y", "x"])
    assert regression_suite(table, ["x", "x", "x"], keep_texts=True) == [
        {"text": "a", "label": "x"},
        {"text": "c", "label": "x"},
    ]
    assert regression_suite(table, ["x", "x", "x"], keep_texts=False) == []
    many = Table(texts=["a"] * 500, labels=["x"] * 500)
    assert len(regression_suite(many, ["x"] * 500, keep_texts=True)) == SUITE_ROWS
