"""The options of the task `together`: the tasks by their names, each with its type, column, weight and options."""

from __future__ import annotations

from collections import Counter
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from penjing.core.errors import RecipeError, shown
from penjing.core.options import Options as _Options
from penjing.core.options import WrongValueError
from penjing.core.task import Reader
from penjing.tasks import about_task, open_reader

NAME = "together"
MOST_TASKS = 12
# Facts that every case has, and names of calibrations: no task may be named so.
_TAKEN = {"p", "pii", "text", "too_long", "fields", "clock", "contains", "audit", "features", "unknown", "version"}
_TAKEN |= {"name", "then", "why", "temperature", "mean", "all_right"}
_LONGEST_NAME = 40


class One(BaseModel):
    """One of several tasks: its type, the column of its labels, its weight, and the options of that type."""

    model_config = ConfigDict(frozen=True, extra="allow")

    type: str = Field(description="a task of one text: classify, score, several, tag …")
    label: Any = Field(None, description="the column of its labels; left out: the one with the name of the task")
    weight: float = Field(1.0, ge=0.01, le=100, description="of its loss, among those of the others")


class Options(_Options):
    """The options of `task: {type: together}`."""

    tasks: dict[str, One] = Field(description="each task by its name: `{topic: {type: classify, label: topic}}`")

    @field_validator("tasks")
    @classmethod
    def _are_tasks(cls, tasks: dict[str, One]) -> dict[str, One]:
        if not 2 <= len(tasks) <= MOST_TASKS:
            what = f"has {len(tasks)} task{'s' * (len(tasks) != 1)}; it needs 2 to {MOST_TASKS}"
            raise WrongValueError(what, "write each as `NAME: {type: …, label: COLUMN}`; of one task, its own `task:`")
        for name, one in tasks.items():
            check_name(name)
            try:
                reader_of_one(one)
            except RecipeError as error:
                raise WrongValueError(f"has `{name}`: {error.what}", error.fix or "correct it there") from None
        columns = Counter(str(one.label or name) for name, one in tasks.items())
        if twice := next((column for column, times in columns.items() if times > 1), None):
            what = f"reads the column `{twice[:60]}` for two tasks"
            raise WrongValueError(what, "name another column for one of them: `label: COLUMN`")
        return tasks


def check_name(name: str) -> None:
    """Raise WrongValueError for a name that facts of rules cannot have."""
    if not name.isidentifier() or len(name) > _LONGEST_NAME:
        what = f"names a task `{shown(name, 60)}`"
        raise WrongValueError(what, f"take letters, digits and `_`, at most {_LONGEST_NAME}: facts are named by it")
    if name in _TAKEN:
        raise WrongValueError(f"names a task `{name}`, and rules know a fact of that name", "take another name")


def reader_of_one(one: One) -> Reader:
    """The reader of one of the tasks. Raises RecipeError."""
    about = about_task(one.type)
    if about.further or one.type == NAME:
        what = f"the task `{one.type}` cannot be one of several: " + (
            "it reads several texts" if about.further else "it is several itself"
        )
        raise RecipeError(what, fix="take a task of one text")
    return open_reader(one.type, dict(one.model_extra or {}))
