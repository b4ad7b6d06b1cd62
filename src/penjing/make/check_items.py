"""What is wrong with a limit by item (no lists, several limits, a limit on misses), and what so many rows can prove."""

from __future__ import annotations

import numpy as np

from penjing.core.errors import PenjingError, RecipeError
from penjing.core.recipe import Recipe, RecipeFile
from penjing.core.task import Task
from penjing.data.audit import Audit, Problem
from penjing.make.check_periods import MARGIN
from penjing.prove.by_item import limit_of_items
from penjing.prove.item_path import item_bound
from penjing.prove.sequence import DELTA
from penjing.tasks import certifies_items


def item_faults(file: RecipeFile, task: Task) -> list[PenjingError]:
    """Faults of `certify: item`, each with the line of the recipe."""
    decide = file.recipe.decide
    if not certifies_items(task):
        what = f"`certify: item` is about answers that are lists of items, and those of the task `{task.name}` are not"
        return [RecipeError(what, where=file.where("decide", "certify"), fix="take `certify` out")]
    try:
        limit_of_items(decide.max_error, decide.max_miss)
    except RecipeError as error:
        key = "max_error" if isinstance(decide.max_error, dict) else "max_miss"
        return [RecipeError(error.what, where=file.where("decide", key), fix=error.fix)]
    return []


def audit_by_items(audit: Audit, recipe: Recipe) -> Audit:
    """The audit with what the test of `certify: item` can prove; as it is for another certificate.

    That test counts texts by betting, which proves less than the exact binomial test of whole answers.
    """
    if recipe.decide.certify != "item" or audit.margin is None:
        return audit
    level, margin = DELTA * recipe.data.level_share, audit.margin
    now = {"certifiable_error": _best_share(margin.calibration_rows, level)}
    periods = [
        each.model_copy(update={"certifiable_error": _best_share(each.calibration_rows, each.level)})
        for each in margin.periods
    ]
    problems = [problem for problem in audit.problems if problem.code != MARGIN or margin.periods]
    least, limit = now["certifiable_error"], recipe.decide.max_error
    if not periods and least is not None and not isinstance(limit, dict) and least > limit:
        message = (
            f"{margin.calibration_rows} calibration rows certify an error of {least:.2%} at best, "
            f"not `max_error` {limit:g}; everything would go to a person"
        )
        problems.append(Problem(code=MARGIN, severity="warning", message=message, fix="label more texts"))
    margin = margin.model_copy(update={**now, "periods": periods})
    return audit.model_copy(update={"margin": margin, "problems": problems})


def _best_share(rows: int, level: float) -> float | None:
    """The share of wrong items that so many texts prove if all their decided items are right; None without texts."""
    if not rows:
        return None
    return item_bound(np.ones(rows, dtype=np.int64), np.zeros(rows, dtype=np.int64), 1, level)
