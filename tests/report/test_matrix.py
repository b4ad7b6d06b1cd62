"""The table of gold against answers as a page shows it."""

from __future__ import annotations

import pytest

from penjing.report.contract import Block
from penjing.report.matrix import BESIDE, MATRIX_LABELS, figure, matrix_of


def block(matrix: list[list[int]]) -> Block:
    names = tuple(f"label {i}" for i in range(len(matrix)))
    rows = tuple((name, *counts) for name, counts in zip(names, matrix, strict=True))
    return Block(name="confusion", kind="matrix", title={"en": "a", "zh": "b"}, columns=("", *names), rows=rows)


def test_pairs_are_the_confused_ones_the_most_frequent_first() -> None:
    shown = matrix_of(block([[8, 2, 0], [1, 9, 0], [0, 0, 0]]))
    assert [pair[:3] for pair in shown["pairs"]] == [("label 0", "label 1", 2), ("label 1", "label 0", 1)]
    assert (shown["right"], shown["total"]) == (17, 20)
    assert [row["recall"] for row in shown["rows"]] == [0.8, 0.9, 0]


@pytest.mark.parametrize(
    ("labels", "beside", "wide"),
    [(BESIDE, True, False), (MATRIX_LABELS, False, False), (MATRIX_LABELS + 1, False, True)],
)
def test_a_matrix_is_placed_by_its_width(labels: int, beside: bool, wide: bool) -> None:
    shown = matrix_of(block([[1] * labels] * labels))
    assert (shown["beside"], shown["wide"]) == (beside, wide)


@pytest.mark.parametrize(
    ("cell", "shown"), [("yes", "yes"), (12_345, "12,345"), (3.0, "3"), (0.123456, "0.1235"), (-2.5, "-2.5")]
)
def test_a_cell_is_a_word_a_whole_number_or_four_digits(cell: str | float, shown: str) -> None:
    assert figure(cell) == shown
