"""What is wrong with limits by label of sets of labels, and which labels have too few rows for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import cast

from penjing.core.errors import PenjingError, RecipeError
from penjing.core.labelwise import LabelwiseTask
from penjing.core.recipe import RecipeFile
from penjing.core.task import Task
from penjing.data.audit import Problem
from penjing.data.prepare import Prepared
from penjing.prove.by_label import few_rows, limits_of_labels
from penjing.prove.label_path import able
from penjing.prove.sequence import DELTA
from penjing.tasks import as_certified, certifies_labels

_SHOWN = 8


def label_faults(file: RecipeFile, task: Task) -> list[PenjingError]:
    """Faults of `certify: label`: a task without sets of labels, an unknown label, no limit on misses."""
    decide = file.recipe.decide
    if not certifies_labels(task):
        what = f"`certify: label` is about answers that are sets of labels, and those of the task `{task.name}` are not"
        return [RecipeError(what, where=file.where("decide", "certify"), fix="take `certify` out")]
    labels = cast(LabelwiseTask, as_certified(task, decide.certify))
    try:
        limits_of_labels(labels.labels, decide.max_error, decide.max_miss)
    except RecipeError as error:
        key = "max_error" if error.what.startswith("`max_error`") else "max_miss"
        where = file.where("decide", key if key in decide.model_fields_set else "certify")
        return [RecipeError(error.what, where=where, fix=error.fix)]
    return []


def label_problems(file: RecipeFile, data: Prepared) -> list[Problem]:
    """A warning with the labels of too few rows: no limit is about each of them, and none is given without a person."""
    decide, task = file.recipe.decide, data.task
    if decide.certify != "label" or label_faults(file, task):
        return []
    whole = as_certified(task, decide.certify)
    labels = cast(LabelwiseTask, whole)
    limits = limits_of_labels(labels.labels, decide.max_error, decide.max_miss)
    counts = Counter(label for gold in data.validation.labels or () for label in labels.members(gold))
    known, rows, delta = len(data.validation), len(data.calibration), DELTA * file.recipe.data.level_share
    few = set(few_rows(whole, data.audit.rows_by_label))
    few |= {name for name, (_, miss) in limits.items() if not able(counts[name], known, rows, miss, delta)}
    found = [name for name in labels.labels if name in few and name in limits]
    if not found:
        return []
    message = (
        f"{len(found):,} of {len(limits):,} labels have too few rows to limit how often they are missed: "
        f"{_listed(found)}; a text that the model gives one of them always goes to a person"
    )
    fix = "label more texts of them, loosen `max_miss`, or join them to a coarser label"
    return [Problem(severity="warning", code="margin", message=message, fix=fix)]


def _listed(names: Sequence[str]) -> str:
    listed = ", ".join(f"`{name[:60]}`" for name in names[:_SHOWN])
    return listed + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
