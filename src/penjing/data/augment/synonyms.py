"""Synonyms: some words of a text are replaced by near ones.

    replaced = max(1, round(share * words)) of the words that have near ones; each by one of these, drawn at random

What is near is given: `penjing.train.near_words` takes the words of the train texts whose vectors in the base's own
table of embeddings have the highest cosine. No thesaurus is shipped. Near in such a table is "used alike", not "means
the same": `good` may be near `bad`.
Source: Wei and Zou, EDA, 2019 (synonym replacement, by WordNet); Jiao et al., TinyBERT, 2020 (by near vectors).
When: few rows, and a base that was pre-trained on such texts. When not: labels that differ in one word of a kind
(`rose`, `fell`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from penjing.data.augment.altered import Free, rewritten
from penjing.data.masked import Masked

# The near words of a word, the nearest first; none for one without.
Near = Callable[[str], Sequence[str]]


def synonyms(free: Free, share: float, source: Random, near: Near) -> Masked | None:
    """The text with this share of its free words replaced by near ones; None where no word has one."""
    known = [place for place in range(len(free.words)) if near(free.word(place))]
    if not known:
        return None
    chosen = source.sample(known, min(len(known), max(1, round(share * len(free.words)))))
    return rewritten(
        free.text, [(*free.words[place], source.choice(near(free.word(place)))) for place in sorted(chosen)]
    )
