"""Gold of answers: words or places, the signs around them, and every other place of the same words."""

from __future__ import annotations

import json

import pytest

from penjing.core.errors import DataError
from penjing.core.pair import join_texts
from penjing.data.mask import open_masking
from penjing.data.masked import Masked
from penjing.data.pair_text import prepare_texts
from penjing.tasks.answer import AnswerReader
from penjing.tasks.answer_gold import read_answers, trimmed, write_answers


def prepared(passage: str, question: str = "who?") -> Masked:
    return prepare_texts(open_masking("2"), join_texts(passage, question), AnswerReader())


def told(cell: str, passage: str) -> list[str]:
    """The words of the places of a cell."""
    masked = prepared(passage)
    return [masked.text[start:end] for start, end, _ in read_answers(cell, masked)]


def test_words_and_places_say_the_same() -> None:
    passage = "Ann met Bob. Bob left."
    assert read_answers("Bob", prepared(passage)) == [(8, 11, "answer"), (13, 16, "answer")]
    assert read_answers('[{"start":13,"end":16}]', prepared(passage)) == [(13, 16, "answer"), (8, 11, "answer")]
    assert write_answers(read_answers("[]", prepared(passage))) == "[]"


def test_places_are_moved_to_the_masked_passage() -> None:
    raw = "  call 13800138000 or  Ann"
    start = raw.index("Ann")
    masked = prepared(raw)
    ((first, last, _),) = read_answers(json.dumps([{"start": start, "end": start + 3}]), masked)
    assert masked.text[first:last] == "Ann" and first != start


@pytest.mark.parametrize(
    ("passage", "start", "end", "left"),
    [
        ("在1998年，", 1, 7, "1998年"),
        ("“红楼梦”。", 0, 6, "红楼梦"),
        ("f(x) is", 0, 4, "f(x)"),
        ("，。", 0, 2, "，。"),
        ("《春》和《秋》", 0, 7, "《春》和《秋》"),
    ],
)
def test_signs_around_an_answer_are_left_out(passage: str, start: int, end: int, left: str) -> None:
    first, last = trimmed(passage, start, end)
    assert passage[first:last] == left


def test_the_same_words_inside_of_a_longer_one_are_another_answer() -> None:
    passage = "of 35 men 3 left"
    assert read_answers('[{"start":10,"end":11}]', prepared(passage)) == [(10, 11, "answer")]
    assert len(told("北京", "北京市在北京")) == 2


def test_brackets_of_a_chinese_keyboard_are_words_only_where_no_list_is_meant() -> None:
    """A reviewer who types `［］` means that nothing answers, also where the passage has these two signs."""
    passage = "表［］见［附录］。【通知】停水"
    assert told("［附录］", passage) == ["［附录］"] and told("【通知】", passage) == ["通知"]
    for cell in ("［］", '［{"start": 0, "end": 1}］', "【】"):
        for masked in (prepared(passage), None):
            with pytest.raises(DataError, match=r"no JSON list of places; at character 1 it has `[［【]` where JSON"):
                read_answers(cell, masked)
    with pytest.raises(DataError, match="is not in the text; at character 1 it has `［` where JSON has"):
        read_answers('［{"start": 0, "end": 1}', prepared(passage))


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("Carl", "the answer `Carl` is not in the text"),
        ("[", "is no JSON list of places"),
        ('{"start": 0, "end": 2}', "is not in the text"),
        ("[7]", "has not the keys `start` and `end` alone"),
        ('[{"start": 0}]', "has not the keys"),
        ('[{"start": "0", "end": 2}]', "are not two whole numbers"),
        ('[{"start": true, "end": 2}]', "are not two whole numbers"),
        ('[{"start": 4, "end": 2}]', "the first one smaller"),
        ('[{"start": 0, "end": 999}]', "is not within the text"),
        ('[{"start": 20, "end": 24}]', "is not within the text"),
        (json.dumps([{"start": 0, "end": 1}] * 101), "a question with 101 answers"),
    ],
)
def test_what_is_no_answer_is_refused(cell: str, said: str) -> None:
    with pytest.raises(DataError) as caught:
        read_answers(cell, prepared("Ann met Bob. Bob left."))
    assert said in caught.value.what and caught.value.fix
