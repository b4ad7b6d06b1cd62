"""Terms of a sentence with a head and a tail, for a linear model: words by where they stand towards the two.

    >t   t is between the head and the tail, the head first;   <t   the same, the tail first;   ^t   t is elsewhere
    h t, o t   t is of the head's, of the tail's own words;    !h   what is not in the sentence by itself

Source of words by their place: Zhou et al., Exploring Various Knowledge in Relation Extraction, 2005.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from penjing.text.entity_marks import places_of

AFTER, BEFORE, ELSEWHERE, OF_HEAD, OF_TAIL, ABSENT = ">", "<", "^", "h", "o", "!"


def relation_terms(of: Callable[[str], Sequence[str]], sentence: str, head: str, tail: str) -> list[str]:
    """All terms with repetitions. of: the terms of a text, as `Terms.of` writes them."""
    first, second = places_of(sentence, head, tail)
    found = [OF_HEAD + term for term in of(head)] + [OF_TAIL + term for term in of(tail)]
    if first is None or second is None:
        absent = [ABSENT + name for name, place in ((OF_HEAD, first), (OF_TAIL, second)) if place is None]
        return [*found, *absent, *(ELSEWHERE + term for term in of(sentence))]
    left, right = sorted((first, second))
    direction = AFTER if left == first else BEFORE
    found += [direction + term for term in of(sentence[left[1] : right[0]])]
    return found + [ELSEWHERE + term for piece in (sentence[: left[0]], sentence[right[1] :]) for term in of(piece)]
