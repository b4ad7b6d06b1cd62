"""Which step is proposed where labels are few: by the rows of the label in the middle, and only for tasks it serves."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest

from penjing.core.recipe import RecipeFile
from penjing.make.few_labels import MOST, STEP, propose_step
from penjing.tasks import open_reader

LABELS = open_reader("classify", {}).learn(["a", "b", "c"])


def test_few_rows_of_the_label_in_the_middle_are_few_labels() -> None:
    found = propose_step({"a": 3, "b": MOST, "c": 5000}, LABELS)
    assert found is not None and (found.step, found.rows) == (STEP, MOST)
    assert f"({MOST} rows each)" in found.comment
    assert propose_step({"a": 3, "b": MOST + 1, "c": 5000}, LABELS) is None
    assert propose_step({}, LABELS) is None


@pytest.mark.parametrize(
    ("name", "options", "golds"),
    [("score", {"kind": "number"}, ["1", "2.5"]), ("tag", {}, ['[{"start":0,"end":2,"label":"a"}]', "[]"])],
)
def test_tasks_without_labels_of_texts_get_no_proposal(name: str, options: dict[str, Any], golds: list[str]) -> None:
    assert propose_step({"a": 10, "b": 10}, open_reader(name, options).learn(golds)) is None


def test_without_torch_the_step_cannot_run_and_none_is_proposed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert propose_step({"a": 10, "b": 10}, LABELS) is not None
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert propose_step({"a": 10, "b": 10}, LABELS) is None


def test_the_step_is_one_that_a_recipe_takes(recipe_in: Any) -> None:
    from penjing.core.recipe import load_recipe
    from penjing.make.plan import build_plan

    file: RecipeFile = load_recipe(recipe_in(f"  - {STEP}: {{}}"))
    assert [step.name for step in build_plan(file)] == [STEP]
