"""A search for the words whose near ones change an answer, over nothing but the answers of the model.

    importance of a word = support(text) - support(text without it)
    in this order each word is replaced by the near one that leaves the least support, until the answer is another one

support: a number that falls as the present answer loses its ground, such as the logarithm of its odds. At most a share
of the words is replaced; if the answer never changes, the text with the least support is given.
Source: Jin, Jin, Zhou, Szolovits, Is BERT Really Robust? (TextFooler), 2020. Theirs compares sentences and parts of
speech too; here the near words are all that keeps the meaning, so some of the attacks change it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from penjing.data.augment.altered import Free, Piece, rewritten
from penjing.data.augment.synonyms import Near
from penjing.data.masked import Masked

# Altered texts -> the support of the present answer in each, and whether it is still the answer.
Judge = Callable[[Sequence[Masked]], tuple[Sequence[float], Sequence[bool]]]
# Longer texts have this many of their words looked at, from the first one.
_MOST_WORDS = 200


def attack(free: Free, share: float, near: Near, judge: Judge) -> list[Piece]:
    """What to write where, so that the answer changes, or loses as much support as this can take from it."""
    candidates = [(*free.words[place], near(free.word(place))) for place in range(len(free.words))][:_MOST_WORDS]
    budget = max(1, round(share * len(free.words)))
    candidates = [(start, end, others) for start, end, others in candidates if others]
    if not candidates:
        return []
    without, _ = judge([rewritten(free.text, [(start, end, "")]) for start, end, _ in candidates])
    order = sorted(range(len(candidates)), key=lambda place: without[place])
    (least,), _ = judge([rewritten(free.text, [])])
    pieces: list[Piece] = []
    for place in order:
        start, end, others = candidates[place]
        tried = [[*pieces, (start, end, other)] for other in others]
        supports, same = judge([rewritten(free.text, one) for one in tried])
        changed = [one for one, kept in enumerate(same) if not kept]
        best = min(changed or range(len(tried)), key=lambda one: supports[one])
        if changed:
            return tried[best]
        if supports[best] < least:
            least, pieces = supports[best], tried[best]
            if len(pieces) >= budget:
                break
    return pieces
