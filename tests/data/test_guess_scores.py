"""Columns that fit as texts, labels and numbers, and those that cannot."""

from __future__ import annotations

import pytest

from penjing.data.guess_scores import has_decimals, label_score, mean_length, number_score, text_score

WORDS = ["refund", "delivery"] * 20


def test_the_name_of_a_column_raises_its_score() -> None:
    named, other = label_score("label", WORDS, 40), label_score("thing", WORDS, 40)
    assert named is not None and other is not None and named > other + 3


@pytest.mark.parametrize(
    "cells",
    [
        [f"a sentence of its own, number {i}" for i in range(40)],
        ["user", "assistant"] * 20,
        [f"2026-01-{1 + i % 28:02}" for i in range(40)] * 3,
    ],
    ids=["texts", "speakers", "dates"],
)
def test_texts_speakers_and_dates_are_no_labels(cells: list[str]) -> None:
    assert label_score("thing", cells, len(cells)) is None


def test_empty_cells_lower_every_score() -> None:
    for score, cells in ((label_score, WORDS), (text_score, [f"a sentence {i}" for i in range(40)])):
        full, half = score("thing", cells, 40), score("thing", cells, 80)
        assert full is not None and half is not None and half == full - 1.0


def test_codes_and_row_numbers_are_neither_texts_nor_numbers() -> None:
    assert text_score("case", [f"GD2026{i:04}" for i in range(40)], 40) is None
    assert number_score("row", [str(i) for i in range(40)], 40) is None
    assert number_score("price", [f"{i}.5" for i in range(40)], 40) is not None


def test_decimals_are_three_numbers_or_more_of_which_some_are_not_whole() -> None:
    assert has_decimals(["1", "2.5", "3"])
    assert not has_decimals(["1.0", "2.0", "3.0"])
    assert not has_decimals(["1.5", "a", "2"])


def test_the_mean_length_is_that_of_filled_cells() -> None:
    assert mean_length(["ab", " ", "abcd"]) == 3
    assert mean_length([]) == 0
