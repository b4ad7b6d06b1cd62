"""Balanced batches: several rows of each label, the number of draws, the budget, the same for the same seed."""

from __future__ import annotations

import numpy as np

from penjing.train.batches import Budget
from penjing.tune.balanced import balanced_batches

LENGTHS = np.full(12, 10, dtype=np.int64)
STRATA = ["a"] * 6 + ["b"] * 5 + ["c"]


def test_every_label_of_a_batch_has_at_least_two_rows_and_none_is_left_out() -> None:
    batches = balanced_batches(STRATA, LENGTHS, Budget(8, 1000), draws=6, seed=0, epoch=0)
    counts = np.zeros(12, dtype=np.int64)
    for batch in batches:
        _, sizes = np.unique([STRATA[row] for row in batch], return_counts=True)
        assert sizes.min() >= 2 and len(batch) <= 8
        np.add.at(counts, batch, 1)
    assert counts.min() > 0 and 72 <= counts.sum() < 72 + 8
    assert counts[:6].max() - counts[:6].min() <= 1, "rows of a label take turns"


def test_more_labels_than_a_batch_has_room_for_take_turns() -> None:
    strata = [f"l{row // 2}" for row in range(40)]
    batches = balanced_batches(strata, np.full(40, 5), Budget(8, 1000), draws=1, seed=0, epoch=0)
    seen = [{strata[row] for row in batch} for batch in batches]
    assert all(len(labels) == 4 for labels in seen)
    assert set.union(*seen) == set(strata)


def test_tokens_bound_a_batch_down_to_four_rows() -> None:
    sizes = {
        tokens: {len(batch) for batch in balanced_batches(STRATA[:11], LENGTHS[:11], Budget(16, tokens), 2, 0, 0)}
        for tokens in (1000, 60, 8)
    }
    assert sizes == {1000: {6 + 5}, 60: {6}, 8: {4}}


def test_the_same_seed_and_epoch_give_the_same_batches() -> None:
    def go(seed: int, epoch: int) -> list[list[int]]:
        return [each.tolist() for each in balanced_batches(STRATA, LENGTHS, Budget(8, 1000), 3, seed, epoch)]

    assert go(1, 2) == go(1, 2)
    assert len({str(go(1, 2)), str(go(1, 3)), str(go(2, 2))}) == 3
