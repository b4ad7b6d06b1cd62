"""One model on one table: its answers against the gold, and the metrics of its task with their bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from penjing.core.answers import Answer
from penjing.core.nouns import Prediction, Table
from penjing.core.task import Task, Unit
from penjing.data.features import rows_of
from penjing.measure.evaluate import Interval, Metric, Paired, bootstrap, bootstrap_all, paired_difference, paired_ratio
from penjing.runtime.session import Session


@dataclass(frozen=True, eq=False)
class Scored:
    """Predictions of n rows with their golds, in the order of the table; `counts` (n, K) are those of the task.

    A metric is named as the task names it; where none is named, it is the first, which `keep` keeps.
    """

    task: Task
    predictions: Sequence[Prediction]
    golds: tuple[str, ...]
    counts: npt.NDArray[np.float64]  # (n, K)

    def __len__(self) -> int:
        return len(self.golds)

    @property
    def answers(self) -> list[Answer]:
        """The answer of each row."""
        return [prediction.answer for prediction in self.predictions]

    @cached_property
    def units(self) -> tuple[Unit, ...]:
        """What would be decided on each row by the model alone, and whether it is wrong."""
        pairs = zip(self.answers, self.golds, strict=True)
        return tuple(unit_of(self.task, self.task.facts(answer), gold) for answer, gold in pairs)

    @property
    def outcomes(self) -> tuple[str, ...]:
        """What would be decided on each row."""
        return tuple(unit.outcome for unit in self.units)

    @property
    def p(self) -> npt.NDArray[np.float64]:
        """How sure the model is of each answer, (n,) in [0, 1]."""
        return np.array([unit.score for unit in self.units], dtype=np.float64)

    @property
    def wrong(self) -> npt.NDArray[np.bool_]:
        """Which answers are errors, (n,)."""
        return np.array([bool(unit.wrong) for unit in self.units], dtype=bool)

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        """The names of the task's metrics; the first is the one of promises."""
        return metric_names(self.task)

    def measure(self, name: str = "") -> Metric:
        """The metric of that name, as a function of sums of counts."""
        wanted = name or self.metrics[0]
        return lambda sums: self.task.metrics(sums)[wanted]

    def value(self, name: str = "") -> float:
        """The metric of all rows."""
        return float(self.measure(name)(self.counts.sum(axis=0)))

    def interval(self, name: str = "", rows: Sequence[int] | None = None) -> Interval:
        """The metric with its 95 % interval, on some of the rows (None: on all)."""
        return bootstrap(self.counts if rows is None else self.counts[list(rows)], self.measure(name))

    def intervals(self) -> dict[str, Interval]:
        """Every metric with its 95 % interval."""
        return bootstrap_all(self.counts, self.task.metrics)

    def difference(self, other: Scored, name: str = "") -> Paired:
        """The metric of this model less that of another on the same rows."""
        return paired_difference(self.counts, other.counts, self.measure(name))

    def kept(self, other: Scored, name: str = "") -> Paired:
        """The metric of this model as a share of that of another on the same rows."""
        return paired_ratio(self.counts, other.counts, self.measure(name))

    def agreement(self, other: Scored) -> float:
        """Share of rows on which the two decide the same; 1 for no rows."""
        pairs = zip(self.outcomes, other.outcomes, strict=True)
        return float(np.mean([one == another for one, another in pairs])) if len(self) else 1.0


def score(session: Session, table: Table, rows: Mapping[str, int] | None = None) -> Scored:
    """Predict every row of a table with gold. The session's task is that of the training rows.

    rows: how many rows each stratum of the gold has; what has too few is in no promise.
    """
    task = session.task if rows is None else session.task.with_rows(rows)
    return judge(task, session.predict(table.texts, rows_of(table)), table.labels or ())


def judge(task: Task, predictions: Sequence[Prediction], golds: Sequence[str]) -> Scored:
    """Predictions counted against the gold of the same rows."""
    counts = task.counts([prediction.answer for prediction in predictions], golds)
    return Scored(task, predictions, tuple(golds), counts)


def metric_names(task: Task) -> tuple[str, ...]:
    """The names of a task's metrics, in its order."""
    return tuple(task.metrics(task.counts((), ()).sum(axis=0)))


def unit_of(task: Task, facts: Mapping[str, Any], gold: str) -> Unit:
    """What a certificate counts of one case: the facts are those that its policy sees."""
    outcome = task.outcome(facts)
    return Unit(task.scope(facts), facts["p"], outcome, task.wrong(outcome, gold))
