"""Hashed n-grams: each is a function of its own characters alone, wherever it stands."""

from __future__ import annotations

import numpy as np

from penjing.text.ngrams import Grams

TEXTS = [
    "房间很干净，还会再来。",
    "The room was clean, 5 stars!",
    "a",
    "x" * 3000,
    "mixed 中文 and English\twords",
    "😀𠀀好",
]


def test_a_gram_has_one_bucket_wherever_it_stands() -> None:
    bucket_of: dict[str, int] = {}
    for text in TEXTS:
        line = f" {' '.join(text.split()).lower()} "
        grams = [line[i : i + n] for n in range(1, 5) for i in range(len(line) - n + 1)]
        found = Grams(characters=4, words=0, bits=20).of(text).tolist()
        assert len(found) == len(grams)
        for gram, bucket in zip(grams, found, strict=True):
            assert bucket_of.setdefault(gram, bucket) == bucket, gram
    assert len(bucket_of) - len(set(bucket_of.values())) <= 1


def test_words_and_their_pairs_are_grams_too() -> None:
    def extra(text: str) -> set[int]:
        with_words, without = Grams(1, 2).of(text), Grams(1, 0).of(text)
        return set(with_words.tolist()) - set(without.tolist())

    assert len(extra("good room")) == 3
    assert extra("good room") == extra("GOOD   room!") == extra("(good) room")
    assert extra("good room") != extra("room good")
    assert extra("good room") & extra("room good") == extra("room") | extra("good")
    # Chinese counts by characters: no run of it is a word.
    assert extra("房间") == set()
    assert len(extra("用iPhone打")) == 1


def test_case_width_of_spaces_and_placeholders() -> None:
    grams = Grams()
    assert (grams.of("A  b\n c") == grams.of("a b c")).all()
    assert set(grams.of("⟦mobile⟧打")) != set(grams.of("⟦email⟧打"))
    assert (grams.of("call ⟦mobile⟧ now") == grams.of("Call ⟦mobile⟧  now")).all()
    assert len(grams.of("")) == len(grams.of("  \n")) == 0


def test_buckets_are_within_bounds_and_spread() -> None:
    grams = Grams(bits=12)
    found = np.concatenate([grams.of(f"row {i} 第{i}行 {i * 7919}") for i in range(2000)])
    assert found.dtype == np.int64
    assert found.min() >= 0
    assert found.max() < 4096
    distinct = np.unique(found)
    assert len(distinct) > 3500
    # 17 bits hold these few grams nearly without two in one bucket.
    singles = {text: Grams(1, 0).of(text)[1] for text in map(chr, range(0x4E00, 0x4E00 + 2000))}
    assert len(set(singles.values())) > 1960


def test_the_same_buckets_on_every_machine() -> None:
    """Of " ", "好", "a", " " and of the first two pairs: a stored model counts on these."""
    assert Grams().of("好a")[:6].tolist() == [45871, 58417, 116669, 45871, 39517, 53841]
