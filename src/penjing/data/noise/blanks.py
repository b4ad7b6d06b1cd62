"""Spaces and invisible characters inside words: `free money` as `f ree mo ney`, 免费 as 免 费.

Cleaning removes invisible characters before a model reads a text (`data/clean.py`); they are here to test that it does.
"""

from __future__ import annotations

from random import Random

from penjing.data.augment.altered import Free, Piece
from penjing.data.noise.chosen import chosen

# Zero-width space, non-joiner, joiner, word joiner, soft hyphen.
INVISIBLE = "\u200b\u200c\u200d\u2060\u00ad"


def spaces(free: Free, share: float, source: Random) -> list[Piece]:
    """A space at this share of the places between two characters of a free word."""
    return [(place, place, " ") for place in chosen(_inside(free), share, source)]


def invisible(free: Free, share: float, source: Random) -> list[Piece]:
    """An invisible character at this share of the places between two characters of a free word."""
    return [(place, place, source.choice(INVISIBLE)) for place in chosen(_inside(free), share, source)]


def _inside(free: Free) -> list[int]:
    """The places between two characters of one word, and between two Chinese words that touch."""
    within = [place for start, end in free.words for place in range(start + 1, end)]
    starts = {start for start, _ in free.words}
    between = [end for start, end in free.words if end in starts]
    return sorted({*within, *between})
