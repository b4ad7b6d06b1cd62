"""Pairs that share a text stay in one part, as far as that leaves parts: their labels tell about each other.

Rows that have a text in common, in either place, are linked, and links over several rows are one group. A group of more
than a tenth of all rows is not kept together, because no part could be cut from it. What then is in two parts is told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from penjing.core.nouns import Table
from penjing.core.pair import split_texts
from penjing.data.audit import Problem
from penjing.data.dedupe import SIMILARITY, Duplicates, jaccard, shingles
from penjing.data.fold import fold
from penjing.data.pair_text import parts_of

LARGEST = 0.1


def both_near(one: str, other: str) -> bool:
    """Whether both texts of two compared pairs are nearly the same, in either order."""
    left, right = (tuple(map(shingles, parts_of(text))) for text in (one, other))
    if len(left) > 2:  # a sentence with its head and tail: near if the sentence is, with the same two
        return parts_of(one)[1:] == parts_of(other)[1:] and jaccard(left[0], right[0]) >= SIMILARITY
    orders = (right, right[::-1])
    return any(all(jaccard(a, b) >= SIMILARITY for a, b in zip(left, order, strict=True)) for order in orders)


def linked(found: Duplicates, texts: Sequence[str]) -> Duplicates:
    """The duplicates with one cluster for all pairs that share a text, where these are not too many rows.

    texts: as `pair_text.compared` gives them.
    """
    parent = list(found.cluster)
    before = tuple(parent)

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    first: dict[str, int] = {}
    for place, text in enumerate(texts):
        for part in _shared(parts_of(text)):
            low, high = sorted((root(place), root(first.setdefault(part, place))))
            parent[high] = low
    roots = [root(place) for place in range(len(texts))]
    sizes = Counter(roots)
    large = {one for one, rows in sizes.items() if rows > max(LARGEST * len(texts), 2)}
    cluster = tuple(before[place] if one in large else one for place, one in enumerate(roots))
    return replace(found, cluster=cluster)


def shared_problems(tables: Mapping[str, Table]) -> list[Problem]:
    """The warning for pairs of calibration and test with a text that train rows have too."""
    trained = {part for text in tables["train"].texts for part in _folded(text)}
    held = [*tables["calibration"].texts, *tables["test"].texts]
    shared = sum(not trained.isdisjoint(_folded(text)) for text in held)
    if not shared:
        return []
    message = (
        f"{shared:,} of {len(held):,} pairs of calibration and test have a text that is in train too, in another pair: "
        "figures are about texts that the model partly knows"
    )
    fix = "nothing to do if the texts of the service are the same ones, such as fixed questions; else give other files"
    return [Problem(severity="warning", code="shared_texts", message=message, fix=fix)]


def _folded(text: str) -> list[str]:
    texts = split_texts(text)
    return [fold(part) for part in _shared(texts)] if len(texts) > 1 else []


def _shared(parts: Sequence[str]) -> Sequence[str]:
    """The texts that cases of one part may share: both of a pair, of a sentence with its head and tail the sentence."""
    return parts[:1] if len(parts) > 2 else parts
