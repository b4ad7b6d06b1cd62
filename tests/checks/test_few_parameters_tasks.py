"""Methods that train few parameters serve the heads that they declare: tokens, spans, pairs, several tasks, fields."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.checks.test_few_parameters import QUICK, run_method
from tests.tune.test_full import base_folder, fields_table

from penjing.compress import export
from penjing.core.nouns import Artifact, Inputs, Run, Table
from penjing.core.pair import join_texts
from penjing.core.task import Task
from penjing.data.features import rows_of
from penjing.model.base import open_base
from penjing.runtime.open import open_session
from penjing.tasks import open_reader
from penjing.tasks.answer_gold import write_answers

each = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name == "prompt" else [pytest.mark.slow]) for name in QUICK]
)
WORDS = ("delivery1", "price2", "quality3", "common4", "common5")
PLACES = ("price7", "quality8")


def tags(count: int, seed: int) -> Table:
    draw, texts, golds = random.Random(seed), [], []
    for _ in range(count):
        before = " ".join([*draw.choices(WORDS, k=draw.randint(1, 4)), ""])
        place = draw.choice(PLACES)
        texts.append(f"{before}{place} {draw.choice(WORDS)}")
        golds.append(json.dumps([{"start": len(before), "end": len(before) + len(place), "label": "place"}]))
    return Table(texts, golds)


def answers(count: int, seed: int) -> Table:
    draw, texts, golds = random.Random(seed), [], []
    for number in range(count):
        before = " ".join([*draw.choices(WORDS, k=draw.randint(1, 3)), ""])
        place = draw.choice(PLACES)
        texts.append(join_texts(f"{before}{place}", "common1" if number % 2 else "common2"))
        golds.append(write_answers([(len(before), len(before) + len(place), "answer")] if number % 2 else []))
    return Table(texts, golds)


def pairs(count: int, seed: int) -> Table:
    draw, texts = random.Random(seed), []
    golds = [str(number % 2) for number in range(count)]
    for gold in golds:
        first = draw.sample(WORDS, 3)
        texts.append(join_texts(" ".join(first), " ".join(draw.sample(first if gold == "1" else WORDS, 3))))
    return Table(texts, golds)


def both(count: int, seed: int) -> Table:
    draw, texts, golds = random.Random(seed), [], []
    for _ in range(count):
        words = draw.choices(WORDS, k=5)
        texts.append(" ".join(words))
        golds.append(json.dumps({"tone": "a" if words[0] < "d" else "b", "mark": str(draw.randint(1, 3))}))
    return Table(texts, golds)


TABLES: dict[str, tuple[Callable[[int, int], Table], dict[str, Any]]] = {
    "tag": (tags, {}),
    "answer": (answers, {}),
    "match": (pairs, {}),
    "together": (both, {"tasks": {"tone": {"type": "classify"}, "mark": {"type": "score"}}}),
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return open_base(str(base_folder.__wrapped__(tmp_path_factory)), Path("/"))  # type: ignore[attr-defined]


def inputs_of(kind: str, base: Artifact) -> Inputs:
    table, options = TABLES[kind]
    train = table(32, 1)
    task: Task = open_reader(kind, options).learn(train.labels or ())
    return Inputs(base, train, table(16, 2), language="en", task=task)


@pytest.mark.parametrize("kind", TABLES)
@each
def test_every_kind_of_head_is_served_in_torch_and_onnx(name: str, kind: str, base: Artifact, tmp_path: Path) -> None:
    inputs = inputs_of(kind, base)
    made = run_method(name, inputs, tmp_path, epochs=1)
    texts = list(inputs.validation.texts)
    session = open_session(made, threads=1)
    wanted = session.outputs(texts)
    run = Run(tmp_path / "onnx", tmp_path / "onnx.scratch", threads=1)
    exported = export.apply(replace(inputs, parent=made), export.Options(engine="onnx", storage="float32"), run)
    found = open_session(exported, threads=1).outputs(texts)
    assert session.tokens is not None
    lengths = [len(row) for row in session.tokens.encode(texts)]
    for head, one in session.task.heads.items():
        for row, length in enumerate(lengths):
            shape = (one.size,) if one.kind == "pooled" else (length, one.size)
            assert np.shape(wanted[head][row]) == shape, "a prompt has no outputs of its own"
            np.testing.assert_allclose(found[head][row], wanted[head][row], atol=2e-4)
    assert len(session.predict(texts)) == len(texts)


@each
def test_declared_fields_are_read_beside_the_text(name: str, base: Artifact, tmp_path: Path) -> None:
    kinds = {"heat": "float", "site": ("north", "south")}
    inputs = Inputs(base, fields_table(120, 1), fields_table(40, 2), language="en", features=kinds)
    made = run_method(name, inputs, tmp_path, epochs=6)
    rows = fields_table(60, 3)
    found = open_session(made, threads=1).predict(rows.texts, rows_of(rows))
    right = [one.answer.top()[0] == gold for one, gold in zip(found, rows.labels or (), strict=True)]  # type: ignore[union-attr]
    assert np.mean(right) > 0.9, "the label is told by a number alone"
