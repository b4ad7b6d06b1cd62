"""What the labels of each task can prove, where many rows have none for it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from penjing.core.chinese import chinese
from penjing.core.recipe import Recipe
from penjing.core.task import Task
from penjing.data.audit import Problem
from penjing.make.check_tasks import few_labels_of_tasks
from penjing.tasks.classify import Classify
from penjing.tasks.together import Together


@pytest.fixture
def together() -> Task:
    return Together(
        {"topic": Classify(("card", "fee")), "urgency": Classify(("later", "now"))}, {"topic": 1.0, "urgency": 1.0}
    )


def problems(task: Task, golds: list[dict[str, str]], limits: Any, **data: Any) -> list[Problem]:
    recipe = Recipe.model_validate(
        {
            "name": "t", "data": {"files": "a", **data}, "steps": [{"tune.linear": None}],
            "decide": {"max_error": limits},
        }
    )  # fmt: skip
    return few_labels_of_tasks(recipe, task, [json.dumps(gold) if gold else "" for gold in golds])


ROWS = [{"topic": "card", "urgency": "now" if row < 4 else ""} for row in range(41)]


def test_a_task_with_few_labels_is_named_with_what_they_prove(together: Task) -> None:
    (found,) = problems(together, ROWS, {"topic": 0.1, "urgency": 0.1})
    assert found.severity == "warning" and found.message == (
        "4 of 41 calibration rows have a label for the task `urgency`: they certify an error of 52.71% at best, "
        "not `max_error` 0.1; everything would go to a person"
    )
    assert found.fix == "label more texts for `urgency`: at least 29 calibration rows with such a label are needed"
    assert chinese(found.message).startswith("41 行认证数据中有 4 行带任务 `urgency` 的标签")
    assert "至少需要 29 行" in chinese(found.fix)
    assert problems(together, ROWS, 0.6) == []
    (one_level,) = problems(together, ROWS, 0.1, held_out="shared")
    assert "36 calibration rows" in one_level.fix


def test_a_task_without_any_label_there_proves_nothing(together: Task) -> None:
    (found,) = problems(together, [{"topic": "card", "urgency": ""}] * 40, 0.1)
    assert "0 of 40" in found.message and "100.00% at best" in found.message


def test_nothing_is_said_of_a_wrong_recipe_or_another_task(together: Task) -> None:
    assert problems(together, ROWS, {"topic": 0.1}) == []
    assert problems(Classify(("a", "b")), ROWS, 0.01) == []
    assert problems(together, [{"topic": "a", "urgency": "b"}] * 10, 0.01) == [], "all rows have it: said of all rows"
