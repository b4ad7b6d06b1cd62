"""Declared fields joined before the head: the same as one linear map over [text ; fields]."""

from __future__ import annotations

import torch
from torch import nn

from penjing.model.fields import WithFields, inner
from penjing.train.optim import Optimizing, build_optimizer


class Pooled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(4, 3)

    def forward(self, states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.head(states)
        return found + 0 * mask.sum()


def test_the_join_is_one_linear_map_over_both() -> None:
    model = WithFields(Pooled(), 2, [3])
    states, numbers, mask = torch.randn(5, 4), torch.randn(5, 2), torch.ones(5, 1)
    assert torch.equal(model(states, mask, numbers), model.model(states, mask)), "at first the fields say nothing"
    nn.init.normal_(model.fields.weight)
    weights = torch.from_numpy(model.weights())
    whole = torch.cat([model.model.head.weight, weights.T], dim=1)
    expected = torch.cat([states, numbers], dim=1) @ whole.T + model.model.head.bias
    torch.testing.assert_close(model(states, mask, numbers), expected)
    assert inner(model) is model.model and inner(model.model) is model.model


def test_the_map_learns_as_fast_as_the_head_and_is_shared() -> None:
    model = WithFields(Pooled(), 2, [3])
    rates = {group["peak"] for group in build_optimizer(model, Optimizing(1e-4, head_factor=10.0)).param_groups}
    assert rates == {1e-3}
    assert model.over(Pooled()).fields is model.fields


def test_several_heads_get_their_own_columns() -> None:
    class Two(nn.Module):
        def forward(self, states: torch.Tensor, mask: torch.Tensor) -> dict[str, torch.Tensor]:
            return {"a": states[:, :2] * mask, "b": states[:, :1] * mask}

    model = WithFields(Two(), 2, [2, 1])
    nn.init.normal_(model.fields.weight)
    numbers = torch.randn(3, 2)
    found = model(torch.zeros(3, 4), torch.ones(3, 1), numbers)
    wanted = numbers @ torch.from_numpy(model.weights())
    torch.testing.assert_close(torch.cat([found["a"], found["b"]], dim=1), wanted)
