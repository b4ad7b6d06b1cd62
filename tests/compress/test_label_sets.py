"""Every method serves any number of labels a text, in the engine that it makes; what needs one label refuses them."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.compress.conftest import WORDS
from tests.compress.test_any_task import NEEDS_ADAPTER, ONE_LABEL, QUICK

from penjing.compress import METHODS
from penjing.core.answers import Flags, as_kind
from penjing.core.errors import UsageError
from penjing.core.nouns import Artifact, Inputs, Run, Table
from penjing.explain.evidence import explain
from penjing.runtime.open import open_session
from penjing.tasks import open_reader
from penjing.tune import full, linear, lora


def labelled(table: Table) -> Table:
    """The same texts with the tone as a label, and `long` beside it where there are many words."""
    golds = []
    for text, label in zip(table.texts, table.labels or (), strict=True):
        found = ["good"] * (label == "good") + ["polite"] * (label == "good") + ["long"] * (len(text.split()) > 18)
        golds.append(";".join(sorted(found)) or "none")
    return replace(table, labels=golds)


@pytest.fixture(scope="module")
def tuned(inputs: Inputs, other_base: Artifact, tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    """Inputs of a compression: a model that gives any number of three labels."""
    folder = tmp_path_factory.mktemp("several")
    train, validation = labelled(inputs.train), labelled(inputs.validation)
    given = replace(
        inputs, train=train, validation=validation, task=open_reader("several", {}).learn(train.labels or ())
    )
    chosen = full.Options(epochs=6, learning_rate=(2e-3,), max_tokens=48, head_factor=2)
    made = full.apply(given, chosen, Run(folder / "out", folder / "scratch", threads=1))
    return replace(given, parent=made, teachers={"tuned": made, "base": inputs.parent}, base=other_base)


def test_it_is_tuned_by_its_own_loss_and_metrics(tuned: Inputs) -> None:
    assert tuned.parent is not None and tuned.task is not None
    card = tuned.parent.card
    assert (card.task, card.labels, card.task_state) == ("several", (), tuned.task.state)
    assert card.metrics["validation_micro_f1"] > 0.75
    assert {"micro_f1", "loss", "step"} <= set(card.curves.validation[0])


@pytest.mark.parametrize("name", sorted(set(METHODS) - ONE_LABEL))
def test_a_method_serves_sets(name: str, tuned: Inputs, tmp_path: Path) -> None:
    module = importlib.import_module(METHODS[name])
    if name in NEEDS_ADAPTER:
        adapted = lora.Options(epochs=8, learning_rate=(1e-2,), max_tokens=48, targets="all")
        given = replace(tuned, parent=tuned.teachers["base"])
        tuned = replace(given, parent=lora.apply(given, adapted, Run(tmp_path / "lora", tmp_path / "s", threads=1)))
    made: Artifact = module.apply(
        tuned, module.Options(**QUICK.get(name, {})), Run(tmp_path / "out", tmp_path / "scratch", threads=1)
    )
    assert tuned.parent is not None
    assert (made.card.task, made.card.task_state) == ("several", tuned.parent.card.task_state)
    assert made.card.metrics["validation_micro_f1"] > 0.7
    session = open_session(made, threads=1)
    texts, golds = tuned.validation.texts[:20], (tuned.validation.labels or ())[:20]
    answers = [as_kind(one.answer, Flags) for one in session.predict(texts)]
    place = answers[0].labels.index("good")
    right = [one.given[place] == ("good" in gold.split(";")) for one, gold in zip(answers, golds, strict=True)]
    assert np.mean(right) > 0.8
    assert answers[0] == session.predict(texts[:1])[0].answer, "an answer does not depend on the other texts"


def test_openvino_gives_the_same_sets(tuned: Inputs, tmp_path: Path) -> None:
    module = importlib.import_module(METHODS["export"])
    sessions = []
    for engine in ("onnx", "openvino"):
        folder = tmp_path / engine
        made = module.apply(tuned, module.Options(engine=engine), Run(folder / "out", folder / "scratch", threads=1))
        sessions.append(open_session(made, threads=1))
    one, other = ([as_kind(each.answer, Flags) for each in s.predict(tuned.validation.texts[:20])] for s in sessions)
    assert (
        max(
            abs(a - b)
            for x, y in zip(one, other, strict=True)
            for a, b in zip(x.probabilities, y.probabilities, strict=True)
        )
        < 1e-3
    )


def test_evidence_of_the_linear_model_is_a_word_of_the_label(tuned: Inputs, tmp_path: Path) -> None:
    made = linear.apply(tuned, linear.Options(), Run(tmp_path / "out", tmp_path / "scratch", threads=1))
    session = open_session(made, threads=1)
    found = explain(session, "the table was quick and warm")
    assert {"good", "polite"} <= {
        label for label, yes in zip(found.answer.labels, found.answer.given, strict=True) if yes
    }
    assert any(span.text in WORDS["good"] for span in found.spans)


@pytest.mark.parametrize("name", sorted(ONE_LABEL))
def test_what_needs_one_label_a_text_says_so(name: str, tuned: Inputs, tmp_path: Path) -> None:
    module = importlib.import_module(METHODS[name])
    run = Run(tmp_path / "out", tmp_path / "scratch", threads=1)
    with pytest.raises(UsageError, match=rf"`compress\.{name}` does not support the task several: it needs one label"):
        module.apply(tuned, module.Options(), run)
