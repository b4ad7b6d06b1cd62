"""A bounded random sample of pieces of corpus documents (crops) that are as long as given texts.

The length of a crop in characters is drawn from the lengths of the given texts. A crop ends after a sentence, a clause
or a word, where one ends in its second half. One pass over the corpus keeps every crop with the same chance, whatever
their number. Source: Vitter, Random Sampling with a Reservoir, 1985 (algorithm R).
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

# Where a crop ends, the best place first: after a sentence or a line, after a clause, at a space.
_ENDS = tuple(map(re.compile, (r"[。！？!?；;\n]+|\.(?=\s)", r"[，,、：:](?!\d)", r"\s")))
_NEVER_FIRST = "，。、；：！？,.;:!? "
_SHORTEST = 4
# A crop ends in its second half, so that it has at least half of the drawn length.
_LEAST = 0.5


def sample_crops(
    documents: Iterable[str], like: Sequence[str], most: int, seed: int, tick: Callable[[], None] = lambda: None
) -> list[str]:
    """At most `most` crops, none twice, in an order that depends on documents, lengths and seed alone.

    like: the texts whose lengths are drawn; tick: called after each document; it may raise to stop.
    """
    lengths, source = [len(text) for text in like], random.Random(seed)
    kept: list[str] = []
    seen = 0
    for document in documents:
        for crop in crops(document, lengths, source):
            seen += 1
            if len(kept) < most:
                kept.append(crop)
            elif (place := source.randrange(seen)) < most:
                kept[place] = crop
        tick()
    return list(dict.fromkeys(kept))


def crops(document: str, lengths: Sequence[int], source: random.Random) -> Iterator[str]:
    """The document in pieces one after another; their lengths are drawn from `lengths`."""
    start = 0
    while start < len(document):
        wanted = max(_SHORTEST, source.choice(lengths))
        end = min(start + wanted, len(document))
        if end < len(document):
            end = _end(document, start + int(_LEAST * wanted), end)
        crop = document[start:end].strip().lstrip(_NEVER_FIRST)
        if len(crop) >= _SHORTEST:
            yield crop
        start = end


def _end(document: str, first: int, last: int) -> int:
    """The last of the best places between two positions; `last` where there is none."""
    for pattern in _ENDS:
        ends = [found.end() for found in pattern.finditer(document, first, last)]
        if ends:
            return ends[-1]
    return last
