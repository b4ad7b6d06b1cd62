"""Every method serves every task with pooled heads, and what needs one label a text refuses the others."""

from __future__ import annotations

import importlib
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from penjing.compress import METHODS
from penjing.core.answers import Number, as_kind
from penjing.core.errors import UsageError
from penjing.core.nouns import Artifact, Inputs, Run, Table
from penjing.runtime.open import open_session
from penjing.tasks import open_reader
from penjing.tune import full, lora

QUICK: dict[str, dict[str, Any]] = {
    "distill": {"epochs": 2, "learning_rate": 2e-3, "copies": 0, "hidden": 1.0, "pooled": 0.5},
    "static": {"bits": 10, "epochs": 8, "copies": 0},
    "export": {"engine": "onnx"},
    "int8": {"engine": "onnx"},
    "layers": {"keep": 1, "texts": 16},
    "heads": {"texts": 16},
    "width": {"texts": 16},
    "magnitude": {"sparsity": 0.1},
    "ngrams": {"bits": 12, "engine": "onnx"},
}
ONE_LABEL = {"cascade", "exit"}
NEEDS_ADAPTER = {"tenant"}


def scored(table: Table, kind: str, seed: int) -> Table:
    """The same texts with a number each: high for good ones, with a little noise."""
    draw, golds = random.Random(seed), []
    for label in table.labels or ():
        value = (8.0 if label == "good" else 2.0) + draw.uniform(-1, 1)
        golds.append(f"{value:.1f}" if kind == "number" else str(int(value > 5) if kind == "two" else round(value / 4)))
    return replace(table, labels=golds)


@pytest.fixture(scope="module", params=["number", "grades", "two"])
def tuned(
    request: pytest.FixtureRequest, inputs: Inputs, other_base: Artifact, tmp_path_factory: pytest.TempPathFactory
) -> Inputs:
    """Inputs of a compression: a model that gives a number, a grade of several, or one of two grades."""
    folder = tmp_path_factory.mktemp("score")
    train, validation = scored(inputs.train, request.param, 1), scored(inputs.validation, request.param, 2)
    options = {"kind": "number" if request.param == "number" else "grades", "within": 1.5 * (request.param == "number")}
    task = open_reader("score", options).learn(train.labels or ())
    given = replace(inputs, train=train, validation=validation, task=task)
    chosen = full.Options(epochs=4, learning_rate=(2e-3,), max_tokens=48, head_factor=2)
    made = full.apply(given, chosen, Run(folder / "out", folder / "scratch", threads=1))
    return replace(given, parent=made, teachers={"tuned": made, "base": inputs.parent}, base=other_base)


def test_it_is_tuned_by_its_own_loss_and_metrics(tuned: Inputs) -> None:
    assert tuned.parent is not None and tuned.task is not None
    card = tuned.parent.card
    assert (card.task, card.labels, card.task_state) == ("score", (), tuned.task.state)
    assert card.metrics["validation_within"] > 0.7 and card.metrics["validation_pearson"] > 0.8
    assert {"within", "loss", "step"} <= set(card.curves.validation[0])
    learned = card.curves.loss
    assert np.mean([loss for _, loss in learned[-5:]]) < 0.7 * np.mean([loss for _, loss in learned[:3]])


@pytest.mark.parametrize("name", sorted(set(METHODS) - ONE_LABEL))
def test_a_method_serves_numbers_and_grades(name: str, tuned: Inputs, tmp_path: Path) -> None:
    module = importlib.import_module(METHODS[name])
    if name in NEEDS_ADAPTER:
        adapted = lora.Options(epochs=6, learning_rate=(1e-2,), max_tokens=48, targets="all")
        given = replace(tuned, parent=tuned.teachers["base"])
        tuned = replace(given, parent=lora.apply(given, adapted, Run(tmp_path / "lora", tmp_path / "s", threads=1)))
    run = Run(tmp_path / "out", tmp_path / "scratch", threads=1)
    made: Artifact = module.apply(tuned, module.Options(**QUICK.get(name, {})), run)
    assert tuned.parent is not None
    assert (made.card.task, made.card.task_state) == ("score", tuned.parent.card.task_state)
    assert made.card.calibration and set(made.card.calibration) == set(tuned.parent.card.calibration)
    session = open_session(made, threads=1)
    texts = tuned.validation.texts[:20]
    values = [as_kind(one.answer, Number).value for one in session.predict(texts)]
    near = np.corrcoef(values, [float(gold) for gold in (tuned.validation.labels or ())[:20]])[0, 1]
    assert near > 0.5
    assert made.card.metrics["validation_within"] > 0.6


@pytest.mark.parametrize("name", sorted(ONE_LABEL))
def test_what_needs_one_label_a_text_says_so(name: str, tuned: Inputs, tmp_path: Path) -> None:
    module = importlib.import_module(METHODS[name])
    run = Run(tmp_path / "out", tmp_path / "scratch", threads=1)
    with pytest.raises(UsageError, match=rf"`compress\.{name}` does not support the task score: it needs one label"):
        module.apply(tuned, module.Options(), run)
