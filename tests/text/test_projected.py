"""Texts as short vectors: length, products, and no difference by order."""

from __future__ import annotations

import numpy as np
import pytest

from penjing.text.projected import SIZE, project

TEXTS = ["我的卡丢了怎么办", "我的卡丢了，怎么办？", "明天一起吃饭吗", "how do I activate my card", ""]


def test_like_texts_are_near_and_others_are_not() -> None:
    seen = []
    vectors = project(TEXTS, seen=lambda: seen.append(1))
    assert vectors.shape == (5, SIZE) and vectors.dtype == np.float32
    assert len(seen) == 2 * len(TEXTS)
    assert np.linalg.norm(vectors[:4], axis=1) == pytest.approx(np.ones(4), abs=1e-6)
    assert not vectors[4].any()
    assert vectors[0] @ vectors[1] > 0.5 > 0.3 > abs(vectors[0] @ vectors[2])


def test_a_vector_does_not_depend_on_the_order_of_the_texts() -> None:
    order = [3, 0, 4, 2, 1]
    assert (project([TEXTS[place] for place in order]) == project(TEXTS)[order]).all()


def test_products_estimate_those_of_longer_vectors() -> None:
    texts = [f"{first}{second} 天气 {first * second}" for first in range(12) for second in range(12)]
    short, long = project(texts), project(texts, 16384)
    assert np.abs(short @ short.T - long @ long.T).mean() < 1 / np.sqrt(SIZE)
