"""Swap: some words of a text exchange their places.

    pairs = max(1, round(share * words / 2))   pairs of different words, drawn at random, each word in one pair at most

Source: Wei and Zou, EDA: Easy Data Augmentation Techniques for Boosting Performance on Text Classification Tasks, 2019
(random swap). The words stay within their own text of a case.
When: labels that depend on which words there are, on some ten to a thousand rows. When not: labels that depend on the
order of words (who did what to whom), and tasks of pieces of a text whose edges depend on their neighbours.
"""

from __future__ import annotations

from random import Random

from penjing.data.augment.altered import Free, rewritten
from penjing.data.masked import Masked


def swap(free: Free, share: float, source: Random) -> Masked | None:
    """The text with about this share of its free words at other places; None where no two words can be exchanged."""
    order = source.sample(range(len(free.words)), len(free.words))
    wanted, pieces = max(1, round(share * len(free.words) / 2)), []
    while order and wanted:
        one = order.pop()
        fits = (
            place
            for place in order
            if free.parts[place] == free.parts[one] and free.word(place).casefold() != free.word(one).casefold()
        )
        other = next(fits, None)
        if other is None:
            continue
        order.remove(other)
        pieces += [(*free.words[one], free.word(other)), (*free.words[other], free.word(one))]
        wanted -= 1
    return rewritten(free.text, pieces) if pieces else None
