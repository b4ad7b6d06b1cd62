"""Crops are pieces of their documents, as long as the given texts, and every one has the same chance."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from penjing.compress.parts.crops import crops, sample_crops

DOCUMENT = "今天的天气很好，我们一起去公园散步。路上遇到了老朋友，聊了很久！Then we went home. 晚上下雨了；明天再说吧。"


def test_crops_cover_a_document_and_end_at_clauses() -> None:
    made = list(crops(DOCUMENT, [12, 20], random.Random(1)))
    assert "".join(made).replace(" ", "") == DOCUMENT.replace(" ", "")
    assert all(len(crop) <= 20 for crop in made) and len(made) >= 4
    ends = [crop[-1] for crop in made]
    assert sum(end in "，。！；.吧" for end in ends) >= len(ends) - 1, made
    assert list(crops("abc", [5], random.Random(1))) == [], "too short for a text"
    assert list(crops("，。开始吧，", [9], random.Random(1))) == ["开始吧，"], "no crop begins with the end of another"
    long = "x" * 50
    assert [len(crop) for crop in crops(long, [20], random.Random(1))] == [20, 20, 10]


def test_the_sample_is_bounded_repeatable_and_fair() -> None:
    documents = [f"document number {number:03d}" for number in range(200)]
    first = sample_crops(documents, ["x" * 40], 50, seed=1)
    assert len(first) == 50 == len(set(first)) and set(first) <= set(documents)
    assert first == sample_crops(iter(documents), ["x" * 40], 50, seed=1) != sample_crops(documents, ["x" * 40], 50, 2)
    counted = Counter(crop for seed in range(200) for crop in sample_crops(documents, ["x" * 40], 50, seed))
    # Each of 200 is in a sample of 50 a quarter of the times: 50 of 200 draws, give or take five spreads of 6.1.
    assert len(counted) == 200 and all(20 < count < 81 for count in counted.values())
    assert sample_crops(["same text"] * 9, ["x" * 40], 50, 1) == ["same text"]
    with pytest.raises(KeyboardInterrupt):
        sample_crops(documents, ["x" * 40], 50, 1, lambda: (_ for _ in ()).throw(KeyboardInterrupt()))
