"""Contrastive fine-tuning: its losses by hand, likeness of golds of every kind, and what it does to the states."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from tests.tune.toy_base import make_base

from penjing.core.errors import RecipeError, UsageError
from penjing.core.methods import check_catalogue, load_method
from penjing.core.nouns import Inputs, Run, Table
from penjing.core.options import build_options
from penjing.core.task import Head, Item
from penjing.runtime.open import open_session
from penjing.tasks import open_reader
from penjing.tune import METHODS
from penjing.tune.fewshot import Options, alike, apply, contrast_loss, cosine_loss

NEAR = torch.tensor([[1.0, 0.8, 0.3], [0.8, 1.0, -0.1], [0.3, -0.1, 1.0]])
SAME = torch.tensor([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])


def test_the_loss_of_cosines_by_hand() -> None:
    assert cosine_loss(NEAR, SAME).item() == pytest.approx(0.2**2 + (0.3**2 + 0.1**2) / 2)
    unknown = SAME.clone()
    unknown[2, :] = unknown[:, 2] = math.nan
    assert cosine_loss(NEAR, unknown).item() == pytest.approx(0.2**2), "a pair without gold counts nothing"
    nothing = cosine_loss(NEAR.requires_grad_(), torch.full((3, 3), math.nan))
    nothing.backward()
    assert nothing.item() == 0


def test_the_contrastive_loss_by_hand() -> None:
    near = NEAR.detach() / 0.5
    rows = [math.log(sum(math.exp(v) for v in others)) - v for v, others in ((1.6, (1.6, 0.6)), (1.6, (1.6, -0.2)))]
    assert contrast_loss(near, SAME).item() == pytest.approx(sum(rows) / 2, abs=1e-5)
    alone = contrast_loss(near.clone().requires_grad_(), torch.eye(3))
    alone.backward()  # type: ignore[no-untyped-call]
    assert alone.item() == 0


def targets_of(name: str, options: dict[str, Any], golds: list[str]) -> tuple[Any, Any]:
    task = open_reader(name, options).learn(golds)
    return task, task.encode(golds, [Item("")] * len(golds))


def test_likeness_of_labels_sets_grades_and_numbers() -> None:
    rows = np.arange(3)
    assert alike(*targets_of("classify", {}, ["a", "b", "a"]), rows)[0].tolist() == [1, 0, 1]
    sets = alike(*targets_of("several", {"empty": "none"}, ["a;b", "b;c", "a;b"]), rows)
    assert sets[0].tolist() == pytest.approx([1, 1 / 3, 1])
    grades = alike(*targets_of("score", {"kind": "grades"}, ["1", "2", "3"]), rows)
    assert grades[0].tolist() == pytest.approx([1, 0.5, 0])
    numbers = alike(*targets_of("score", {"kind": "number"}, ["1", "4", "2"]), rows)
    assert numbers[0].tolist() == pytest.approx([1, 0, 2 / 3], abs=1e-6)


TWO = SimpleNamespace(
    heads={"one": Head("pooled", 2, "cross_entropy"), "other": Head("pooled", 1, "binary_cross_entropy")}
)


def test_of_several_tasks_it_is_the_mean_over_those_that_are_known() -> None:
    targets = {"one": np.array([0, 0, -100]), "other": np.array([[1.0], [0.0], [1.0]])}
    found = alike(TWO, targets, np.arange(3))  # type: ignore[arg-type]
    assert found[0].tolist() == [1, 0.5, 1]


def test_a_catalogue_is_refused() -> None:
    task: Any = SimpleNamespace(name="nearest", entry_texts=("a", "b"), with_entries=print)
    with pytest.raises(UsageError, match="does not support the task nearest") as caught:
        check_catalogue(load_method("fewshot", METHODS, ""), task)
    assert "`tune.full`" in (caught.value.fix or "")
    check_catalogue(load_method("full", METHODS, ""), task)
    with pytest.raises(RecipeError):
        load_method("fewshots", METHODS, "")


def test_options_of_a_trained_head_are_refused() -> None:
    method = load_method("fewshot", METHODS, "")
    for name, value in (("head_factor", 5), ("label_smoothing", 0.1)):
        with pytest.raises(RecipeError) as caught:
            build_options(method.options, {name: value}, "recipe.yaml:3:5")
        assert caught.value.what == f"`{name}` has no effect here: the head is fitted, not trained"
    build_options(method.options, {"head_factor": 10, "label_smoothing": 0}, "recipe.yaml:3:5")


WORDS = [f"{kind}{number}" for kind in ("good", "bad", "the") for number in range(6)]
SEVERAL: list[tuple[str, dict[str, Any], tuple[str, str, str]]] = [
    ("several", {"empty": "none"}, ("good", "bad", "good;bad")),
    ("score", {"kind": "grades"}, ("1", "2", "3")),
    (
        "together",
        {"tasks": {"tone": {"type": "classify"}, "mark": {"type": "score", "kind": "number", "within": 0.5}}},
        ('{"tone": "good", "mark": "1"}', '{"tone": "bad", "mark": "2.5"}', '{"tone": "both", "mark": "4"}'),
    ),
]


@pytest.mark.parametrize(("name", "options", "golds"), SEVERAL, ids=[one[0] for one in SEVERAL])
def test_sets_grades_and_several_tasks_are_served(
    tmp_path: Path, name: str, options: dict[str, Any], golds: tuple[str, str, str]
) -> None:
    base = make_base(tmp_path, WORDS)
    reader = open_reader(name, options)
    read = [reader.read(gold) for gold in golds]

    def table(rows: int, seed: int) -> Table:
        draw, texts = np.random.default_rng(seed), []
        for row in range(rows):
            own = (["good", "bad", "good bad"][row % 3]).split()
            words = [f"{kind}{draw.integers(6)}" for kind in [*own, *own, "the", "the"]]
            texts.append(" ".join(words))
        return Table(texts, [read[row % 3] for row in range(rows)])

    task = reader.learn(read * 10)
    inputs = Inputs(base, table(36, 1), table(36, 2), language="en", task=task)
    quick = Options(epochs=2, draws=2, learning_rate=5e-3, max_tokens=16, layers="all")
    made = apply(inputs, quick, Run(tmp_path / "out", tmp_path / "scratch", threads=1))
    metrics = made.card.metrics
    assert next(iter(metrics.values())) > 0.7, metrics
    answers = open_session(made, threads=1).predict(inputs.validation.texts)
    assert len(answers) == 36
