"""The task of the nearest entry: its catalogue, none of these, golds, facts, and the recipe that names a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from penjing.core.answers import Ranked
from penjing.core.errors import DataError, RecipeError, UsageError
from penjing.core.recipe import load_recipe
from penjing.core.task import IGNORED, CatalogueTask, OpenReader
from penjing.data.catalogue import Catalogue
from penjing.decide.schema import FactSchema
from penjing.tasks import described, open_reader, open_task, reader_of
from penjing.tasks.measure import metric_names
from penjing.tasks.nearest import Nearest

TASK = Nearest("none", Catalogue(("q1", "q2", "q3"), ("how to pay", "how to (cancel)", "where is it")))


def test_a_gold_is_an_id_or_the_text_of_one_entry() -> None:
    assert [TASK.read(cell) for cell in (" q1 ", "How to pay", "HOW TO [CANCEL]", "none", "")] == [
        "q1", "q1", "q2", "none", "",
    ]  # fmt: skip
    with pytest.raises(DataError, match="no entry of the catalogue") as error:
        TASK.read("q33")
    assert "did you mean `q3`" in (error.value.fix or "")


def test_an_entry_that_is_gone_is_not_taken_for_a_slip() -> None:
    task = Nearest("none", Catalogue(("P129", "P128"), ("red table", "red chair")))
    with pytest.raises(DataError) as error:
        task.read("P161")
    assert error.value.fix == (
        "write the id of an entry, or add it to the catalogue; `none` is a text that no entry answers"
    )


def test_two_entries_that_look_alike_are_named_by_their_ids() -> None:
    task = Nearest("none", Catalogue(("a", "b"), ("how to pay", "How to pay")))
    with pytest.raises(DataError):
        task.read("HOW TO PAY")


def test_entries_are_the_labels_where_no_catalogue_is_named() -> None:
    reader = open_reader("nearest", {})
    task = reader.learn(["b", "a", "none", "", "b"])
    assert isinstance(task, CatalogueTask) and task.entry_texts == ("a", "b")
    assert isinstance(reader, OpenReader) and reader.strata(["a", "none", ""]) == ["entry", "none", ""]
    with pytest.raises(DataError, match="at least two"):
        reader.learn(["a", "none"])
    with pytest.raises(DataError, match=r"50,001 different"):
        reader.learn([str(number) for number in range(50_001)])


def test_rows_without_a_known_entry_have_no_target() -> None:
    assert TASK.encode(["q2", "none", "q9"], ())["entry"].tolist() == [1, IGNORED, IGNORED]
    answers = TASK.decode({"entry": np.eye(3)}, TASK.plain(), ())
    assert TASK.metrics(TASK.counts(answers, ["q1", "q2", "q9"]).sum(axis=0))["recall_at_1"] == pytest.approx(2 / 3)
    assert metric_names(TASK) == ("recall_at_1", "recall_at_10", "mrr")


def test_none_is_an_answer_where_validation_has_it() -> None:
    scores = np.concatenate([np.tile(np.eye(3), (20, 1)) * 8, np.zeros((60, 3))])
    golds = ["q1", "q2", "q3"] * 20 + ["none"] * 60
    calibration = TASK.fit({"entry": scores}, golds)
    answers = TASK.decode({"entry": scores}, calibration, ())
    assert [TASK.outcome(TASK.facts(answer)) for answer in answers] == golds
    assert TASK.focus(answers[-1], calibration)({"entry": scores})[[0, -1]].argmax() == 1


def test_answers_list_ten_and_move_by_what_is_listed() -> None:
    ids = tuple(f"q{number}" for number in range(30))
    task = Nearest("none", Catalogue(ids, ids))
    one, other = task.decode({"entry": np.random.default_rng(0).normal(size=(2, 30))}, task.plain(), ())
    assert isinstance(one, Ranked) and len(one.labels) == 10 and sum(one.probabilities) < 1
    assert task.moved(one, one) == 0 < task.moved(one, other) <= 1
    assert task.moved(one, Ranked(("x",), (1.0,))) == 1


def test_rules_know_its_entries() -> None:
    named = described(TASK)
    schema = FactSchema(named.get("labels", ()), other=named["task"])
    assert schema.values("entry") == ("q1", "q2", "q3", "none")
    assert schema.outcome("how to pay") == "q1" and schema.outcome("q9") is None
    assert open_task("nearest", TASK.state) == TASK


def recipe(folder: Path, task: str) -> Path:
    path = folder / "recipe.yaml"
    path.write_text(f"name: a\ntask: {task}\ndata: {{files: a.csv}}\nsteps: [tune.linear: {{}}]\n", encoding="utf-8")
    return path


def test_the_catalogue_is_beside_the_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "faq.csv").write_text("id,text\nq1,how to pay\nq2,how to cancel\n", encoding="utf-8")
    monkeypatch.chdir("/")
    reader = reader_of(load_recipe(recipe(tmp_path, "{type: nearest, among: faq.csv, id: id}")))
    assert reader.read("how to cancel") == "q2" and reader.learn([]).state["ids"] == ["q1", "q2"]
    with pytest.raises(UsageError, match=r"none\.csv"):
        reader_of(load_recipe(recipe(tmp_path, "{type: nearest, among: none.csv}")))
    with pytest.raises(DataError, match="means that no entry is right"):
        reader_of(load_recipe(recipe(tmp_path, "{type: nearest, among: faq.csv, id: id, none: q1}")))
    with pytest.raises(RecipeError, match="amung"):
        reader_of(load_recipe(recipe(tmp_path, "{type: nearest, amung: faq.csv}")))
