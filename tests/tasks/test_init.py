"""The table of tasks: each is opened from a recipe and from a card, and what cannot be opened is said with its line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from penjing.core.errors import RecipeError, UsageError
from penjing.core.nouns import Card
from penjing.core.recipe import load_recipe
from penjing.core.task import Item
from penjing.tasks import TASKS, calibration_of, card_fields, open_reader, open_task, predicts, reader_of, task_of

GOLDS = {
    "answer": ['[{"start":0,"end":1,"label":"answer"}]', "[]", "[]"],
    "classify": ["a", "b", "a"],
    "match": ["yes", "no", "yes"],
    "nearest": ["how to pay", "none", "where is it", "how to pay"],
    "relate": ["buys", "none", "buys"],
    "score": ["1", "2.5", "4", "3"],
    "several": ["a;b", "none", "b"],
    "tag": ['[{"start":0,"end":1,"label":"a"}]', "[]", "[]"],
}
GOLDS["triples"] = [
    '{"entities":[{"start":0,"end":1,"label":"a"},{"start":1,"end":2,"label":"b"}],'
    '"relations":[{"head":1,"tail":0,"label":"has"}]}',
    '{"entities":[{"start":0,"end":1,"label":"a"}],"relations":[]}',
    '{"entities":[],"relations":[]}',
]
GOLDS["together"] = ['{"tone": "a", "mark": "1"}', '{"tone": "b", "mark": "2.5"}', '{"tone": "a", "mark": ""}']
OPTIONS = {"together": {"tasks": {"tone": {"type": "classify"}, "mark": {"type": "score"}}}}
ITEM = Item("ab", np.array([(0, 1), (1, 2)]))


def recipe(folder: Path, task: str) -> Path:
    path = folder / "recipe.yaml"
    path.write_text(f"name: a\ntask: {task}\ndata: {{files: a.csv}}\nsteps: [tune.linear: {{}}]\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("name", sorted(TASKS))
def test_a_card_gives_its_task_back(name: str) -> None:
    task = open_reader(name, OPTIONS.get(name, {})).learn(GOLDS[name])
    assert task.name == name
    outputs = {
        head: [[[0.1] * kind.size] * 2 if kind.kind != "pooled" else [0.1] * kind.size] * 3
        for head, kind in task.heads.items()
    }
    calibration = task.fit(outputs, GOLDS[name][:3], [ITEM] * 3)
    card = Card(form="linear", method="tune.linear", **card_fields(task, calibration))
    card = Card.model_validate_json(card.model_dump_json())
    assert predicts(card)
    assert task_of(card) == task
    assert calibration_of(card) == calibration


def test_a_classifiers_card_has_labels_and_temperature_only() -> None:
    task = open_reader("classify", {}).learn(["b", "a"])
    fields = card_fields(task, {"temperature": 1.5})
    assert fields == {"task": "classify", "labels": ("a", "b"), "temperature": 1.5}


def test_a_base_predicts_nothing() -> None:
    assert not predicts(Card(form="torch", method="base"))


@pytest.mark.parametrize(
    ("task", "where", "words"),
    [
        ("{type: clasify}", ":2:8", "did you mean `classify`?"),
        ("{type: classify, within: 1}", ":2:24", "within"),
        ("{type: score, withn: 1}", ":2:21", "did you mean `within`?"),
        ("{type: score, within: -1}", ":2:21", "within"),
        ("{type: score, within: .inf}", ":2:21", "within"),
        ("{type: score, within: 1.0e+300}", ":2:21", "within"),
    ],
)
def test_a_wrong_task_is_named_with_its_place(tmp_path: Path, task: str, where: str, words: str) -> None:
    with pytest.raises(RecipeError) as caught:
        reader_of(load_recipe(recipe(tmp_path, task)))
    assert str(caught.value.where).endswith("recipe.yaml" + where)
    assert words in str(caught.value)


def test_an_artifact_of_a_later_task_is_refused() -> None:
    with pytest.raises(UsageError, match="does not know the task `dream`"):
        open_task("dream", {})
