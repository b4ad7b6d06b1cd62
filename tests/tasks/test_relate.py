"""The task `relate`: no relation is not counted, metrics against counting by hand, and entities that are absent."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from penjing.core.answers import Choice
from penjing.core.errors import DataError, RequestError
from penjing.core.task import PairReader
from penjing.tasks import open_reader, open_task
from penjing.tasks.relate import Relate


def learned(golds: list[str], none: str = "auto") -> Relate:
    task = open_reader("relate", {"none": none}).learn(golds)
    assert isinstance(task, Relate)
    return task


@pytest.mark.parametrize(
    ("labels", "none"),
    [(["buys", "unknown"], "unknown"), (["拥有", "无"], "无"), (["a", "No_Relation"], "No_Relation"),
     (["a", "b"], "")],
)  # fmt: skip
def test_no_relation_is_found_by_its_name(labels: list[str], none: str) -> None:
    assert learned(labels).none == none


def test_no_relation_that_no_row_has_is_refused() -> None:
    with pytest.raises(DataError, match="nothing"):
        learned(["a", "b"], "nothing")


def test_micro_f1_leaves_no_relation_out() -> None:
    task = learned(["buys", "sells", "none"])
    golds = ["buys", "buys", "none", "none", "sells", "none"]
    said = ["buys", "none", "none", "sells", "sells", "none"]
    answers = [Choice(task.labels, tuple(float(label == one) for label in task.labels)) for one in said]
    found = task.metrics(task.counts(answers, golds).sum(axis=0))
    # Two hits; three are given (buys, sells, sells), and three are true (buys, buys, sells).
    assert found["micro_f1"] == pytest.approx(2 * 2 / (3 + 3))
    assert found["accuracy"] == pytest.approx(4 / 6)
    assert next(iter(found)) == "micro_f1"
    assert task.metrics(np.zeros(9))["micro_f1"] == 0


def test_the_state_gives_the_task_back() -> None:
    task = learned(["buys", "none"])
    assert open_task("relate", task.state) == task
    assert isinstance(task, PairReader) and task.further == ("head", "tail") and not task.symmetric


@pytest.mark.parametrize(
    ("head", "tail", "said"),
    [("Acme", "bolt", "tail `bolt`"), ("Dyno", "Bolt", "head `Dyno`"), ("x" * 90, "Bolt", "x…")],
)
def test_entities_that_are_not_in_the_sentence_are_refused(head: str, tail: str, said: str) -> None:
    task = learned(["buys", "none"])
    with pytest.raises(RequestError) as raised:
        task.check_texts(["Acme buys Bolt", head, tail])
    assert said.rstrip("…") in str(raised.value)
    task.check_texts(["Acme buys Bolt", "Bolt", "Acme"])


def test_rows_of_several_relations_are_told_with_the_task_that_keeps_them(
    penjing: Callable[..., Any], tmp_path: Path
) -> None:
    lines = [f"Acme {'buys' if number % 2 else 'sues'} Bolt in week {number}" for number in range(60)]
    rows = [(line, "Acme", "Bolt", line.split()[1]) for line in lines]
    with (tmp_path / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "head", "tail", "label"), *rows, (*rows[4][:3], "buys")])
    (tmp_path / "recipe.yaml").write_text(
        "name: r\nlanguage: en\ntask: {type: relate}\n"
        "data: {files: rows.csv, text: text, head: head, tail: tail, label: label}\nsteps: [{tune.linear: {}}]\n",
        encoding="utf-8",
    )
    said = penjing("check", "recipe.yaml").out + penjing("check", "recipe.yaml").err
    assert "2 rows: one text under several labels, removed: rows 6, 62" in said
    assert "where more than one is true, use `task: triples`" in said
