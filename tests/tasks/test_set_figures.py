"""Blocks of the report on sets of labels."""

from __future__ import annotations

from penjing.core.answers import Flags
from penjing.core.task import Section
from penjing.tasks.set_figures import set_figures

LABELS = ("a", "b", "c")
GOLDS = [("a", "b"), ("a",), ("b",), ()]


def flags(*given: str, sure: float = 0.5, other: float = 0.5) -> Flags:
    shares = tuple(sure if label in given else other for label in LABELS)
    return Flags(LABELS, shares, tuple(label in given for label in LABELS), 0.5, 0.1)


def blocks(answers: list[Flags], golds: list[tuple[str, ...]], *thresholds: float) -> dict[str, Section]:
    return {each.name: each for each in set_figures(LABELS, answers, golds, thresholds)}


def test_labels_are_counted_and_what_is_missed_is_beside_what_is_given() -> None:
    found = blocks([flags("a", "b"), flags("b"), flags("b"), flags("c")], GOLDS)
    assert found["label_scores"].rows == (
        ("a", 2.0, 1.0, 1.0, 0.5, 0.5, 0.6667),
        ("b", 2.0, 3.0, 0.6667, 0.5, 1.0, 0.8),
        ("c", 0.0, 1.0, 0.0, 0.5, 0.0, 0.0),
    )
    assert found["label_misses"].rows == (("", "c", 1.0), ("a", "b", 1.0))
    assert found["label_pairs"].rows == (("a", "b", 1.0, 1.0, 1.0),)


def test_nothing_missed_and_nothing_together_are_no_tables() -> None:
    assert list(blocks([flags("a")], [("a",)])) == ["label_scores", "label_reliability"]


def test_each_label_has_its_threshold_and_what_was_expected_of_its_answers() -> None:
    found = blocks([flags("a", sure=0.9), flags("a", sure=0.6)], [("a", "new"), ("b",)], 0.25, 0.5, 0.75)
    scores = found["label_scores"]
    assert scores.columns[3] == "given from" and [len(row) for row in scores.rows] == [len(scores.columns)] * 4
    assert {row[0]: row[3] for row in scores.rows} == {"a": 0.25, "b": 0.5, "c": 0.75, "new": ""}
    assert scores.rows[0] == ("a", 1.0, 2.0, 0.25, 0.5, 0.75, 1.0, 0.6667)


def test_every_pair_of_text_and_label_is_in_one_bin_of_probability() -> None:
    golds = [("a",), ("b",), ("a",), ()]
    found = blocks([flags("a", sure=1.0, other=0.0)] * 3 + [flags(sure=0.0, other=0.3)], golds)["label_reliability"]
    assert found.rows == (("0 – 0.05", 6.0, 0.0, 0.1667), ("0.2 – 0.4", 3.0, 0.3, 0.0), ("0.95 – 1", 3.0, 1.0, 0.6667))


def test_of_three_labels_each_pair_is_taken_together() -> None:
    found = blocks([flags("a", "b", "c"), flags("b", "c")], [("a", "b", "c"), ("a", "c")])["label_pairs"]
    assert found.rows == (("a", "c", 2.0, 1.0, 1.0), ("b", "c", 1.0, 2.0, 1.0), ("a", "b", 1.0, 1.0, 1.0))
