"""Heads fitted to pooled states: they are those of train/linear on standardised states, for every pooled loss."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from penjing.core.nouns import Run
from penjing.core.task import Head, Task
from penjing.tasks import open_reader
from penjing.tasks.measure import measure_outputs
from penjing.tune.pooled import fitted_weights, set_heads

RUN = Run(Path("out"), Path("scratch"), threads=1)


def test_two_labels_are_parted_where_they_lie_and_far_from_0() -> None:
    draw = np.random.default_rng(0)
    golds = ["a", "b"] * 20
    states = draw.normal(size=(40, 5)).astype(np.float32)
    states[:, 0] += np.where(np.array(golds) == "b", 3.0, -3.0)
    # A head over states whose mean is far from 0 is the same up to its bias.
    task = open_reader("classify", {}).learn(golds)
    near, far = (fitted_weights(one, task, golds, 16.0, RUN) for one in (states, states + 50))
    assert near[0].shape == (2, 5) and near[1].shape == (2,)
    np.testing.assert_allclose(near[0], far[0], atol=1e-3)
    for (weight, bias), rows in ((near, states), (far, states + 50)):
        outputs = {"label": (rows @ weight.T + bias).astype(np.float32)}
        assert measure_outputs(task, outputs, task.plain(), golds)["macro_f1"] == 1.0


@pytest.mark.parametrize(
    ("name", "options", "golds"),
    [
        ("classify", {}, ["a", "b", "c"]),
        ("several", {"empty": "none"}, ["a", "b;c", "a;c"]),
        ("score", {"kind": "grades"}, ["1", "2", "3"]),
        ("score", {"within": 0.5}, ["1", "2.5", "4"]),
    ],
)
def test_every_pooled_loss_is_fitted(name: str, options: dict[str, object], golds: list[str]) -> None:
    draw = np.random.default_rng(0)
    task: Task = open_reader(name, options).learn(golds * 10)
    states = np.repeat(np.eye(3), 10, axis=0) * 5 + draw.normal(scale=0.1, size=(30, 3))
    golds = [gold for gold in golds for _ in range(10)]
    weight, bias = fitted_weights(states.astype(np.float32), task, golds, 1000.0, RUN)
    ((head, about),) = task.heads.items()
    outputs = {head: (states @ weight.T + bias).astype(np.float32)}
    assert len(weight) == len(bias) == about.size
    found = measure_outputs(task, outputs, task.plain(), golds)
    assert next(iter(found.values())) > 0.95


TWO = SimpleNamespace(
    heads={"one": Head("pooled", 2, "cross_entropy"), "other": Head("pooled", 1, "mean_squared_error")}
)


def test_weights_are_given_to_each_head_of_several() -> None:
    from penjing.model.encoder import Classifier

    encoder = nn.Linear(1, 1)
    encoder.config = type("Config", (), {"hidden_size": 4})()  # type: ignore[assignment]
    classifier = Classifier(encoder, 1)
    weight = np.arange(12, dtype=np.float32).reshape(3, 4)
    set_heads(classifier, TWO, weight, np.array([1, 2, 3], dtype=np.float32))  # type: ignore[arg-type]
    heads = classifier.head
    assert torch.equal(heads["one"].weight, torch.from_numpy(weight[:2]))  # type: ignore[index]
    assert heads["other"].bias.tolist() == [3]  # type: ignore[index]
