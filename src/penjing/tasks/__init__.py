"""The table of tasks; each is a file with `Options`, `open_reader(options)` and `restore(state)`."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

import numpy as np

from penjing.core.errors import DataError, RecipeError, UsageError
from penjing.core.nouns import Card, Inputs

# Not as `nearest`: a task of that name is a module here.
from penjing.core.options import Options, build_options
from penjing.core.options import nearest as near_word
from penjing.core.recipe import RecipeFile
from penjing.core.task import About, Outputs, Reader, Task

TASKS = {
    "answer": "penjing.tasks.answer",
    "classify": "penjing.tasks.classify",
    "match": "penjing.tasks.match",
    "nearest": "penjing.tasks.nearest",
    "relate": "penjing.tasks.relate",
    "score": "penjing.tasks.score",
    "several": "penjing.tasks.several",
    "tag": "penjing.tasks.tag",
    "together": "penjing.tasks.together",
    "triples": "penjing.tasks.triples",
}
# Those whose answers are sets of labels, with the file that has them label by label.
LABELWISE = {"several": "penjing.tasks.several_labels"}
# Those whose answers are lists of items, with the file that has them item by item.
ITEMWISE = {"tag": "penjing.tasks.tag_items"}


class TaskFile(Protocol):
    """What a file of a task has."""

    ABOUT: About

    Options: type[Options]

    def open_reader(self, options: Any) -> Reader: ...

    def restore(self, state: Mapping[str, Any]) -> Task: ...


def open_reader(name: str, options: Mapping[str, Any], where: str = "task") -> Reader:
    """The reader of a task's gold. Raises RecipeError for an unknown task or option."""
    if name not in TASKS:
        raise RecipeError(f"unknown task `{name}`", where=where, fix=near_word(name, TASKS))
    file = _file(name)
    return file.open_reader(build_options(file.Options, options, where))


def about_task(name: str, where: str = "task") -> About:
    """What a new recipe says about a task. Raises RecipeError for an unknown task."""
    if name not in TASKS:
        raise RecipeError(f"unknown task `{name[:80]}`", where=where, fix=near_word(name, TASKS))
    return _file(name).ABOUT


def reader_of(file: RecipeFile) -> Reader:
    """The reader of a recipe's task. Raises RecipeError with the line of the recipe."""
    task = file.recipe.task
    options = task.options()
    if task.type not in TASKS:
        raise RecipeError(
            f"unknown task `{task.type[:80]}`", where=file.where("task", "type"), fix=near_word(task.type, TASKS)
        )
    model = _file(task.type)
    if "separator" in options:
        what, fix = "`separator` is no option of a task", "write it under `data:`, beside `label:`"
        raise RecipeError(what, where=file.where("task", "separator"), fix=fix)
    if (separator := file.recipe.data.separator) is not None:
        if not model.ABOUT.sets:
            what = f"`separator` is for several labels in a cell, and the task `{task.type}` has one"
            fix = "write `task: {type: several}`, or take `separator` out"
            raise RecipeError(what, where=file.where("data", "separator"), fix=fix)
        options["separator"] = separator
    _check_texts(file, model.ABOUT)
    if file.recipe.data.golds and "label" in file.recipe.data.model_fields_set:
        what = "`label` under `data:` names one column, and each of several tasks has its own"
        fix = "take it out, and write `label: COLUMN` under each name in `task:`"
        raise RecipeError(what, where=file.where("data", "label"), fix=fix)
    built = build_options(model.Options, options, file.where("task"), lambda *keys: _place(file, *keys))
    return model.open_reader(_with_paths(file, model.ABOUT, built))


def _with_paths(file: RecipeFile, about: About, options: Options) -> Options:
    """The options with their paths resolved from the folder of the recipe."""
    given = {name: str(getattr(options, name)) for name in about.files if getattr(options, name)}
    return options.model_copy(update={name: str(file.resolve(path)) for name, path in given.items()})


def _check_texts(file: RecipeFile, about: About) -> None:
    """Raise RecipeError if the recipe names other columns of texts than the task reads."""
    given = file.recipe.data.further()
    for name in about.further:
        if name not in given:
            what = (
                f"the task `{about.name}` reads `{'`, `'.join(('text', *about.further))}`, and `data:` lacks `{name}`"
            )
            raise RecipeError(what, where=file.where("data"), fix=f"name the column: `{name}: COLUMN`")
    for name, column in given.items():
        where = file.where("data", name)
        if name not in about.further:
            readers = [task for task in TASKS if name in _file(task).ABOUT.further]
            what = f"`{name}` is a column of texts that the task `{about.name}` does not read"
            raise RecipeError(what, where=where, fix=f"write `task: {{type: {readers[0]}}}`, or take `{name}` out")
        if column == file.recipe.data.text:
            what = f"`{name}` and `text` are both the column `{column[:60]}`"
            raise RecipeError(what, where=where, fix=f"name the column of `{name}`")


