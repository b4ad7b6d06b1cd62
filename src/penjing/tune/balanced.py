"""Batches in which every label has several rows, for methods that compare the rows of a batch with each other.

    labels of a batch: in turn, at most half as many as rows; each gives the same number of its rows, in its own order

A label with one row gives it twice: read with dropout, its two states differ. Strata stand for labels where a task has
none (`Reader.strata`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from penjing.train.batches import Budget, Ints

# Fewer rows than these compare nothing.
_LEAST = 4


def balanced_batches(
    strata: Sequence[str], lengths: Ints, budget: Budget, draws: int, seed: int, epoch: int
) -> list[Ints]:
    """The batches of an epoch in which a row is drawn `draws` times on average; the same for the same seed and epoch.

    strata, lengths: of each row, (n,). A batch has the tokens of the budget, but at least four rows.
    """
    draw = np.random.default_rng([seed, epoch])
    _, places = np.unique(np.asarray(strata, dtype=np.str_), return_inverse=True)
    rows_of = [np.flatnonzero(places == place) for place in range(int(places.max()) + 1)]
    size = max(_LEAST, min(budget.rows, budget.tokens // int(lengths.max())))
    width = min(len(rows_of), size // 2)
    each = size // width
    turns = _endless(np.arange(len(rows_of)), draw)
    orders = [_endless(rows, draw) for rows in rows_of]
    batches, taken = [], 0
    while taken < draws * len(places):
        labels = [next(turns) for _ in range(width)]
        batch = [next(orders[label]) for label in labels for _ in range(max(2, min(each, len(rows_of[label]))))]
        batches.append(np.array(batch, dtype=np.int64))
        taken += len(batch)
    return batches


def _endless(values: Ints, draw: np.random.Generator) -> Iterator[int]:
    """The values in a new order again and again."""
    while True:
        yield from draw.permutation(values).tolist()
