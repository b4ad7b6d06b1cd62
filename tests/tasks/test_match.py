"""The task of pairs: its metrics, its order, its state, and the recipe that names two columns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from penjing.core.errors import RecipeError, UsageError
from penjing.core.methods import check_pairs
from penjing.core.recipe import load_recipe
from penjing.core.task import PairReader
from penjing.decide.schema import FactSchema
from penjing.make.plan import single_step
from penjing.tasks import described, open_reader, open_task, reader_of
from penjing.tasks.measure import metric_names


def test_accuracy_is_first() -> None:
    task = open_reader("match", {}).learn(["0", "1", "1"])
    assert metric_names(task) == ("accuracy", "macro_f1")
    answers = task.decode({"label": np.array([[2.0, 0.0], [2.0, 0.0], [0.0, 2.0]])}, task.plain(), ())
    found = task.metrics(task.counts(answers, ["0", "1", "1"]).sum(axis=0))
    assert found["accuracy"] == pytest.approx(2 / 3)


def test_order_is_part_of_what_is_learned() -> None:
    task = open_reader("match", {"symmetric": False}).learn(["0", "1"])
    assert isinstance(task, PairReader) and not task.symmetric
    assert open_task("match", task.state) == task and task.learn(["0", "1"]) == task
    assert task.with_rows({"0": 100, "1": 2}).symmetric is False
    assert not isinstance(open_reader("classify", {}), PairReader)


def test_rules_know_its_labels() -> None:
    task = open_reader("match", {}).learn(["no", "yes"])
    named = described(task)
    schema = FactSchema(named.get("labels", ()), other=named["task"])
    assert schema.values("label") == ("no", "yes") and "p.yes" in schema.kinds()
    assert schema.outcome(" yes ") == "yes" and schema.outcome("maybe") is None


@pytest.mark.parametrize("step", ["compress.static", "compress.ngrams", "compress.cascade", "compress.exit"])
def test_methods_that_compare_nothing_are_refused(step: str) -> None:
    pytest.importorskip("torch")
    method, pairs = single_step(step).method, open_reader("match", {}).learn(["0", "1"])
    with pytest.raises(UsageError, match="does not compare two texts"):
        check_pairs(method, pairs)
    check_pairs(method, open_reader("classify", {}).learn(["0", "1"]))


@pytest.mark.parametrize(
    ("task", "data", "place", "words"),
    [
        ("{type: match}", "", ":3", "other: COLUMN"),
        ("{type: classify}", ", other: b", ":3:", "write `task: {type: match}`"),
        ("{type: match}", ", other: text", ":3:", "both the column `text`"),
        ("{type: match, symetric: true}", ", other: b", ":2:", "did you mean `symmetric`?"),
    ],
)
def test_faults_of_the_recipe_are_named_with_their_line(
    task: str, data: str, place: str, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(
        f"name: a\ntask: {task}\ndata: {{files: a.csv{data}}}\nsteps: [tune.linear: {{}}]\n", encoding="utf-8"
    )
    with pytest.raises(RecipeError) as caught:
        reader_of(load_recipe(path))
    assert f"recipe.yaml{place}" in str(caught.value.where) and words in f"{caught.value.what} {caught.value.fix}"
