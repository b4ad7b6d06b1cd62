"""The Fisher information of a known model, and the gradient of the penalty."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from penjing.train.batches import Ints
from penjing.train.hooks import Batch
from penjing.train.stay import StayHook, fisher_of


class Squares:
    """loss = (w x)^2 / 2 of one number a row."""

    numbers = (1.0, 2.0, 3.0)

    def batches(self, epoch: int) -> list[Ints]:  # noqa: ARG002
        return []

    def loss(self, model: nn.Module, rows: Ints) -> torch.Tensor:
        given = torch.tensor([[self.numbers[row]] for row in rows])
        found: torch.Tensor = model(given).square().mean() / 2
        return found

    def score(self, model: nn.Module) -> dict[str, float]:  # noqa: ARG002
        return {}


def test_the_fisher_information_is_the_mean_of_squared_gradients() -> None:
    model = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        model.weight.fill_(0.5)
    # d loss / d w = w x^2
    wanted = np.mean([(0.5 * x * x) ** 2 for x in Squares.numbers])
    assert abs(fisher_of(model, Squares(), [0, 1, 2])["weight"].item() - wanted) < 1e-6


def test_the_penalty_pulls_back_by_importance() -> None:
    model = nn.Linear(2, 1, bias=False)
    hook = StayHook(model, {"weight": torch.tensor([[2.0, 0.0]])}, 0.5)
    before = model.weight.detach().clone()
    with torch.no_grad():
        model.weight += 3.0
    model.weight.grad = torch.zeros_like(model.weight)
    hook.after_backward(Batch(model, 0, lambda: torch.zeros(())))
    assert torch.allclose(model.weight.grad, torch.tensor([[0.5 * 2.0 * 3.0, 0.0]]), atol=1e-6)
    assert torch.allclose(model.weight.detach() - before, torch.full((1, 2), 3.0))
