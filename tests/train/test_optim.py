"""The learning rate's course, and who gets which."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from penjing.train.optim import Optimizing, build_optimizer, rate_share, set_rate


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(3, 3), nn.LayerNorm(3))
        self.head = nn.Linear(3, 2)


def test_the_rate_rises_and_falls_to_nearly_nothing() -> None:
    shares = [rate_share(step, 100, 0.1) for step in range(100)]
    assert shares[0] == pytest.approx(0.1)
    assert max(shares) == shares[9] == shares[10] == 1.0
    assert shares[10:] == sorted(shares[10:], reverse=True)
    assert 0 < shares[-1] < 0.02


@pytest.mark.parametrize("warmup", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("total", [1, 2, 7])
def test_no_step_is_without_a_rate(total: int, warmup: float) -> None:
    assert all(0 < rate_share(step, total, warmup) <= 1 for step in range(total))


def test_head_and_decay_groups() -> None:
    model = Model()
    model.encoder[0].bias.requires_grad_(False)
    optimizer = build_optimizer(model, Optimizing(learning_rate=1e-3, head_factor=5, weight_decay=0.1))
    set_rate(optimizer, 0, 10, Optimizing(1e-3, warmup=0.2))
    found = {
        id(parameter): (group["lr"], group["weight_decay"])
        for group in optimizer.param_groups
        for parameter in group["params"]
    }
    assert found == {
        id(model.encoder[0].weight): (5e-4, 0.1),
        id(model.encoder[1].weight): (5e-4, 0.0),
        id(model.encoder[1].bias): (5e-4, 0.0),
        id(model.head.weight): (pytest.approx(2.5e-3), 0.1),
        id(model.head.bias): (pytest.approx(2.5e-3), 0.0),
    }
    assert isinstance(optimizer, torch.optim.AdamW)
