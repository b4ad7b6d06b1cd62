"""The loss that the options choose: none by default, each by its formula, with the weights of the labels' names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from tests.tune.test_fits import task

from penjing.core.errors import UsageError
from penjing.core.own_code import OwnCode
from penjing.train.costs import cost_loss
from penjing.train.focal import asymmetric_loss, focal_of_one, focal_of_several
from penjing.tune.chosen_loss import criterion_for
from penjing.tune.options import TrainingOptions

OUTPUTS = torch.linspace(-2, 2, 12).view(4, 3)
PLACES = torch.tensor([0, 2, 1, 1])
GIVEN = (torch.arange(12).view(4, 3) % 2).float()


def loss(kind: str, targets: torch.Tensor, code: OwnCode | None = None, **given: Any) -> float:
    known = task(kind)
    ((name, head),) = known.heads.items()
    found = criterion_for(TrainingOptions(**given), known, {name: targets.numpy()}, code)
    assert found is not None
    return found(name, head.loss, OUTPUTS, targets).item()


def test_by_default_the_task_has_its_own() -> None:
    assert criterion_for(TrainingOptions(label_smoothing=0.1), task("classify"), {}, None) is None


def test_each_is_its_formula_with_the_options() -> None:
    focal = focal_of_one(OUTPUTS, PLACES, 1.5, 0.1).mean()
    assert loss("classify", PLACES, loss="focal", focal_gamma=1.5, label_smoothing=0.1) == pytest.approx(focal.item())
    several = focal_of_several(OUTPUTS, GIVEN, 2.0).mean()
    assert loss("several", GIVEN, loss="focal") == pytest.approx(several.item())
    uneven = asymmetric_loss(OUTPUTS, GIVEN, 3.0, 0.1).mean()
    found = loss("several", GIVEN, loss="asymmetric", asymmetric_gamma=3.0, asymmetric_margin=0.1)
    assert found == pytest.approx(uneven.item())
    costs = torch.tensor([[0.0, 7.0, 1.0], [1, 0, 1], [0.5, 1, 0]])
    found = loss("classify", PLACES, loss="cost", costs={"a": {"b": 7.0}, "c": {"a": 0.5}})
    assert found == pytest.approx(cost_loss(OUTPUTS, PLACES, costs).mean().item())


def test_labels_have_the_weights_of_their_names() -> None:
    rows = torch.nn.functional.cross_entropy(OUTPUTS, PLACES, reduction="none")
    found = loss("classify", PLACES, class_weights={"b": 3.0})
    assert found == pytest.approx((rows * torch.tensor([1.0, 1, 3, 3])).mean().item())
    balanced = loss("classify", PLACES, class_weights="balanced")
    assert balanced == pytest.approx((rows * torch.tensor([4 / 3, 4 / 3, 2 / 3, 2 / 3])).mean().item())
    flags = torch.nn.functional.binary_cross_entropy_with_logits(OUTPUTS, GIVEN, reduction="none")
    found = loss("several", GIVEN, class_weights={"b": 3.0})
    assert found == pytest.approx((flags * torch.where(GIVEN * torch.tensor([0, 1, 0]) > 0, 3.0, 1.0)).mean().item())


def test_a_function_of_the_teams_own_is_tried_and_used() -> None:
    code = OwnCode("mine", "def mine(outputs, targets):\n    return outputs[:, 0] ** 2 + targets\n", "losses.py")
    wanted = (OUTPUTS[:, 0] ** 2 + PLACES).mean().item()
    assert loss("classify", PLACES, code, loss="losses.py:mine") == pytest.approx(wanted)
    with pytest.raises(UsageError, match="was not read") as caught:
        loss("classify", PLACES, loss="losses.py:mine")
    assert caught.value.where == "loss"
    bad = OwnCode("mine", "def mine(outputs, targets):\n    return outputs\n", "losses.py")
    with pytest.raises(UsageError, match="gives the shape"):
        loss("classify", PLACES, bad, loss="losses.py:mine")


def test_weights_of_tokens_are_balanced_over_all_texts() -> None:
    known = task("tag")
    ((name, head),) = known.heads.items()
    targets = [np.array([-100, 0, 0, 0]), np.array([0, 1, -100])]
    found = criterion_for(TrainingOptions(class_weights="balanced"), known, {name: targets}, None)
    assert found is not None
    assert found.weights[name][:2].tolist() == pytest.approx([5 / 8, 5 / 2])
    assert len(found.weights[name]) == head.size
