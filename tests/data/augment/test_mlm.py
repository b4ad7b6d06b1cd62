"""Some words are hidden and filled by what is given; what is filled with itself or with nothing stays."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from penjing.data.augment.altered import Span, free_words
from penjing.data.augment.mlm import filled
from penjing.text.words import word_spans

TEXT = "the hotel was clean ⟦email⟧ and quiet"


def upper(text: str, spans: Sequence[Span], source: Random) -> list[str]:  # noqa: ARG001 - draws nothing
    return [text[start:end].upper() for start, end in spans]


def test_the_share_of_words_is_filled_in_anew() -> None:
    for seed in range(10):
        found = filled(free_words(TEXT, word_spans), 0.5, Random(seed), upper)
        assert found is not None and found.text.lower() == TEXT
        assert sum(word.isupper() for word in found.text.split() if word != "⟦email⟧") == 3


def test_what_stays_the_same_is_no_copy() -> None:
    free = free_words(TEXT, word_spans)
    assert filled(free, 0.5, Random(0), lambda text, spans, _: [text[a:b] for a, b in spans]) is None
    assert filled(free, 0.5, Random(0), lambda _, spans, __: [" " for _ in spans]) is None
    assert filled(free_words("⟦email⟧", word_spans), 0.5, Random(0), upper) is None
