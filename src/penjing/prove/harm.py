"""The harm table: for each true label, the share of its cases decided wrongly without a person, with its bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from penjing.core.task import SetReader, Task
from penjing.prove.sequence import DELTA, upper_bound

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Harm:
    """What happened to the rows of one true label.

    rows: all of them, those reviewed included. wrong: decided wrongly without a person, by the model or by a rule.
    forced: those of them whose outcome a rule forced. high: one-sided upper bound on the probability that a case of
    this label is decided wrongly without a person. best: the bound that as many rows without any such case would have.
    """

    label: str
    rows: int
    wrong: int
    forced: int
    high: float
    best: float


def harm_table(
    task: Task,
    outcomes: Sequence[str],
    golds: Sequence[str],
    automated: Bools,
    forced: Bools,
    delta: float = DELTA,
) -> tuple[Harm, ...]:
    """The harm of each stratum of the gold (of a task of labels: each label), the most frequent one first.

    outcomes, golds, automated, forced: one each of n rows. automated: decided by the model without a person; forced:
    the outcome is set by a rule. Each bound holds by itself with confidence 1 - delta (Clopper and Pearson, 1934).
    """
    wrong = np.array([task.wrong(*pair) for pair in zip(outcomes, golds, strict=True)], dtype=bool)
    found = []
    for label, own in _groups(task, golds).items():
        rows, by_rule = int(own.sum()), int((own & wrong & forced).sum())
        missed = int((own & wrong & (automated | forced)).sum())
        high = upper_bound(missed, rows, delta)
        found.append(Harm(str(label), rows, missed, by_rule, high, best_bound(rows, delta)))
    return tuple(sorted(found, key=lambda each: (-each.rows, each.label)))


def _groups(task: Task, golds: Sequence[str]) -> dict[str, Bools]:
    """The rows (n,) of each stratum; where gold is a set, those of each label, and a row may be of several."""
    names = [task.parts(gold) for gold in golds] if isinstance(task, SetReader) else [(s,) for s in task.strata(golds)]
    found: dict[str, Bools] = {}
    for row, mine in enumerate(names):
        for name in mine:
            found.setdefault(name, np.zeros(len(golds), dtype=bool))[row] = True
    return found


def best_bound(rows: int, delta: float = DELTA) -> float:
    """1 - delta^(1/n): the smallest probability that n rows can prove, if none of them goes wrong; 1 for no rows."""
    return float(1 - delta ** (1 / rows)) if rows else 1.0
