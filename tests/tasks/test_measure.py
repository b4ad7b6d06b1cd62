"""Metrics of a task on outputs, and how far two models decide alike."""

from __future__ import annotations

import numpy as np
import pytest

from penjing.tasks import open_reader, open_task
from penjing.tasks.measure import agreement, measure_outputs, metric_names, validation_metrics

LABELS = open_task("classify", {"labels": ["a", "b"]})
RIGHT = {"label": np.array([[2.0, 0.0], [0.0, 2.0], [0.0, 2.0], [2.0, 0.0]])}


def test_metrics_by_name_the_first_is_kept() -> None:
    assert metric_names(LABELS) == ("macro_f1", "accuracy")
    golds = ["a", "b", "a", "a"]
    assert measure_outputs(LABELS, RIGHT, {"temperature": 1.0}, golds)["accuracy"] == 0.75
    found = validation_metrics(LABELS, RIGHT, {"temperature": 1.0}, golds)
    assert found == {"validation_macro_f1": round((0.8 + 2 / 3) / 2, 6), "validation_accuracy": 0.75}


def test_agreement_counts_as_errors_are_counted() -> None:
    other = {"label": RIGHT["label"][:, ::-1].copy()}
    other["label"][0] = RIGHT["label"][0]
    assert agreement(LABELS, RIGHT, other, ["a", "b", "a", "a"]) == 0.25
    task = open_reader("score", {"kind": "number", "within": 1.0}).learn(["0", "10"])
    one, two = ({"score": np.array([[0.0], [1.0], [2.0]]) + shift} for shift in (0.0, 0.1))
    assert agreement(task, one, two, ["5", "10", "15"]) == 1
    assert agreement(task, one, {"score": one["score"] + 0.5}, ["5", "10", "15"]) == pytest.approx(0)
