"""Folds of the train rows: a teacher that was tuned without a row gives that row's logits.

    fold of a row = floor(k hash(group of the row, or its text))

Rows of one group, and equal texts, are in one fold. Source: Wolpert, Stacked Generalization, 1992: outputs on rows that
a model was fitted to are too certain, and say nothing about how it errs.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from penjing.core.canon import unit_hash
from penjing.core.nouns import Table


def fold_numbers(table: Table, folds: int) -> npt.NDArray[np.int64]:
    """The fold of each row, (n,) from 0. It depends on the row's group or text alone, not on the other rows."""
    return np.array([int(unit_hash("fold", unit) * folds) for unit in table.units], dtype=np.int64)


def without_fold(table: Table, folds: int, fold: int) -> Table:
    """The rows of the other folds, in their order."""
    return table.take(np.flatnonzero(fold_numbers(table, folds) != fold).tolist())


def fold_teacher(fold: int) -> str:
    """The name, among the teachers of a step, of the one that was tuned without this fold."""
    return f"fold-{fold + 1}"
