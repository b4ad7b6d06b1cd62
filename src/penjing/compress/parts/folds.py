"""Folds of rows: a model fitted without a row answers it, to teach, to find wrong labels, or to compare models.

    by hash:  fold of a row = floor(k hash(group of the row, or its text))
    dealt:    each unit of rows goes to the fold with the fewest rows of its label, then of its part, then of all

Rows of one group, and equal texts, are in one fold. By hash, the fold of a row depends on that row alone; one fold may
hold all rows of a rare label. Dealt, every fold has its share of a label.
Sources: Wolpert, Stacked Generalization, 1992 (outputs on rows that a model was fitted to are too certain, and say
nothing about how it errs); Kohavi, A Study of Cross-Validation and Bootstrap for Accuracy Estimation and Model
Selection, 1995 (equal shares of labels).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from penjing.core.canon import unit_hash
from penjing.core.errors import DataError
from penjing.core.nouns import Table

Answered = TypeVar("Answered")
# Positions of the rows that are learned from, and of those that are answered.
AnswerFold = Callable[[list[int], list[int]], Sequence[Answered]]


def fold_numbers(table: Table, folds: int) -> npt.NDArray[np.int64]:
    """The fold of each row, (n,) from 0. It depends on the row's group or text alone, not on the other rows."""
    return np.array([int(unit_hash("fold", unit) * folds) for unit in table.units], dtype=np.int64)


def without_fold(table: Table, folds: int, fold: int) -> Table:
    """The rows of the other folds, in their order."""
    return table.take(np.flatnonzero(fold_numbers(table, folds) != fold).tolist())


def fold_teacher(fold: int) -> str:
    """The name, among the teachers of a step, of the one that was tuned without this fold."""
    return f"fold-{fold + 1}"


def deal(units: Sequence[str], strata: Sequence[tuple[str, ...]], folds: int, seed: int = 0) -> npt.NDArray[np.int64]:
    """The fold of each row, (n,) from 0. Rows of one unit go together; the order of the rows does not matter.

    strata: of each row what the folds have equal shares of, the most important first, such as (label, part).
    """
    members: dict[str, list[int]] = {}
    for place, unit in enumerate(units):
        members.setdefault(unit, []).append(place)
    # Large units first: small ones fill what these leave uneven.
    order = sorted(members, key=lambda unit: (-len(members[unit]), unit_hash("deal", str(seed), unit), unit))
    held: list[Counter[tuple[int, str]]] = [Counter() for _ in range(folds)]
    sizes, numbers = [0] * folds, np.zeros(len(units), dtype=np.int64)
    levels = len(strata[0]) if strata else 0
    for unit in order:
        rows = members[unit]

        def load(fold: int, rows: list[int] = rows) -> tuple[int, ...]:
            of = [sum(held[fold][level, strata[place][level]] for place in rows) for level in range(levels)]
            return (*of, sizes[fold], fold)

        chosen = min(range(folds), key=load)
        numbers[rows] = chosen
        sizes[chosen] += len(rows)
        held[chosen].update((level, strata[place][level]) for place in rows for level in range(levels))
    return numbers


def answer_out_of_fold(
    numbers: npt.NDArray[np.int64], folds: int, answer: AnswerFold[Answered], done: Callable[[int], None]
) -> tuple[list[int], list[Answered]]:
    """The positions of the rows that were answered, fold by fold, and what was answered of each.

    numbers: (n,) the fold of each row; a row of fold -1 is only learned from. answer: fits on the first positions and
    answers the second. Where it raises DataError (no row, or rows of one label only), nothing is said of that fold.
    done: called after each fold with the number of folds that are done.
    """
    positions, answers = list[int](), list[Answered]()
    for fold in range(folds):
        held = np.flatnonzero(numbers == fold).tolist()
        try:
            answers += answer(np.flatnonzero(numbers != fold).tolist(), held)
            positions += held
        except DataError:
            continue
        finally:
            done(fold + 1)
    return positions, answers
