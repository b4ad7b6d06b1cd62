"""The gradients of the start, against those computed by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from penjing.train.batches import Budget, Ints
from penjing.train.meta import Episodes


class Points:
    """Rows of two numbers."""

    def __init__(self, values: list[list[float]]) -> None:
        self.values = torch.tensor(values)
        self.lengths = np.ones(len(values), dtype=np.int64)

    def load(self, index: Ints) -> tuple[torch.Tensor, torch.Tensor]:
        return self.values[torch.as_tensor(index)], torch.ones(len(index), 1)


class Map(nn.Module):
    """A linear map of a row."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(2, 2, bias=False)
        with torch.no_grad():
            self.inner.weight.copy_(torch.tensor([[1.0, 0.2], [-0.3, 0.8]]))

    def forward(self, given: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:  # noqa: ARG002
        found: torch.Tensor = self.inner(given)
        return found


def episodes(kind: Any, steps: int = 1) -> Episodes:
    rows = Points([[1, 0], [0.8, 0.1], [0, 1], [0.1, 0.9]])
    labels = [0, 0, 1, 1]
    return Episodes(rows, labels, (rows, labels), Budget(8, 64), 0, kind, 3, 2, 1, steps, 0.5)  # type: ignore[arg-type]


def test_an_episode_has_all_labels_with_as_many_rows() -> None:
    for rows in episodes("reptile").batches(0):
        assert sorted(rows.tolist()) == [0, 1, 2, 3]
    assert [one.tolist() for one in episodes("fomaml").batches(0)] == [
        one.tolist() for one in episodes("reptile").batches(0)
    ]


@pytest.mark.parametrize("kind", ["reptile", "fomaml"])
def test_the_gradient_of_the_start_is_that_of_the_paper(kind: str) -> None:
    """With a zero head the first step changes the head alone, and the second also the map."""
    model, rows, given = Map(), np.array([0, 1, 2, 3]), episodes(kind, steps=2)
    loss = given.loss(model, rows)
    loss.backward()
    weight = model.inner.weight.detach().clone()
    learn, ask = given.train.load(np.array([0, 2]))[0], given.train.load(np.array([1, 3]))[0]
    own, head, targets = weight.clone().requires_grad_(), torch.zeros(2, 2, requires_grad=True), torch.tensor([0, 1])
    for _ in range(2):
        value = nn.functional.cross_entropy(learn @ own.T @ head.T, targets)
        first, second = torch.autograd.grad(value, [own, head])
        own, head = (own - 0.5 * first).detach().requires_grad_(), (head - 0.5 * second).detach().requires_grad_()
    asked = nn.functional.cross_entropy(ask @ own.T @ head.T, targets)
    wanted = (weight - own.detach()) / (0.5 * 2) if kind == "reptile" else torch.autograd.grad(asked, own)[0]
    assert torch.allclose(model.inner.weight.grad, wanted, atol=1e-6)  # type: ignore[arg-type]
    assert abs(loss.item() - asked.item()) < 1e-6


def test_the_score_is_that_of_the_nearest_mean() -> None:
    assert episodes("reptile").score(Map().eval()) == {"accuracy": 1.0, "loss": 0.0}
