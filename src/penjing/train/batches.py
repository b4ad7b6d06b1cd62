"""Batches of rows: texts of similar length together, with a limit on tokens, in a seeded order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

Ints = npt.NDArray[np.int64]

# Rows are sorted by length within a pool of this many batches: little padding, and a new mixture in each epoch.
_POOL = 50


@dataclass(frozen=True)
class Budget:
    """Limits of a batch: rows, and rows x longest text in tokens. A row longer than `tokens` is a batch of its own."""

    rows: int
    tokens: int


def epoch_batches(lengths: Ints, budget: Budget, seed: int, epoch: int) -> list[Ints]:
    """The batches of one epoch, every row once; the same seed and epoch give the same batches."""
    draw = np.random.default_rng([seed, epoch])
    order = draw.permutation(len(lengths))
    pool = _POOL * budget.rows
    batches: list[Ints] = []
    for start in range(0, len(order), pool):
        part = order[start : start + pool]
        batches += _cut(part[np.argsort(lengths[part], kind="stable")], lengths, budget)
    return [batches[index] for index in draw.permutation(len(batches))]


def sorted_batches(lengths: Ints, budget: Budget) -> list[Ints]:
    """All rows once, longest first: for evaluation, so that a lack of memory shows at the start."""
    return _cut(np.argsort(-lengths, kind="stable"), lengths, budget)


def pad_ids(ids: Sequence[Ints], padding: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and attention mask, both (batch, longest) int64."""
    longest = max(len(row) for row in ids)
    table = np.full((len(ids), longest), padding, dtype=np.int64)
    mask = np.zeros((len(ids), longest), dtype=np.int64)
    for index, row in enumerate(ids):
        table[index, : len(row)] = row
        mask[index, : len(row)] = 1
    return torch.from_numpy(table), torch.from_numpy(mask)


def _cut(order: Ints, lengths: Ints, budget: Budget) -> list[Ints]:
    batches: list[Ints] = []
    start, longest = 0, 0
    for position, row in enumerate(order):
        widest = max(longest, int(lengths[row]))
        size = position - start
        if size and (size >= budget.rows or (size + 1) * widest > budget.tokens):
            batches.append(order[start:position])
            start, widest = position, int(lengths[row])
        longest = widest
    if start < len(order):
        batches.append(order[start:])
    return batches
