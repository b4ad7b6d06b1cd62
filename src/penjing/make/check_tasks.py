"""What the rows of each of several tasks in one can prove: a row without a label for a task says nothing of it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from penjing.core.errors import RecipeError
from penjing.core.recipe import Recipe
from penjing.core.task import JointTask, Task
from penjing.data.audit import Problem, best_error, rows_that_certify
from penjing.data.prepare import Prepared
from penjing.prove.joint import limits_of_tasks
from penjing.prove.sequence import DELTA


def task_problems(recipe: Recipe, data: Prepared) -> list[Problem]:
    """As `few_labels_of_tasks`, of prepared data."""
    return few_labels_of_tasks(recipe, data.task, data.calibration.labels or ())


def few_labels_of_tasks(recipe: Recipe, task: Task, golds: Sequence[str]) -> list[Problem]:
    """A warning for each task whose labels are in too few calibration rows for its limit. golds: of these rows."""
    if not isinstance(task, JointTask):
        return []
    try:
        limits = limits_of_tasks(task.scopes, recipe.decide.max_error)
    except RecipeError:  # a fault of the recipe, which has its own line
        return []
    level, labels = DELTA * recipe.data.level_share, [json.loads(gold) if gold else {} for gold in golds]
    found = []
    for name, limit in limits.items():
        rows, needed = sum(bool(each.get(name)) for each in labels), rows_that_certify(limit, level)
        if rows == len(golds) or rows >= needed:  # what all rows prove is said of all tasks together
            continue
        best = best_error(rows, level) or 1.0
        message = (
            f"{rows:,} of {len(golds):,} calibration rows have a label for the task `{name}`: they certify an error of "
            f"{best:.2%} at best, not `max_error` {limit:g}; everything would go to a person"
        )
        fix = f"label more texts for `{name}`: at least {needed:,} calibration rows with such a label are needed"
        found.append(Problem(severity="warning", code="task_margin", message=message, fix=fix))
    return found
