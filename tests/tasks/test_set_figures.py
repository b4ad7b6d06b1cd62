"""Blocks of the report on sets of labels."""

from __future__ import annotations

from penjing.core.answers import Flags
from penjing.tasks.set_figures import set_figures

LABELS = ("a", "b", "c")


def flags(*given: str) -> Flags:
    return Flags(LABELS, (0.5, 0.5, 0.5), tuple(label in given for label in LABELS), 0.5, 0.1)


def test_labels_are_counted_and_what_is_missed_is_beside_what_is_given() -> None:
    golds = [("a", "b"), ("a",), ("b",), ()]
    scores, misses = set_figures(LABELS, [flags("a", "b"), flags("b"), flags("b"), flags("c")], golds)
    assert scores.rows == (
        ("a", 2.0, 1.0, 1.0, 0.5, 0.6667),
        ("b", 2.0, 3.0, 0.6667, 1.0, 0.8),
        ("c", 0.0, 1.0, 0.0, 0.0, 0.0),
    )
    assert misses.rows == (("-", "c", 1.0), ("a", "b", 1.0))


def test_nothing_missed_is_no_table() -> None:
    assert [each.name for each in set_figures(LABELS, [flags("a")], [("a",)])] == ["label_scores"]
