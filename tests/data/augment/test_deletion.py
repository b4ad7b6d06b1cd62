"""How many words are left out, that something always stays, and that no two spaces do."""

from __future__ import annotations

from random import Random

import pytest

from penjing.core.pair import join_texts
from penjing.data.augment.altered import free_words
from penjing.data.augment.deletion import deletion
from penjing.text.words import word_spans

TEXT = "one two three four five six seven eight nine ten"


@pytest.mark.parametrize(("share", "left"), [(0.01, 9), (0.3, 7), (1.0, 1)])
def test_the_share_of_words_is_left_out(share: float, left: int) -> None:
    for seed in range(10):
        found = deletion(free_words(TEXT, word_spans), share, Random(seed))
        assert found is not None
        words = found.text.split()
        assert len(words) == left and words == [word for word in TEXT.split() if word in words]
        assert "  " not in found.text and not found.text.startswith(" ")


def test_each_text_of_a_case_keeps_a_word() -> None:
    text = join_texts("one two three", "four five")
    found = deletion(free_words(text, word_spans), 1.0, Random(0))
    assert found is not None and all(len(part.split()) == 1 for part in found.text.split("\x1f"))
    assert deletion(free_words("once", word_spans), 1.0, Random(0)) is None
    assert deletion(free_words("⟦mobile⟧ ⟦email⟧", word_spans), 1.0, Random(0)) is None


def test_the_same_seed_gives_the_same_text() -> None:
    free = free_words("酒店位置很好，服务态度不错，⟦mobile⟧", word_spans)
    assert deletion(free, 0.3, Random(7)) == deletion(free, 0.3, Random(7))
    assert all("⟦mobile⟧" in deletion(free, 0.9, Random(seed)).text for seed in range(10))  # type: ignore[union-attr]
