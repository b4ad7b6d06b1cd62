"""Only words that have near ones are replaced, as many as the share says, by one of them."""

from __future__ import annotations

from random import Random

from penjing.data.augment.altered import free_words
from penjing.data.augment.synonyms import synonyms
from penjing.text.words import word_spans

NEAR = {"rose": ("grew", "climbed"), "sales": ("profit",)}


def near(word: str) -> tuple[str, ...]:
    return NEAR.get(word, ())


def test_words_without_near_ones_stay() -> None:
    free = free_words("sales rose in all of May ⟦mobile⟧", word_spans)
    texts = {synonyms(free, 0.3, Random(seed), near).text for seed in range(20)}  # type: ignore[union-attr]
    assert texts == {"profit grew in all of May ⟦mobile⟧", "profit climbed in all of May ⟦mobile⟧"}
    one = {synonyms(free, 0.1, Random(seed), near).text for seed in range(20)}  # type: ignore[union-attr]
    assert "profit rose in all of May ⟦mobile⟧" in one and "sales grew in all of May ⟦mobile⟧" in one
    assert synonyms(free_words("nothing near", word_spans), 0.5, Random(0), near) is None
