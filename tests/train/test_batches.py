"""Batches: every row once an epoch, within the budget, the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest

from penjing.train.batches import Budget, epoch_batches, pad_ids, sorted_batches

LENGTHS = np.random.default_rng(5).integers(2, 90, size=1003)
BUDGET = Budget(rows=16, tokens=300)


@pytest.mark.parametrize("epoch", [0, 1, 7])
def test_every_row_comes_once_an_epoch(epoch: int) -> None:
    batches = epoch_batches(LENGTHS, BUDGET, seed=3, epoch=epoch)
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(LENGTHS)))


def test_batches_keep_to_the_budget_and_waste_little() -> None:
    batches = epoch_batches(LENGTHS, BUDGET, seed=3, epoch=0)
    assert max(len(rows) for rows in batches) <= BUDGET.rows
    padded = [len(rows) * LENGTHS[rows].max() for rows in batches]
    assert max(padded) <= BUDGET.tokens
    assert sum(padded) < 1.15 * LENGTHS.sum()


def test_a_row_beyond_the_budget_is_a_batch_alone() -> None:
    lengths = np.array([5, 900, 6])
    batches = sorted_batches(lengths, Budget(rows=8, tokens=100))
    assert [rows.tolist() for rows in batches] == [[1], [2, 0]]


def test_order_follows_seed_and_epoch() -> None:
    def order(seed: int, epoch: int) -> list[int]:
        return np.concatenate(epoch_batches(LENGTHS, BUDGET, seed, epoch)).tolist()

    assert order(3, 0) == order(3, 0)
    assert len({tuple(order(seed, epoch)) for seed in (3, 4) for epoch in (0, 1)}) == 4


def test_batches_are_not_in_order_of_length() -> None:
    widths = [LENGTHS[rows].max() for rows in epoch_batches(LENGTHS, BUDGET, seed=3, epoch=0)]
    assert widths != sorted(widths)


def test_padding_is_masked() -> None:
    ids, mask = pad_ids([np.array([7, 8]), np.array([9, 9, 9])], padding=1)
    assert ids.tolist() == [[7, 8, 1], [9, 9, 9]]
    assert mask.tolist() == [[1, 1, 0], [1, 1, 1]]
