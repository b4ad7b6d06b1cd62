"""The order in which many texts are summed, and the counts of neighbours."""

from __future__ import annotations

import numpy as np
import pytest

from penjing.tasks import tag_sums
from penjing.tasks.tag_chain import TagChain, may_follow
from penjing.tasks.tag_sums import chunk_sums, pair_counts, unit_steps

SIZE = 5


def test_the_longest_text_comes_first_and_texts_without_units_never() -> None:
    steps = unit_steps([2, 0, 3])
    assert [[rows.tolist() for rows in chunk] for chunk in steps] == [[[2, 0], [3, 1], [4]]]


def test_texts_come_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tag_sums, "_TOGETHER", 1)
    assert [[rows.tolist() for rows in chunk] for chunk in unit_steps([1, 2])] == [[[1], [2]], [[0]]]


def test_neighbours_of_two_texts_are_none() -> None:
    assert pair_counts(np.array([0, 1, 1, 2]), [2, 2], 3).tolist() == [[0, 1, 0], [0, 0, 1], [0, 0, 0]]


def test_the_sums_of_many_texts_are_those_of_each() -> None:
    random = np.random.default_rng(0)
    sizes = [3, 5, 1]
    table, following = random.normal(size=(9, SIZE)), random.normal(size=(SIZE, SIZE))
    shares = np.exp(table - table.max(axis=1, keepdims=True))
    move = np.where(may_follow(SIZE), np.exp(following), 0.0)
    apart, pairs = np.zeros_like(shares), np.zeros_like(move)
    logged = sum(chunk_sums(steps, shares, move, apart, pairs) for steps in unit_steps(sizes))
    each = [TagChain.of(one, following, 1.0) for one in np.split(table, np.cumsum(sizes)[:-1])]
    assert logged == pytest.approx(sum(float(np.log(one.scale).sum()) for one in each))
    assert apart == pytest.approx(np.concatenate([one.forward * one.backward for one in each]))
    assert pairs.sum() == pytest.approx(sum(sizes) - len(sizes))
