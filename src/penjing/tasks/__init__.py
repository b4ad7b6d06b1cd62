"""The table of tasks; each is a file with `Options`, `open_reader(options)` and `restore(state)`."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, Protocol, cast

from penjing.core.errors import RecipeError, UsageError
from penjing.core.options import Options, build_options, nearest
from penjing.core.task import Reader, Task

TASKS = {"classify": "penjing.tasks.classify", "score": "penjing.tasks.score"}


class TaskFile(Protocol):
    """What a file of a task has."""

    Options: type[Options]

    def open_reader(self, options: Any) -> Reader: ...

    def restore(self, state: Mapping[str, Any]) -> Task: ...


def open_reader(name: str, options: Mapping[str, Any], where: str = "task") -> Reader:
    """The reader of a task's gold. Raises RecipeError for an unknown task or option."""
    if name not in TASKS:
        raise RecipeError(f"unknown task `{name}`", where=where, fix=nearest(name, TASKS))
    file = _file(name)
    return file.open_reader(build_options(file.Options, options, where))


def open_task(name: str, state: Mapping[str, Any], where: str = "") -> Task:
    """The task of an artifact, from its card. Raises UsageError for a task that this installation does not know."""
    if name not in TASKS:
        fix = "install the version of penjing that made it, or a newer one"
        raise UsageError(f"this installation does not know the task `{name}`", where=where or None, fix=fix)
    return _file(name).restore(state)


def _file(name: str) -> TaskFile:
    return cast(TaskFile, importlib.import_module(TASKS[name]))