def _place(file: RecipeFile, *keys: str | int) -> str:
    """Where an option of the task is written: the separator beside the column of the labels."""
    return file.where("data", *keys) if keys == ("separator",) else file.where("task", *keys)


def open_task(name: str, state: Mapping[str, Any], where: str = "") -> Task:
    """The task of an artifact, from its card. Raises UsageError for a task that this installation does not know."""
    if name not in TASKS:
        fix = "install the version of penjing that made it, or a newer one"
        raise UsageError(f"this installation does not know the task `{name}`", where=where or None, fix=fix)
    return _file(name).restore(state)


def task_of(card: Card, where: str = "") -> Task:
    """The task of an artifact that predicts. Raises UsageError for one that is not known here."""
    return open_task(card.task, card.task_state or {"labels": card.labels}, where)


def task_of_labels(labels: Sequence[str]) -> Task:
    """The task of files that have labels and name no task, as those of the first formats."""
    return open_task("classify", {"labels": tuple(labels)})


def described(task: Task) -> dict[str, Any]:
    """How a policy or a release describes its task: only `labels` if its state is nothing else, else `task`.

    `opened` reads it back.
    """
    state = task.state
    return {"labels": tuple(state["labels"])} if set(state) == {"labels"} else {"task": {"type": task.name, **state}}


def opened(labels: Sequence[str], task: Mapping[str, Any], where: str = "") -> Task:
    """The task that `described` wrote. Raises UsageError for one that is not known here, KeyError for a part that is
    missing.
    """
    if not task:
        return task_of_labels(labels)
    return open_task(task["type"], {name: part for name, part in task.items() if name != "type"}, where)


def as_certified(task: Task, certify: str, where: str = "", most: int = 0) -> Task:
    """The task as a policy has it: by its labels or its items. Raises UsageError where it cannot be.

    most: of a task by its items, so many of a text are decided; 0: as many as ever.
    """
    found: Task
    if certify == "case":
        return task
    if certify == "item":
        if not certifies_items(task):
            what = f"the answers of the task `{task.name}` are no lists of items, and `certify: item` is about such"
            raise UsageError(what, where=where or None, fix="take `certify` out")
        found = importlib.import_module(ITEMWISE[task.name]).by_item(task, most)
        return found
    if not certifies_labels(task):
        what = f"the answers of the task `{task.name}` are no sets of labels, and `certify: label` is about such"
        raise UsageError(what, where=where or None, fix="take `certify` out")
    found = importlib.import_module(LABELWISE[task.name]).by_label(task)
    return found


def certifies_labels(task: Task) -> bool:
    """Whether a task can be certified label by label."""
    return task.name in LABELWISE


def certifies_items(task: Task) -> bool:
    """Whether a task can be certified item by item."""
    return task.name in ITEMWISE


def calibration_of(card: Card) -> Mapping[str, Any]:
    """The calibration in an artifact's card, as `Task.decode` takes it."""
    return card.calibration or {"temperature": card.temperature}


def card_fields(task: Task, calibration: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The fields of a card for a task and its calibration, from which `task_of` and `calibration_of` read them back.

    calibration: None for a model that is not calibrated yet, of which only outputs are used.
    """
    state = task.state
    if set(state) == {"labels"} and (calibration is None or set(calibration) == {"temperature"}):
        return {"task": task.name, "labels": tuple(state["labels"]), **(calibration or {})}
    return {
        "task": task.name,
        "task_state": state,
        "calibration": dict(calibration or {}),
        "chained": _has_following(calibration or {}),
    }


def _has_following(calibration: Mapping[str, Any]) -> bool:
    """Whether tags have weights of what follows what, of one task or of one of several (`tasks/tag_chain.py`)."""
    return "following" in calibration or any(
        _has_following(part) for part in calibration.values() if isinstance(part, Mapping)
    )


def task_for(inputs: Inputs) -> Task:
    """The task that a method learns; without a given one, one label a text, from train and validation together.

    Raises DataError for tables without gold, or with one label only.
    """
    golds: list[str] = []
    for name, table in (("train", inputs.train), ("validation", inputs.validation)):
        if not len(table) or table.labels is None:
            raise DataError(f"the {name} part has no labelled rows", fix="give more rows: each part needs some")
        golds += table.labels
    task = inputs.task or open_reader("classify", {}).learn(golds)
    # Models are compared on validation over every stratum, the small ones too.
    return task.with_rows({})


def side_by_side(task: Task, outputs: Outputs) -> Any:
    """Outputs of pooled heads as one table (n, sum of sizes), in the order of the heads."""
    tables = [outputs[name] for name in task.heads]
    return tables[0] if len(tables) == 1 else np.concatenate(tables, axis=1)


def predicts(card: Card) -> bool:
    """Whether an artifact gives answers: a base does not."""
    return bool(card.labels or card.task_state)


def _file(name: str) -> TaskFile:
    return cast(TaskFile, importlib.import_module(TASKS[name]))
