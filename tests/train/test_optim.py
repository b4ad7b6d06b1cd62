"""The learning rate's course, and who gets which."""

from __future__ import annotations

import math

import pytest
import torch
from tests.train.toys import parts
from torch import nn

from penjing.train.optim import OptimizerName, Optimizing, build_optimizer, halvings, rate_share, set_rate


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


def test_cosine_is_half_in_the_middle_and_wsd_stays_at_the_top() -> None:
    cosine = [rate_share(step, 110, 10 / 110, "cosine") for step in range(110)]
    assert cosine[10] == 1 and abs(cosine[60] - 0.5) < 1e-9
    assert cosine[10:] == sorted(cosine[10:], reverse=True)
    stable = [rate_share(step, 100, 0.1, "wsd", 0.2) for step in range(100)]
    assert stable[9:80] == [1.0] * 71
    # A quarter of the way down, 1 - sqrt(1/4) of the rate is left.
    assert abs(stable[85] - 0.5) < 1e-9 and 0 < stable[99] < 0.03


@pytest.mark.parametrize(
    ("layers", "places"), [("all", {"embeddings.": 2, "layer.0.": 1, "layer.1.": 0}), (1, {"layer.0.": 0})]
)
def test_rates_fall_with_the_depth_of_a_layer(layers: str | int, places: dict[str, int]) -> None:
    model, _ = parts(layers)
    optimizer = build_optimizer(model, Optimizing(1e-3, head_factor=5, layer_decay=0.5))
    peaks = {id(each): group["peak"] for group in optimizer.param_groups for each in group["params"]}
    found = {name: peaks[id(each)] for name, each in model.named_parameters()}
    for name, peak in found.items():
        depth = next((depth for place, depth in places.items() if place in name), None)
        assert peak == pytest.approx(5e-3 if depth is None else 1e-3 * 0.5**depth), name


def test_plateau_halves_after_each_evaluation_that_is_not_better() -> None:
    scores = [0.5, 0.7, 0.7, 0.6, 0.8]
    evaluations = [{"macro_f1": score, "loss": 1 - score} for score in scores]
    assert [halvings(evaluations[:count], "macro_f1") for count in range(6)] == [0, 0, 0, 1, 2, 2]
    assert halvings(evaluations, "loss") == 2
    model, settings = Model(), Optimizing(1e-3, warmup=0.2, schedule="plateau")
    optimizer = build_optimizer(model, settings)
    shares = [set_rate(optimizer, step, 10, settings, halved) for step, halved in ((0, 0), (1, 0), (9, 0), (9, 2))]
    assert shares == [0.5, 1.0, 1.0, 0.25]
    assert optimizer.param_groups[0]["lr"] == pytest.approx(2.5e-4)


@pytest.mark.parametrize("name", ["adamw", "adafactor", "sgd"])
def test_every_optimizer_takes_the_rate_and_the_decay_of_its_group(name: OptimizerName) -> None:
    """The first step of a gradient of 1: AdamW and Adafactor move by the rate, SGD by rate times gradient."""
    model = Model()
    settings = Optimizing(1e-2, head_factor=3, weight_decay=0.0, warmup=0, optimizer=name)
    optimizer = build_optimizer(model, settings)
    set_rate(optimizer, 0, 1, settings)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    for key, value in model.state_dict().items():
        moved = (before[key] - value).abs().max().item()
        assert math.isclose(moved, 3e-2 if key.startswith("head.") else 1e-2, rel_tol=1e-3), key


def test_adafactor_keeps_a_row_and_a_column_of_a_matrix() -> None:
    model = Model()
    optimizer = build_optimizer(model, Optimizing(1e-2, optimizer="adafactor"))
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    numbers = sum(value.numel() for part in optimizer.state[model.encoder[0].weight].values() for value in [part])
    assert numbers == 1 + 3 + 3
