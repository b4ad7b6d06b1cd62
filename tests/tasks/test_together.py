"""Several tasks in one: rows without gold for a task count for the others alone, and losses are of one scale."""

from __future__ import annotations

import json
import math
from typing import Any, cast

import numpy as np
import pytest

from penjing.core.answers import Joint, as_kind
from penjing.core.errors import DataError, UsageError
from penjing.core.task import IGNORED, Item
from penjing.tasks import open_reader
from penjing.tasks.together import Together

TASKS: dict[str, Any] = {
    "tone": {"type": "classify"},
    "marks": {"type": "several"},
    "size": {"type": "score", "kind": "number", "within": 0.5, "weight": 2},
    "parts": {"type": "tag"},
}
TEXT, PLACES = "abc", np.array([(0, 0), (0, 1), (1, 2), (2, 3), (0, 0)])
SPAN = '[{"start":0,"end":1,"label":"x"}]'


def gold(tone: str = "", marks: str = "", size: str = "", parts: str = "") -> str:
    return json.dumps({"tone": tone, "marks": marks, "size": size, "parts": parts})


GOLDS = [
    gold("a", "p;q", "1", SPAN),
    gold("b", "p", "2.5", "[]"),
    gold("c", "", "", ""),
    gold("", "q", "4", ""),
    gold("a", "none", "3", SPAN),
]
ITEMS = [Item(TEXT, PLACES)] * len(GOLDS)


@pytest.fixture
def task() -> Together:
    return cast(Together, open_reader("together", {"tasks": TASKS}).learn(GOLDS))


def outputs(task: Together, seed: int = 0) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    return {
        name: [random.normal(size=(len(PLACES), head.size)) for _ in GOLDS]
        if head.kind == "token"
        else random.normal(size=(len(GOLDS), head.size)).astype(np.float32)
        for name, head in task.heads.items()
    }


def test_a_row_without_gold_has_no_target(task: Together) -> None:
    targets = task.encode(GOLDS, ITEMS)
    assert targets["tone_label"].tolist() == [0, 1, 2, IGNORED, 0]
    assert np.isnan(targets["marks_labels"]).any(axis=1).tolist() == [False, False, True, False, False]
    assert np.isnan(targets["size_score"]).tolist() == [False, False, True, False, False]
    assert [bool((one != IGNORED).any()) for one in targets["parts_tags"]] == [True, True, False, False, True]


def test_a_row_without_gold_changes_nothing_of_a_task(task: Together) -> None:
    found = outputs(task)
    calibration = task.fit(found, GOLDS, ITEMS)
    answers = task.decode(found, calibration, ITEMS)
    metrics = {name: float(value) for name, value in task.metrics(task.counts(answers, GOLDS).sum(axis=0)).items()}
    rows = [0, 1, 3, 4]
    size = task.parts["size"]
    own = {"score": found["size_score"][rows]}
    assert calibration["size"] == size.fit(own, ["1", "2.5", "4", "3"])
    alone = size.counts([as_kind(answers[row], Joint).parts["size"] for row in rows], ["1", "2.5", "4", "3"])
    for name, value in size.metrics(alone.sum(axis=0)).items():
        assert metrics[f"size.{name}"] == pytest.approx(float(value))
    units = task.units(task.facts(answers[2]), GOLDS[2])
    assert [unit.scope for unit in units] == ["tone"]


def test_the_first_metric_is_the_mean_of_those_of_the_tasks(task: Together) -> None:
    found = outputs(task, 1)
    answers = task.decode(found, task.plain(), ITEMS)
    metrics = task.metrics(task.counts(answers, GOLDS).sum(axis=0))
    each = [metrics[task.metric_of(name)] for name in task.scopes]
    assert next(iter(metrics)) == "mean" and float(metrics["mean"]) == pytest.approx(float(np.mean(each)))
    right = [not task.wrong(task.outcome(task.facts(answer)), one) for answer, one in zip(answers, GOLDS, strict=True)]
    assert float(metrics["all_right"]) == pytest.approx(np.mean(right))


def test_a_task_that_knows_nothing_weighs_as_much_as_another(task: Together) -> None:
    heads = task.heads
    assert heads["tone_label"].weight == pytest.approx(1 / math.log(3), abs=1e-6)
    assert heads["marks_labels"].weight == pytest.approx(1 / math.log(2), abs=1e-6)
    assert heads["size_score"].weight == 2.0
    assert heads["parts_tags"].weight == pytest.approx(1 / math.log(3), abs=1e-6)


def test_facts_have_the_name_of_the_task(task: Together) -> None:
    (answer, *_) = task.decode(outputs(task), task.plain(), ITEMS)
    facts, kinds = task.facts(answer), task.kinds()
    assert kinds["tone.label"] == "enum" and task.listed()["tone.label"] == ("a", "b", "c")
    assert {"tone.p", "marks.has.p", "size.value", "parts.entity.x.count"} <= set(kinds) <= set(facts)
    assert task.bounds().counted["marks.count"] == ("marks.has.p", "marks.has.q")
    assert facts["p"] == pytest.approx(math.prod(facts[f"{name}.p"] for name in task.scopes), abs=1e-6)
    assert task.scope(facts) == min(task.scopes, key=lambda name: facts[f"{name}.p"])


def test_evidence_is_about_a_task_of_the_whole_text(task: Together) -> None:
    (answer, *_) = task.decode(outputs(task), task.plain(), ITEMS)
    parts = as_kind(answer, Joint).parts
    assert task.explained(answer) == Joint({"tone": parts["tone"]})
    assert task.explained(Joint({"size": parts["size"]})) == Joint({"size": parts["size"]})
    with pytest.raises(UsageError, match="pieces of the text"):
        task.explained(Joint({"parts": parts["parts"]}))


def test_an_answer_of_other_tasks_has_no_facts(task: Together) -> None:
    (answer, *_) = task.decode(outputs(task), task.plain(), ITEMS)
    with pytest.raises(TypeError, match="tone"):
        task.facts(Joint({"tone": as_kind(answer, Joint).parts["tone"]}))


def test_strata_are_the_rarest_of_all_tasks(task: Together) -> None:
    assert task.strata([gold("a"), gold("a", "p"), gold("b"), gold("a"), ""]) == [
        "tone: a",
        "marks: p",
        "tone: b",
        "tone: a",
        "",
    ]


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ('{"tone": "d"}', "`tone`: unknown label `d`"),
        ('{"tune": "a"}', "unknown task `tune`"),
        ('{"size": "much"}', "`size`: the score is `much`"),
        ('{"parts": [[0, 1]]}', "`parts`:"),
        ("[" * 2_000, "is not JSON"),
        ("7", "is no mapping"),
    ],
)
def test_what_is_no_gold_is_refused_with_its_task(task: Together, cell: str, words: str) -> None:
    with pytest.raises(DataError) as error:
        task.read(cell)
    assert words in error.value.what
