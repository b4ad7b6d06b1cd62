"""The metrics of a task on outputs of a model, without a session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from penjing.core.task import Item, Outputs, Task

_DIGITS = 6


def metric_names(task: Task) -> tuple[str, ...]:
    """Names of the task's metrics; the first is the one that `keep` is about."""
    return tuple(task.metrics(task.counts([], []).sum(axis=0)))


def measure_outputs(
    task: Task, outputs: Outputs, calibration: Mapping[str, Any], golds: Sequence[str], items: Sequence[Item] = ()
) -> dict[str, float]:
    """The task's metrics of outputs by head."""
    sums = task.counts(task.decode(outputs, calibration, items), golds).sum(axis=0)
    return {name: float(value) for name, value in task.metrics(sums).items()}


def validation_metrics(
    task: Task, outputs: Outputs, calibration: Mapping[str, Any], golds: Sequence[str], items: Sequence[Item] = ()
) -> dict[str, float]:
    """The same in the form of a card: `validation_NAME`, rounded to 1e-6."""
    found = measure_outputs(task, outputs, calibration, golds, items)
    return {f"validation_{name}": round(value, _DIGITS) for name, value in found.items()}


def agreement(task: Task, outputs: Outputs, others: Outputs, golds: Sequence[str], items: Sequence[Item] = ()) -> float:
    """The share of items on which two models, each calibrated on these golds, decide alike, as errors are counted."""
    said, meant = (
        [task.outcome(task.facts(answer)) for answer in task.decode(one, task.fit(one, golds, items), items)]
        for one in (outputs, others)
    )
    return sum(not task.wrong(a, b) for a, b in zip(said, meant, strict=True)) / max(1, len(said))
