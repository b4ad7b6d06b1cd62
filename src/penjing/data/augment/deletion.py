"""Deletion: some words of a text are left out.

    left out = max(1, round(share * words)) of the words, drawn at random; each text of a case keeps at least one word

Source: Wei and Zou, EDA, 2019 (random deletion; there each word falls out by itself with that probability).
When: labels that several words of a text support. When not: labels that one word decides, such as a negation: the copy
then has a label that is wrong.
"""

from __future__ import annotations

from random import Random

from penjing.data.augment.altered import Free, Piece, Span, rewritten
from penjing.data.masked import Masked


def deletion(free: Free, share: float, source: Random) -> Masked | None:
    """The text without this share of its free words; None where each of its texts has one free word at most."""
    left = {part: free.parts.count(part) for part in set(free.parts)}
    wanted = max(1, round(share * len(free.words)))
    pieces: list[Piece] = []
    for place in source.sample(range(len(free.words)), len(free.words)):
        if len(pieces) < wanted and left[free.parts[place]] > 1:
            left[free.parts[place]] -= 1
            pieces.append((*_with_blank(free, free.words[place]), ""))
    return rewritten(free.text, pieces) if pieces else None


def _with_blank(free: Free, word: Span) -> Span:
    """A word and the space behind it, where another space or nothing is before it: no two spaces stay beside."""
    start, end = word
    blank = free.text[end : end + 1] == " " and (start == 0 or free.text[start - 1].isspace())
    inside = any(first <= end < last for first, last in free.kept)
    return (start, end + 1) if blank and not inside else word
