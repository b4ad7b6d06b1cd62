"""A sentence with its head and its tail as a model reads it: each marked where it is, and named again after it.

    * Acme * buys # Bolt # today   |   Acme / Bolt

Source of the marks: Wu and He, Enriching Pre-trained Language Model with Entity Information for Relation
Classification, 2019; here they are signs that every vocabulary has. Of several places of an entity the first is taken;
where head and tail overlap there, another one beside it, and if there is none, the tail is not marked.
"""

from __future__ import annotations

HEAD_MARK, TAIL_MARK, BETWEEN = "*", "#", "/"


def places_of(sentence: str, head: str, tail: str) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
    """(start, end) of the head and of the tail in the sentence; None of one that is not there by itself."""
    first = _first(sentence, head, None)
    second = _first(sentence, tail, first)
    if second is None and first is not None and (other := _first(sentence, tail, None)) is not None:
        # The tail is only inside the first place of the head; another place of the head may leave it alone.
        again = _first(sentence, head, other)
        if again is not None:
            return again, other
    return first, second


def marked(sentence: str, head: str, tail: str) -> tuple[str, str]:
    """The two texts that a tokenizer gets: the marked sentence, and the names."""
    found = zip(places_of(sentence, head, tail), (HEAD_MARK, TAIL_MARK), strict=True)
    text = sentence
    for (start, end), mark in sorted(((place, mark) for place, mark in found if place is not None), reverse=True):
        text = " ".join((text[:start], mark, text[start:end], mark, text[end:]))
    return text, f"{head} {BETWEEN} {tail}"


def _first(sentence: str, entity: str, taken: tuple[int, int] | None) -> tuple[int, int] | None:
    start = sentence.find(entity) if entity else -1
    while start >= 0:
        end = start + len(entity)
        if taken is None or end <= taken[0] or start >= taken[1]:
            return start, end
        start = sentence.find(entity, start + 1)
    return None
