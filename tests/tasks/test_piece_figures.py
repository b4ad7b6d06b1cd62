"""Pieces counted by hand: scores of each label, and the share that is right in each bin of probabilities."""

from __future__ import annotations

import numpy as np

from penjing.tasks.piece_figures import rarest_labels, rows_by_label, rows_by_probability, share_of

SAID = [[("org", 1), ("org", 2)], [("place", 1)]]
MEANT = [[("org", 1), ("place", 5)], [("org", 7)]]


def test_scores_of_each_label() -> None:
    rows = rows_by_label(SAID, MEANT, ("time",), lambda piece: piece[0])
    assert rows == (
        ("org", 2.0, 2.0, 0.5, 0.5, 0.5),
        ("place", 1.0, 1.0, 0.0, 0.0, 0.0),
        ("time", 0.0, 0.0, 0.0, 0.0, 0.0),
    )


def test_bins_without_a_piece_have_no_row() -> None:
    pairs = [(0.2, False), (0.4, True), (0.95, True), (1.0, True)]
    assert rows_by_probability(pairs) == (
        ("0 to 0.5", 2.0, 0.3, 0.5),
        ("0.95 to 0.99", 1.0, 0.95, 1.0),
        ("0.99 to 1", 1.0, 1.0, 1.0),
    )
    assert rows_by_probability([]) == ()


def test_a_stratum_is_the_rarest_label_of_a_gold() -> None:
    labels = [("a", "b"), ("a",), (), (), ("b", "c", "a")]
    assert rarest_labels(labels, ["x", "x", "[]", "", "x"], "none") == ["b", "a", "none", "", "c"]


def test_a_share_of_nothing_is_one() -> None:
    assert share_of(np.array([1.0, 0.0]), np.array([4.0, 0.0])).tolist() == [0.25, 1.0]
