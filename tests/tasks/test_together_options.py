"""The options of several tasks: how many, their names, their columns and their types."""

from __future__ import annotations

from typing import Any

import pytest

from penjing.core.errors import RecipeError
from penjing.core.options import WrongValueError, build_options
from penjing.tasks.together_options import MOST_TASKS, Options, check_name


def options(tasks: Any) -> Options:
    built = build_options(Options, {"tasks": tasks}, "task")
    assert isinstance(built, Options)
    return built


def test_each_task_has_a_type_a_column_and_a_weight() -> None:
    made = options(
        {"topic": {"type": "classify"}, "mood": {"type": "score", "label": "level", "weight": 2, "within": 1}}
    )
    assert made.tasks["topic"].label is None and made.tasks["topic"].weight == 1
    assert made.tasks["mood"].label == "level" and made.tasks["mood"].model_extra == {"within": 1}


@pytest.mark.parametrize(
    ("tasks", "said"),
    [
        ({"a": {"type": "classify"}}, "needs 2 to"),
        ({f"t{n}": {"type": "classify"} for n in range(MOST_TASKS + 1)}, "needs 2 to"),
        ({"a": {"type": "classify"}, "b": {"type": "match"}}, "reads several texts"),
        ({"a": {"type": "classify"}, "b": {"type": "relate"}}, "reads several texts"),
        ({"a": {"type": "classify"}, "b": {"type": "together"}}, "several itself"),
        ({"a": {"type": "classify"}, "b": {"type": "clasify"}}, "unknown task"),
        ({"a": {"type": "classify"}, "b": {"type": "classify", "label": "a"}}, "for two tasks"),
        ({"a": {"type": "classify"}, "b c": {"type": "classify"}}, "names a task"),
        ({"a": {"type": "classify"}, "p": {"type": "classify"}}, "know a fact of that name"),
        ({"a": {"type": "classify"}, "b": {"type": "classify", "weight": 0}}, "weight"),
    ],
)
def test_what_is_no_set_of_tasks_is_refused(tasks: Any, said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        options(tasks)


@pytest.mark.parametrize("name", ["a" * 41, "1a", "", "a-b", "clock"])
def test_names_that_facts_cannot_have(name: str) -> None:
    with pytest.raises(WrongValueError):
        check_name(name)
    check_name("主题")
