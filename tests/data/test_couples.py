"""Couples of columns by their names."""

from __future__ import annotations

import pytest

from penjing.data.couples import couples


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (["id", "sentence1", "sentence2", "label"], [("sentence1", "sentence2")]),
        (["text_b", "text_a"], [("text_a", "text_b")]),
        (["Question 1", "Question 2"], [("Question 1", "Question 2")]),
        (["句子1", "句子2", "标签"], [("句子1", "句子2")]),
        (["premise", "hypothesis"], [("premise", "hypothesis")]),
        (["text", "label"], []),
        (["1", "2"], []),
        (["a", "b"], []),
        (["q1", "q2", "p1", "p2"], [("q1", "q2"), ("p1", "p2")]),
    ],
)
def test_names_with_two_marks_belong_together(names: list[str], wanted: list[tuple[str, str]]) -> None:
    assert couples(names) == wanted
