"""Weights of labels by hand, rows without a target, and a plain formula that is the loss of the task."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from penjing.core.task import IGNORED
from penjing.train.criteria import Criterion, PlainFormula, balanced_weights
from penjing.train.losses import hard_loss


def test_balanced_weights_of_one_label_sum_to_the_rows() -> None:
    places = np.array([0, 0, 0, 1, IGNORED])
    weights = balanced_weights("cross_entropy", places, 3)
    assert weights.tolist() == pytest.approx([4 / 6, 2.0, 1.0]), "a label without rows has 1"
    assert weights[places[:4]].sum().item() == pytest.approx(4)
    tokens = [np.array([0, 0, IGNORED]), np.array([0, 1])]
    assert balanced_weights("cross_entropy", tokens, 2).tolist() == pytest.approx([4 / 6, 2.0])


def test_balanced_weights_of_several_labels_are_of_absent_and_given() -> None:
    rows = np.array([[1, 0], [0, 0], [0, 0], [0, 0], [math.nan, math.nan]], dtype=np.float32)
    weights = balanced_weights("binary_cross_entropy", rows, 2)
    assert weights[0].tolist() == pytest.approx([4 / 6, 0.5])
    assert weights[1].tolist() == pytest.approx([2.0, 1.0])


def test_rows_count_by_the_weight_of_their_label_and_none_without_a_target() -> None:
    outputs = torch.tensor([[math.log(3), 0.0]] * 3, requires_grad=True)
    targets = torch.tensor([0, 1, IGNORED])
    criterion = Criterion(PlainFormula(), {"label": torch.tensor([1.0, 3.0])})
    loss = criterion("label", "cross_entropy", outputs, targets)
    assert loss.item() == pytest.approx((math.log(4 / 3) + 3 * math.log(4)) / 2)
    assert criterion("other", "cross_entropy", outputs, targets).item() == pytest.approx(
        (math.log(4 / 3) + math.log(4)) / 2
    )
    assert criterion("label", "cross_entropy", outputs, torch.full((3,), IGNORED)).item() == 0
    given = torch.tensor([[1.0, 0.0], [math.nan, math.nan], [0.0, 1.0]])
    pair = Criterion(PlainFormula(), {"labels": torch.tensor([[1.0, 1.0], [2.0, 4.0]])})
    first, second = math.log(4 / 3), math.log(2)
    wanted = ((2 * first + second) + (math.log(4) + 4 * second)) / 4
    assert pair("labels", "binary_cross_entropy", outputs, given).item() == pytest.approx(wanted)


@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy", "mean_squared_error", "ordinal"])
def test_the_plain_formula_is_the_loss_of_the_task(loss: str) -> None:
    outputs = torch.linspace(-2, 2, 12).view(4, 3)
    targets = torch.tensor([0, 2, 1, 2]) if loss in ("cross_entropy", "ordinal") else (outputs > 0).float()
    plain = hard_loss(loss, outputs, targets)  # type: ignore[arg-type]
    assert Criterion(PlainFormula())("head", loss, outputs, targets).item() == pytest.approx(plain.item())  # type: ignore[arg-type]
