"""Prototypes: the head is the written formula, shrinkage weighs directions, episodes are the same distances."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from penjing.core.task import IGNORED, Head
from penjing.tune.prototype import episode_loss, prototypes

LABELS = Head("pooled", 3, "cross_entropy")
SETS = Head("pooled", 2, "binary_cross_entropy")


def test_outputs_are_squared_distances_to_the_means_in_units_of_the_spread() -> None:
    draw = np.random.default_rng(0)
    labels = np.array([0, 1, 2] * 8)
    states = (draw.normal(size=(24, 6)) + 40 + 3 * np.eye(3, 6)[labels]).astype(np.float32)
    weight, bias = prototypes(states, LABELS, labels, 1.0)
    centres = np.stack([states[labels == label].mean(axis=0) for label in range(3)]).astype(np.float64)
    apart = states - centres[labels]
    within = apart.T @ apart / (24 - 3)
    spread = np.trace(within @ within) / np.trace(within)
    given = draw.normal(size=(5, 6)) + 40
    wanted = -((given[:, None] - centres[None]) ** 2).sum(axis=2) / (2 * spread)
    found = given @ weight.T + bias
    # The square of the state itself is the same for every label.
    np.testing.assert_allclose(found - found[:, :1], wanted - wanted[:, :1], rtol=1e-3, atol=1e-3)


def test_less_shrinkage_forgets_a_direction_in_which_rows_of_a_label_differ() -> None:
    draw = np.random.default_rng(1)
    labels = np.array([0, 1] * 30)
    noise = draw.normal(size=60) * 10
    states = np.stack([noise, labels * 2.0 + draw.normal(size=60) * 0.3], axis=1).astype(np.float32)
    head = Head("pooled", 2, "cross_entropy")

    def right(shrinkage: float) -> float:
        weight, bias = prototypes(states, head, labels, shrinkage)
        return float(((states @ weight.T + bias).argmax(axis=1) == labels).mean())

    assert right(0.01) > 0.98 > right(1.0)


def test_one_row_a_label_and_labels_without_rows() -> None:
    states = np.eye(3, 4, dtype=np.float32)
    weight, bias = prototypes(states, LABELS, np.array([0, 1, IGNORED]), 1.0)
    outputs = states[:2] @ weight.T + bias
    assert np.isfinite(outputs).all() and outputs.argmax(axis=1).tolist() == [0, 1]
    assert (outputs[:, 2] < -1000).all()
    same = prototypes(np.ones((4, 3), dtype=np.float32), LABELS, np.array([0, 1, 2, 0]), 0.5)
    assert np.isfinite(same[0]).all() and np.isfinite(same[1]).all()


def test_sets_have_a_prototype_with_and_one_without_each_label() -> None:
    states = np.array([[1, 0], [1, 1], [0, 1], [0, 0]] * 3, dtype=np.float32)
    targets: Any = states.copy()
    weight, bias = prototypes(states, SETS, targets, 1.0)
    assert ((states @ weight.T + bias > 0) == (targets > 0.5)).all()
    targets[:, 1] = 0
    weight, bias = prototypes(states, SETS, targets, 1.0)
    assert bias[1] == pytest.approx(-10) and not weight[1].any()


def test_an_episode_by_hand() -> None:
    vectors = torch.tensor([[0.0, 0.0], [3.0, 0.0], [1.0, 0.0], [2.0, 0.0]])
    found = episode_loss(LABELS, vectors, torch.tensor([0, 1, 0, 1])).item()
    # The first rows are the prototypes: the query at 1 is at distances 1 and 2 from them, the one at 2 at 2 and 1.
    assert found == pytest.approx(float(np.log1p(np.exp(-(4 - 1) / 2))), abs=1e-5)
    sets = torch.tensor([[1.0, 0.0], [0.0, 0.0], [1.0, 0.0], [0.0, 0.0]])
    one = episode_loss(SETS, vectors, sets).item()
    assert one == pytest.approx(found, abs=1e-5), "of two labels, with and without are the same distances"


def test_an_episode_without_a_second_row_learns_nothing() -> None:
    vectors = torch.ones(2, 2, requires_grad=True)
    loss = episode_loss(LABELS, vectors, torch.tensor([0, 1]))
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss.item() == 0
