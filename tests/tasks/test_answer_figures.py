"""Blocks of the report of answers, counted by hand."""

from __future__ import annotations

import pytest

from penjing.core.answers import Span, Spans
from penjing.tasks.answer_figures import answer_figures, overlap


def test_overlap_is_the_best_of_the_right_places() -> None:
    assert overlap((0, 4), [(2, 6), (10, 12)]) == pytest.approx(0.5)
    assert overlap(None, []) == 1.0 and overlap(None, [(0, 1)]) == 0.0 and overlap((0, 1), []) == 0.0


def test_blocks_count_each_question_once() -> None:
    said = [Spans((Span(*place, "answer", 0.9),), 0.9) for place in ((0, 2), (0, 3), (5, 6), (1, 2))]
    said += [Spans((), 0.6), Spans((), 0.6)]
    right = [[(0, 2)], [(0, 2)], [(0, 2)], [], [(0, 2)], []]
    kinds, errors, reliability = answer_figures(said, right)
    assert kinds.rows[0][:3] == ("with an answer", 4.0, 0.25) and kinds.rows[1] == ("without an answer", 2.0, 0.5, 0.5)
    assert dict(errors.rows) == {
        "right": 2.0, "other edges": 1.0, "another place": 1.0, "not answered": 1.0, "answered without an answer": 1.0,
    }  # fmt: skip
    assert [row[1:] for row in reliability.rows] == [(2.0, 0.6, 0.5), (4.0, 0.9, 0.25)]
