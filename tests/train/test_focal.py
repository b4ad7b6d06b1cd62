"""Focal and asymmetric losses against values by hand, and their limits, which are cross entropy."""

from __future__ import annotations

import math

import pytest
import torch

from penjing.train.focal import asymmetric_loss, focal_of_one, focal_of_several
from penjing.train.losses import hard_loss

ODDS = math.log(4)  # a probability of 0.8


def test_an_easy_row_counts_by_the_square_of_what_is_missing() -> None:
    outputs = torch.tensor([[ODDS, 0.0], [0.0, ODDS]])
    found = focal_of_one(outputs, torch.tensor([0, 0]), gamma=2.0)
    assert found.tolist() == pytest.approx([-0.04 * math.log(0.8), -0.64 * math.log(0.2)], rel=1e-5)
    several = focal_of_several(torch.tensor([[ODDS, ODDS]]), torch.tensor([[1.0, 0.0]]), gamma=2.0)
    assert several[0].tolist() == pytest.approx([-0.04 * math.log(0.8), -0.64 * math.log(0.2)], rel=1e-5)


def test_the_asymmetric_loss_drops_absent_labels_below_the_margin() -> None:
    outputs = torch.tensor([[ODDS, ODDS, math.log(0.04 / 0.96)]])
    found = asymmetric_loss(outputs, torch.tensor([[1.0, 0.0, 0.0]]), gamma=4.0, margin=0.05)[0].tolist()
    assert found[0] == pytest.approx(-math.log(0.8), rel=1e-5)
    assert found[1] == pytest.approx(-(0.75**4) * math.log(0.25), rel=1e-5)
    assert found[2] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_without_focusing_they_are_cross_entropy(smoothing: float) -> None:
    draw = torch.Generator().manual_seed(1)
    outputs, places = torch.randn(6, 4, generator=draw), torch.tensor([0, 1, 2, 3, 0, 1])
    plain = hard_loss("cross_entropy", outputs, places, smoothing, "none")
    assert torch.allclose(focal_of_one(outputs, places, 0.0, smoothing), plain, atol=1e-6)
    given = (torch.arange(24).view(6, 4) % 3 == 0).float()
    plain = hard_loss("binary_cross_entropy", outputs, given, reduction="none")
    assert torch.allclose(focal_of_several(outputs, given, 0.0).mean(dim=1), plain, atol=1e-6)
    assert torch.allclose(asymmetric_loss(outputs, given, 0.0, 0.0).mean(dim=1), plain, atol=1e-5)


@pytest.mark.parametrize("size", [1e-3, 40.0, 200.0])
def test_gradients_are_finite_for_outputs_of_any_size(size: float) -> None:
    outputs = torch.tensor([[size, -size], [-size, size]], requires_grad=True)
    given = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    total = focal_of_one(outputs, torch.tensor([0, 0]), 0.5).sum() + focal_of_several(outputs, given, 0.5).sum()
    (total + asymmetric_loss(outputs, given, 0.5, 0.05).sum()).backward()
    assert outputs.grad is not None and torch.isfinite(outputs.grad).all()
