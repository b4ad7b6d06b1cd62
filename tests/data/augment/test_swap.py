"""The same words at other places: how many, which, and only within their own text."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from penjing.core.pair import join_texts
from penjing.data.augment.altered import free_words
from penjing.data.augment.swap import swap
from penjing.text.words import word_spans

TEXT = "one two three four five six seven eight nine ten"


@pytest.mark.parametrize(("share", "moved"), [(0.01, 2), (0.2, 2), (0.4, 4), (1.0, 10)])
def test_the_share_of_words_changes_places(share: float, moved: int) -> None:
    for seed in range(10):
        found = swap(free_words(TEXT, word_spans), share, Random(seed))
        assert found is not None
        pairs = list(zip(TEXT.split(), found.text.split(), strict=True))
        assert Counter(found.text.split()) == Counter(TEXT.split())
        assert sum(before != after for before, after in pairs) == moved


def test_chinese_words_are_exchanged_whole_and_the_signs_stay() -> None:
    text = "酒店位置很好，服务态度不错"
    before = [text[start:end] for start, end in word_spans(text)]
    for seed in range(10):
        found = swap(free_words(text, word_spans), 0.3, Random(seed))
        assert found is not None and found.text != text and found.text.count("，") == 1
        assert all(word in found.text for word in before) and sorted(found.text) == sorted(text)


def test_the_same_seed_gives_the_same_text_and_equal_words_are_no_pair() -> None:
    free = free_words(TEXT, word_spans)
    assert swap(free, 0.4, Random(7)) == swap(free, 0.4, Random(7))
    assert len({swap(free, 0.4, Random(seed)).text for seed in range(20)}) > 5  # type: ignore[union-attr]
    assert swap(free_words("very Very very", word_spans), 0.5, Random(0)) is None
    assert swap(free_words("once", word_spans), 0.5, Random(0)) is None


def test_no_word_goes_over_to_the_other_text_of_a_case() -> None:
    text = join_texts("one two three", "four five six")
    for seed in range(20):
        found = swap(free_words(text, word_spans), 1.0, Random(seed))
        assert found is not None
        first, second = found.text.split("\x1f")
        assert (sorted(first.split()), sorted(second.split())) == (["one", "three", "two"], ["five", "four", "six"])
