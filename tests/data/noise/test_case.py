"""Capitals and small letters, each word in the other."""

from __future__ import annotations

from random import Random

from penjing.data.augment.altered import free_words, rewritten
from penjing.data.noise.case import case
from penjing.text.words import word_spans


def test_words_are_in_the_other_case() -> None:
    found = rewritten(
        "rose to 34 MILLION 欧元 ß", case(free_words("rose to 34 MILLION 欧元 ß", word_spans), 1.0, Random(0))
    )
    assert found.text == "ROSE TO 34 million 欧元 SS"
