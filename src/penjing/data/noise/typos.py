"""Typos of a keyboard in words of Latin letters: a neighbouring key, two letters exchanged, one doubled, one left out.

Words of at least four letters are altered, one letter each, and never the first one. The neighbours are those of a
QWERTY keyboard. Source of the four kinds: Pruthi, Dhingra, Lipton, Combating Adversarial Misspellings with Robust Word
Recognition, 2019.
"""

from __future__ import annotations

from random import Random

from penjing.data.augment.altered import Free, Piece
from penjing.data.noise.chosen import chosen

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_SHORTEST = 4


def _beside() -> dict[str, str]:
    """Of each letter those on the keys around it; a row begins half a key further to the right than the one above."""
    found = {}
    for line, row in enumerate(_ROWS):
        for place, letter in enumerate(row):
            near = [row[other] for other in (place - 1, place + 1) if 0 <= other < len(row)]
            for other, shifts in ((line - 1, (0, 1)), (line + 1, (-1, 0))):
                if 0 <= other < len(_ROWS):
                    near += [_ROWS[other][place + one] for one in shifts if 0 <= place + one < len(_ROWS[other])]
            found[letter] = "".join(near)
    return found


NEIGHBOURS = _beside()


def typos(free: Free, share: float, source: Random) -> list[Piece]:
    """One typo in this share of the free words of Latin letters."""
    words = [span for place, span in enumerate(free.words) if _is_latin(free.word(place))]
    return [_typo(free.text, start, end, source) for start, end in chosen(words, share, source)]


def _is_latin(word: str) -> bool:
    return len(word) >= _SHORTEST and word.isascii() and word.isalpha()


def _typo(text: str, start: int, end: int, source: Random) -> Piece:
    place = source.randrange(start + 1, end)
    letter = text[place]
    kind = source.choice(("key", "exchange", "double", "leave out"))
    if kind == "exchange" and place + 1 < end and text[place + 1] != letter:
        return place, place + 2, text[place + 1] + letter
    if kind == "double":
        return place, place + 1, 2 * letter
    if kind == "leave out":
        return place, place + 1, ""
    near = source.choice(NEIGHBOURS[letter.lower()])
    return place, place + 1, near.upper() if letter.isupper() else near
