"""What is wrong with a limit by item: a task without lists of items, several limits, a limit on misses."""

from __future__ import annotations

from penjing.core.errors import PenjingError, RecipeError
from penjing.core.recipe import RecipeFile
from penjing.core.task import Task
from penjing.prove.by_item import limit_of_items
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
