"""One model on one table: its answers compared with the gold, and the task's metrics with their bounds."""

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
from penjing.tasks.measure import metric_names


@dataclass(frozen=True, eq=False)
class Scored:
    """Predictions and golds of n rows, in the order of the table; `counts` (n, K) come from the task.

    Metrics have the names that the task gives them. Without a name, the first metric is meant; `keep` refers to it.
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
        """The outcome of each row by the model alone, as one unit, and whether it is wrong."""
        pairs = zip(map(self.task.facts, self.answers), self.golds, strict=True)
        return tuple(_whole(self.task, facts, gold) for facts, gold in pairs)

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcome of each row."""
        return tuple(unit.outcome for unit in self.units)

    @property
    def p(self) -> npt.NDArray[np.float64]:
        """The model's confidence in each answer, (n,) in [0, 1]."""
        return np.array([unit.score for unit in self.units], dtype=np.float64)

    @property
    def wrong(self) -> npt.NDArray[np.bool_]:
        """Which answers are errors, (n,)."""
        return np.array([bool(unit.wrong) for unit in self.units], dtype=bool)

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        """The names of the task's metrics; promises refer to the first."""
        return metric_names(self.task)

    def measure(self, name: str = "") -> Metric:
        """The metric of that name, as a function of sums of counts."""
        wanted = name or self.metrics[0]
        return lambda sums: self.task.metrics(sums)[wanted]

    def value(self, name: str = "") -> float:
        """The metric of all rows."""
        return float(self.measure(name)(self.counts.sum(axis=0)))

    def interval(self, name: str = "", rows: Sequence[int] | None = None) -> Interval:
        """The metric with its 95 % interval, on these rows (None: all rows)."""
        return bootstrap(self.counts if rows is None else self.counts[list(rows)], self.measure(name))

    def intervals(self) -> dict[str, Interval]:
        """Every metric with its 95 % interval."""
        return bootstrap_all(self.counts, self.task.metrics, errors=self.task.errors)

    def difference(self, other: Scored, name: str = "") -> Paired:
        """The metric of this model minus that of another model on the same rows."""
        return paired_difference(self.counts, other.counts, self.measure(name))

    def kept(self, other: Scored, name: str = "") -> Paired:
        """The metric of this model divided by that of another model on the same rows."""
        return paired_ratio(self.counts, other.counts, self.measure(name))

    def agreement(self, other: Scored) -> float:
        """Share of rows on which both models agree, as errors are counted; 1 for no rows."""
        pairs = zip(self.outcomes, other.outcomes, strict=True)
        return float(np.mean([not self.task.wrong(one, another) for one, another in pairs])) if len(self) else 1.0


def score(session: Session, table: Table, rows: Mapping[str, int] | None = None) -> Scored:
    """Predict every row of a table with gold. The session's task is that of the training rows.

    rows: number of rows of each stratum of the gold; promises leave out a stratum with too few rows.
    """
    task = session.task if rows is None else session.task.with_rows(rows)
    return judge(task, session.predict(table.texts, rows_of(table)), table.labels or ())


def judge(task: Task, predictions: Sequence[Prediction], golds: Sequence[str]) -> Scored:
    """Compare predictions with the gold of the same rows, and count."""
    counts = task.counts([prediction.answer for prediction in predictions], golds)
    return Scored(task, predictions, tuple(golds), counts)


def _whole(task: Task, facts: Mapping[str, Any], gold: str) -> Unit:
    outcome = task.outcome(facts)
    return Unit(task.scope(facts), facts["p"], outcome, task.wrong(outcome, gold))
