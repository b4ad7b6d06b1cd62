"""Case: words in capitals, or, where a word is in capitals, in small letters."""

from __future__ import annotations

from random import Random

from penjing.data.augment.altered import Free, Piece
from penjing.data.noise.chosen import chosen


def case(free: Free, share: float, source: Random) -> list[Piece]:
    """This share of the free words that have letters with two cases, in the other case."""
    words = [(start, end) for start, end in free.words if free.text[start:end].lower() != free.text[start:end].upper()]
    return [(start, end, _other(free.text[start:end])) for start, end in chosen(words, share, source)]


def _other(word: str) -> str:
    return word.lower() if word == word.upper() else word.upper()
