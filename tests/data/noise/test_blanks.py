"""Spaces and invisible characters stand inside words; cleaning takes the invisible ones out again."""

from __future__ import annotations

from random import Random

from penjing.data.augment.altered import free_words, rewritten
from penjing.data.clean import clean
from penjing.data.noise.blanks import INVISIBLE, invisible, spaces
from penjing.text.words import word_spans

TEXT = "free money，免费领取"


def test_spaces_are_between_characters_of_words() -> None:
    found = rewritten(TEXT, spaces(free_words(TEXT, word_spans), 1.0, Random(0))).text
    assert found == "f r e e m o n e y，免 费 领 取"


def test_cleaning_removes_what_is_invisible() -> None:
    for seed in range(10):
        found = rewritten(TEXT, invisible(free_words(TEXT, word_spans), 0.5, Random(seed))).text
        assert found != TEXT and any(one in found for one in INVISIBLE)
        assert clean(found) == TEXT
