"""Characters have their traditional form, by the words that they are in."""

from __future__ import annotations

from random import Random

from penjing.data.augment.altered import free_words, rewritten
from penjing.data.noise.traditional import traditional
from penjing.text.words import word_spans


def test_characters_are_converted_in_their_words() -> None:
    text = "头发的发展，软件"
    assert rewritten(text, traditional(free_words(text, word_spans), 1.0, Random(0))).text == "頭髮的發展，軟件"
