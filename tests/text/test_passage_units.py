"""What a linear model sees of a unit of a passage: its neighbours, the question, and the sentences."""

from __future__ import annotations

import pytest

from penjing.core.pair import join_texts
from penjing.text.passage_units import asking_word, kind_of
from penjing.text.units import TEMPLATES, features_of, places_of

PASSAGE = "Ann was born in 1970. She moved to Oslo in 1995."


@pytest.mark.parametrize(
    ("question", "word"),
    [
        ("How many men left?", "how many"),
        ("哪一年建成？", "哪一年"),
        ("多少钱", "多少"),
        ("是谁写的", "谁"),
        ("Name it", ""),
    ],
)
def test_the_word_that_asks(question: str, word: str) -> None:
    assert asking_word(question) == word


def test_kinds() -> None:
    assert [kind_of(one) for one in ("", "⟦mobile⟧", "1970", "ann", "年", ",")] == [
        "edge", "⟦mobile⟧", "9999", "a", "h", ",",
    ]  # fmt: skip


def test_no_answer_comes_first_and_every_unit_has_its_features() -> None:
    case = join_texts(PASSAGE, "When did she move to Oslo?")
    features, places = features_of(case), places_of(case)
    assert len(features) == len(places) and places[0].tolist() == [0, 0]
    assert places[1].tolist() == [0, 3] and places[-1].tolist() == [47, 48]
    assert all(len(one) == TEMPLATES for one in features[1:]) and features[0][0] == "none"
    unit = {PASSAGE[start:end]: one for (start, end), one in zip(places[1:].tolist(), features[1:], strict=True)}
    assert "q\x1fwhen\x1f9999" in unit["1995"]
    assert "s\x1f1" in unit["1995"] and "s\x1f2" in unit["1970"], "the sentence that shares more with the question"
    assert "o\x1f110" not in unit["1995"] and any(one.startswith("l\x1f") and one != "l\x1f0" for one in unit["1995"])


def test_a_text_without_a_question_has_no_such_unit() -> None:
    assert places_of("ab 12").tolist() == [[0, 2], [3, 5]] and len(features_of("ab 12")) == 2
