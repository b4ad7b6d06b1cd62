"""The loss of errors that cost differently, by hand, and which errors it avoids."""

from __future__ import annotations

import math

import pytest
import torch

from penjing.train.costs import cost_loss


def test_it_is_cross_entropy_plus_the_expected_cost() -> None:
    outputs, costs = torch.tensor([[math.log(2), 0.0, 0.0]]), torch.tensor([[0.0, 5.0, 1.0], [1, 0, 1], [1, 1, 0]])
    assert cost_loss(outputs, torch.tensor([0]), costs).item() == pytest.approx(math.log(2) + 0.25 * 5 + 0.25)
    assert cost_loss(outputs, torch.tensor([1]), costs).item() == pytest.approx(math.log(4) + 0.5 + 0.25)


def test_outputs_that_learn_it_lean_to_the_cheap_error() -> None:
    """Rows that cannot be told apart: half are a, half are b; calling a b costs ten times as much."""
    outputs = torch.zeros(2, requires_grad=True)
    costs = torch.tensor([[0.0, 10.0], [1.0, 0.0]])
    for _ in range(300):
        loss = cost_loss(outputs.expand(2, 2), torch.tensor([0, 1]), costs).mean()
        (gradient,) = torch.autograd.grad(loss, outputs)
        outputs = (outputs - 0.2 * gradient).detach().requires_grad_(True)
    assert torch.softmax(outputs, 0)[0] > 0.8
