"""Columns of passages, questions and answers are found by their names and by what is in them."""

from __future__ import annotations

from penjing.data.questions import questions_of

PASSAGES = ["Ann lives in Oslo today.", "Bob paid 40 dollars for it."]


def test_answers_lie_in_passages() -> None:
    values = {"原文": PASSAGES, "问题": ["where?", "how much?"], "答案": ["Oslo", "40 dollars"]}
    assert questions_of(values, None, None) == ("原文", "问题", "答案")
    assert questions_of(values, "原文", "答案") == ("原文", "问题", "答案")
    assert questions_of(values | {"答案": ["Oslo", ""]}, None, None) == ("原文", "问题", "答案")


def test_other_tables_are_none() -> None:
    faq = {"question": ["where?", "how?"], "answer": ["It is in Oslo.", "With a card."]}
    assert questions_of(faq, None, None) is None
    assert questions_of({"question": ["a", "b"], "text": PASSAGES}, None, None) is None
    other = {"question": ["where?", "how much?"], "text": PASSAGES, "answer": ["Rome", "50"]}
    assert questions_of(other, None, None) is None
    same = {"question": ["where?", "how much?"], "text": ["Oslo", "40"], "answer": ["Oslo", "40"]}
    assert questions_of(same, None, None) is None, "a column is no answer to itself"
