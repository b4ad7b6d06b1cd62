"""Changed copies of texts without labels: some words are left out, and some of the others exchange their places.

    left out: half of a share of the words (data/augment/deletion);   exchanged: the other half (data/augment/swap)

Source: Wei and Zou, EDA: Easy Data Augmentation, 2019 (deletion, swap). Placeholders of the masking are never changed,
and every text of a case of several keeps at least one word.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from penjing.data.augment.altered import free_words
from penjing.data.augment.deletion import deletion
from penjing.data.augment.swap import swap
from penjing.text.words import word_spans


def changed_copies(texts: Sequence[str], share: float, copies: int, seed: int) -> list[str]:
    """`copies` changed copies of each text, one copy of all texts after another; the same for the same seed.

    share: of the words that are changed, above 0. A text of one word stays as it is.
    """
    return [_changed(text, share, Random(f"{seed} {copy} {text}")) for copy in range(copies) for text in texts]


def _changed(text: str, share: float, source: Random) -> str:
    for alter in (deletion, swap):
        found = alter(free_words(text, word_spans), share / 2, source)
        text = text if found is None else found.text
    return text
