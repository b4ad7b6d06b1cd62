"""What is predicted: the name of a task, its options, and the columns of several tasks."""

from __future__ import annotations

from penjing.core.task_choice import TaskChoice


def test_all_keys_but_the_type_are_options_of_the_task() -> None:
    assert TaskChoice().type == "classify" and TaskChoice().options() == {}
    assert TaskChoice.model_validate({"type": "score", "within": 0.5}).options() == {"within": 0.5}


def test_columns_are_those_of_several_tasks() -> None:
    tasks = {"topic": {"label": "subject"}, "urgent": {}, "mood": "classify", "year": {"label": 2024}}
    found = TaskChoice.model_validate({"type": "together", "tasks": tasks}).label_columns()
    assert found == {"topic": "subject", "urgent": "urgent", "mood": "mood", "year": "2024"}
    assert TaskChoice.model_validate({"type": "together", "tasks": ["topic"]}).label_columns() == {}
