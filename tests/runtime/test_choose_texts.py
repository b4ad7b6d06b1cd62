"""Which texts are chosen: values by hand, spread over the space, ties, and the same choice each time."""

from __future__ import annotations

import numpy as np
import pytest

from penjing.runtime.choose_texts import Pool, choose


def test_the_most_doubtful_come_first_and_ties_keep_their_order() -> None:
    pool = Pool(np.array([0.1, 0.9, 0.5, 0.9, 0.2]))
    assert choose("margin", pool, 3) == [1, 3, 2]
    assert choose("entropy", pool, 99) == [1, 3, 2, 4, 0]
    assert choose("rare", Pool(np.zeros(0)), 5) == []


def test_diversity_takes_what_is_furthest_from_all_that_is_known() -> None:
    vectors = np.array([[0, 0], [1, 0], [10, 0], [10, 1], [0, 9]], dtype=np.float32)
    known = np.array([[0, 0]], dtype=np.float32)
    pool = Pool(np.zeros(5), vectors=vectors, known=known)
    assert choose("diversity", pool, 3) == [3, 4, 1]  # then 1 and 2 are both 1 away; the first in the order
    alone = choose("diversity", Pool(np.zeros(5), vectors=vectors), 5)
    assert sorted(alone) == [0, 1, 2, 3, 4]


def test_many_labelled_texts_are_compared_in_blocks() -> None:
    draw = np.random.default_rng(0)
    vectors = draw.normal(size=(40, 8)).astype(np.float32)
    known = draw.normal(size=(300, 8)).astype(np.float32)
    distances = ((vectors[:, None] - known[None]) ** 2).sum(axis=2).min(axis=1)
    assert choose("diversity", Pool(np.zeros(40), vectors=vectors, known=known), 1) == [int(distances.argmax())]


def test_badge_measures_distances_of_the_products_it_never_writes_down() -> None:
    draw = np.random.default_rng(3)
    residuals = draw.normal(size=(30, 3)).astype(np.float32)
    vectors = draw.normal(size=(30, 4)).astype(np.float32)
    whole = np.einsum("ni,nj->nij", residuals, vectors).reshape(30, -1)
    chosen = choose("badge", Pool(np.zeros(30), residuals, vectors), 30)
    assert chosen[0] == int((whole**2).sum(axis=1).argmax())
    assert sorted(chosen) == list(range(30))
    assert chosen == choose("badge", Pool(np.zeros(30), residuals, vectors), 30)


def test_badge_takes_one_text_of_each_group_before_a_second() -> None:
    centres = np.eye(4, dtype=np.float32)
    vectors = np.repeat(centres, 25, axis=0)
    residuals = np.full((100, 2), 0.5, dtype=np.float32)
    chosen = choose("badge", Pool(np.zeros(100), residuals, vectors), 6)
    assert {place // 25 for place in chosen[:4]} == {0, 1, 2, 3}
    assert len(set(chosen)) == 6  # texts at distance 0 are taken once the others are gone


def test_a_pool_without_what_a_method_needs_is_refused() -> None:
    for method in ("badge", "diversity"):
        with pytest.raises(ValueError, match=method):
            choose(method, Pool(np.zeros(2)), 1)  # type: ignore[arg-type]
