"""What a student learns: the sum over the heads, gold only where there is some."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from penjing.compress.parts.targets import Targets
from penjing.core.task import Head
from penjing.tasks import open_task

HEADS = {"a": Head("pooled", 2, "cross_entropy"), "b": Head("pooled", 1, "mean_squared_error")}


def test_gold_counts_only_where_it_is_known() -> None:
    teacher = np.array([[2.0], [2.0]], dtype=np.float32)
    gold = {"b": np.array([5.0, 0.0], dtype=np.float32)}
    targets = Targets({"b": HEADS["b"]}, teacher, gold, np.array([True, False]))
    found = targets.loss(torch.tensor([[1.0], [3.0]]), np.array([0, 1]), 1.0, 0.25)
    assert found.item() == pytest.approx((0.75 * 1 + 0.25 * 16 + 1) / 2)


def test_heads_are_summed_each_with_its_own_columns() -> None:
    teacher = np.array([[0.0, 0.0, 2.0], [0.0, 0.0, 4.0]], dtype=np.float32)
    gold = {"a": np.array([1, 0]), "b": np.array([7.0, 0.0], dtype=np.float32)}
    targets = Targets(HEADS, teacher, gold, np.array([True, False]))
    outputs = torch.tensor([[0.0, 0.0, 1.0]])
    wanted = 0.5 * math.log(2) + 0.5 * 1 + 0.5 * 36
    assert targets.loss(outputs, np.array([0]), 2.0, 0.5).item() == pytest.approx(wanted)
    assert targets.take(np.array([1])).loss(outputs, np.array([0]), 2.0, 0.5).item() == pytest.approx(9.0)


def test_the_first_texts_have_the_gold() -> None:
    task = open_task("classify", {"labels": ["a", "b"]})
    targets = Targets.of(task, np.zeros((3, 2), dtype=np.float32), ["x", "y", "z"], ["b", "a"])
    assert targets.gold["label"].tolist() == [1, 0, 0] and targets.known.tolist() == [True, True, False]
