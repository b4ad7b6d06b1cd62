"""The contract fits more than one task: toys are trained by the one loop, decode, and are judged."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from penjing.core.answers import answer_from_json, answer_to_json
from penjing.core.nouns import Card, Run
from penjing.core.task import Head, Item, Task
from penjing.data.mask import mask
from penjing.model.heads import build_heads, read_out
from penjing.tasks import TASKS, calibration_of, card_fields, open_task, task_of
from penjing.tasks.measure import measure_outputs, metric_names
from penjing.train.batches import Budget
from penjing.train.criteria import Criterion, balanced_weights
from penjing.train.focal import focal_of_one
from penjing.train.loop import Outcome, Plan, fit
from penjing.train.optim import Optimizing
from penjing.train.rdrop import RDrop
from penjing.train.supervised import IdRows, Supervised, TargetRows, predict_outputs

WORDS = ("[PAD]", "[START]", "in", "paris", "new", "york", "met", "ann", "bob", "stone", "good", "bad", "day", "at")
TEXTS = tuple(
    f"{tone} day {who} met {other} {link} {place}"
    for tone in ("good", "bad")
    for who in ("ann", "bob stone", "ann stone")
    for other, link in (("bob", "in"), ("ann", "at"))
    for place in ("paris", "new york")
)
BUDGET = Budget(rows=8, tokens=512)


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The toy tasks, in the table of tasks for as long as a test runs."""
    spec = importlib.util.spec_from_file_location("penjing_toys", Path(__file__).with_name("toys.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "penjing_toys", module)
    spec.loader.exec_module(module)
    for name in ("tag", "answer", "together"):
        monkeypatch.setitem(TASKS, name, "penjing_toys")
    return module


def cut(text: str) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Ids and offsets of a start token and of the words."""
    words = list(re.finditer(r"\S+", text))
    ids = [1, *(WORDS.index(word.group()) for word in words)]
    return np.array(ids), np.array([(0, 0), *(word.span() for word in words)])


def spans(text: str) -> str:
    """People and places, as gold of `tag`."""
    found = []
    for pattern, label in ((r"(ann|bob)( stone)?", "person"), (r"paris|new york", "place")):
        found += [[match.start(), match.end(), label] for match in re.finditer(pattern, text)]
    return json.dumps(sorted(found))


def place(text: str) -> str:
    """Where it happened, as gold of `answer`; none where it says `at`."""
    found = re.search(r"in (paris|new york)", text)
    return json.dumps(list(found.span(1)) if found else [])


def golds_of(name: str) -> list[str]:
    both = [{"tone": text.split()[0], "who": spans(text)} for text in TEXTS]
    return {"tag": [*map(spans, TEXTS)], "answer": [*map(place, TEXTS)], "together": [*map(json.dumps, both)]}[name]


def task_named(name: str) -> Task:
    tag = {"toy": "tag", "labels": ["person", "place"]}
    parts = {"tone": ("classify", {"labels": ["bad", "good"]}), "who": ("tag", tag)}
    return open_task(
        name, {"tag": tag, "answer": {"toy": "answer"}, "together": {"toy": "together", "parts": parts}}[name]
    )


class Tiny(nn.Module):
    """An embedding of each word beside that of the one before it, and the heads."""

    def __init__(self, heads: Mapping[str, Head]) -> None:
        super().__init__()
        self.table, self.dropout = nn.Embedding(len(WORDS), 12), nn.Dropout(0.1)
        self.head = build_heads(heads, 24)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor | dict[str, torch.Tensor]:
        states = self.table(ids)
        before = torch.cat([torch.zeros_like(states[:, :1]), states[:, :-1]], dim=1)
        return read_out(self.head, self.dropout, torch.cat([states, before], dim=2), mask)


def train(name: str, folder: Path, **changes: Any) -> tuple[Task, Tiny, TargetRows, Outcome]:
    task, items = task_named(name), []
    ids = []
    for text in TEXTS:
        row, offsets = cut(text)
        ids.append(row)
        items.append(Item(text, offsets, "where?" if name == "answer" else ""))
    rows = TargetRows.of(task, IdRows(ids, 0), golds_of(name), items)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        model = Tiny(task.heads)
    plan = Plan(12, Optimizing(0.03), metric=metric_names(task)[0], patience=100)
    objective = Supervised(task, rows, rows, BUDGET, seed=1, **changes)
    run = Run(folder / "out", folder, seed=2, threads=1)
    return task, model, rows, fit(model, objective, plan, run, folder / "c", "key")


@pytest.mark.parametrize("name", ["tag", "answer", "together"])
def test_a_toy_goes_the_whole_way(name: str, tmp_path: Path) -> None:
    task, model, rows, outcome = train(name, tmp_path)
    metric = metric_names(task)[0]
    assert outcome.losses[-1] < 0.5 * outcome.losses[0]
    assert outcome.scores[metric] > 0.9
    outputs = predict_outputs(model, rows.rows, task.heads, BUDGET)
    for head, one in task.heads.items():
        shapes = [np.shape(table) for table in outputs[head]]
        wanted = [(one.size,) if one.kind == "pooled" else (len(row), one.size) for row in rows.rows.ids]  # type: ignore[attr-defined]
        assert shapes == wanted, "padding is no output"
    card = Card(form="torch", method="x", **card_fields(task, task.fit(outputs, rows.golds, rows.items)))
    again = task_of(Card.model_validate_json(card.model_dump_json()))
    assert (again.state, again.heads) == (task.state, task.heads)
    answers = again.decode(outputs, calibration_of(card), rows.items)
    assert measure_outputs(task, outputs, task.plain(), rows.golds, rows.items)[metric] == outcome.scores[metric]
    for answer, gold in zip(answers, rows.golds, strict=True):
        assert answer_from_json(json.loads(json.dumps(answer_to_json(answer)))) == answer
        facts = task.facts(answer)
        assert 0 <= facts["p"] <= 1 and set(task.kinds()) <= set(facts)
        outcome_said = task.outcome(facts)
        assert task.read(outcome_said) == outcome_said or json.loads(task.read(outcome_said)) == json.loads(
            outcome_said
        )
        units = task.units(facts, gold)
        assert any(unit.wrong for unit in units) == task.wrong(outcome_said, gold)
        assert {unit.scope for unit in units} == set(task.scopes)
    assert task.moved(answers[0], answers[0]) == 0


@pytest.mark.parametrize("name", ["tag", "answer", "together"])
def test_counts_are_additive_and_metrics_take_many_sums(name: str, tmp_path: Path) -> None:
    task, model, rows, _ = train(name, tmp_path)
    outputs = predict_outputs(model, rows.rows, task.heads, BUDGET)
    answers = task.decode(outputs, task.fit(outputs, rows.golds, rows.items), rows.items)
    counts = task.counts(answers, rows.golds)
    assert len(counts) == len(answers)
    for row, (answer, gold) in enumerate(zip(answers, rows.golds, strict=True)):
        assert (task.counts([answer], [gold])[0] == counts[row]).all()
    weights = np.random.default_rng(0).integers(0, 3, (5, len(answers)))
    for number, sums in enumerate(weights @ counts):
        for metric, values in task.metrics(weights @ counts).items():
            assert values.shape == (5,) and values[number] == pytest.approx(float(task.metrics(sums)[metric]))


def test_a_wrong_tag_is_an_error_of_its_text_and_of_its_spans() -> None:
    task, text = task_named("tag"), "ann met bob stone in paris"
    _, offsets = cut(text)
    targets = task.encode([spans(text)], [Item(text, offsets)])["tags"][0]
    assert targets.tolist() == [-100, 1, 0, 1, 2, 0, 3]
    table = np.eye(5)[np.maximum(targets, 0)] * 9
    table[6] = [9, 0, 0, 0, 0]
    (answer,) = task.decode({"tags": [table]}, {"temperature": 1.0}, [Item(text, offsets)])
    assert task.counts([answer], [spans(text)]).tolist() == [[2, 2, 3, 0]]
    assert task.metrics(np.array([2, 2, 3, 0]))["f1"] == pytest.approx(0.8)
    assert task.units(task.facts(answer), spans(text))[0].wrong


def test_spans_of_the_users_text_become_those_of_the_masked_one() -> None:
    masked = mask("13812345678 Tom")
    assert masked.text == "⟦mobile⟧ Tom"
    assert task_named("tag").read('[[12, 15, "person"]]', masked) == '[[9, 12, "person"]]'
    assert task_named("answer").read("[13, 14]", masked) == "[10, 11]"


@pytest.mark.parametrize("name", ["tag", "answer", "together"])
def test_other_losses_and_two_passes_serve_heads_of_every_kind(name: str, tmp_path: Path) -> None:
    weights: dict[str, torch.Tensor] = {}
    if name != "answer":
        _, _, rows, _ = train(name, tmp_path / "plain")
        heads = task_named(name).heads
        weights = {head: balanced_weights(one.loss, rows.targets[head], one.size) for head, one in heads.items()}
    criterion = Criterion(lambda _loss, outputs, targets: focal_of_one(outputs, targets, 1.0), weights)
    task, _, _, outcome = train(name, tmp_path / "other", criterion=criterion, through=RDrop(0.5))
    assert outcome.losses[-1] < 0.5 * outcome.losses[0]
    assert outcome.scores[metric_names(task)[0]] > 0.9
