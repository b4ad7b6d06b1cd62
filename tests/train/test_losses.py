"""The losses against values found by hand."""

from __future__ import annotations

import math

import pytest
import torch

from penjing.core.task import IGNORED, Loss
from penjing.train.losses import hard_loss, soft_loss

LOSSES: tuple[Loss, ...] = ("cross_entropy", "binary_cross_entropy", "mean_squared_error", "ordinal")


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def test_cross_entropy_smoothed_and_with_rows_to_pass_over() -> None:
    outputs = torch.tensor([[0.0, math.log(3)], [0.0, math.log(3)], [9.0, -9.0]])
    targets = torch.tensor([1, 0, IGNORED])
    # The probabilities are 1/4 and 3/4; the third row counts for nothing.
    one, other = -math.log(3 / 4), -math.log(1 / 4)
    assert hard_loss("cross_entropy", outputs, targets).item() == pytest.approx((one + other) / 2)
    assert hard_loss("cross_entropy", outputs, targets, reduction="none").tolist() == pytest.approx([one, other, 0])
    smooth = 0.9 * one + 0.1 * other, 0.9 * other + 0.1 * one
    assert hard_loss("cross_entropy", outputs, targets, 0.2).item() == pytest.approx(sum(smooth) / 2)


def test_binary_cross_entropy_is_a_mean_over_labels() -> None:
    outputs, targets = torch.tensor([[math.log(3), 0.0]]), torch.tensor([[1.0, 0.0]])
    wanted = (-math.log(3 / 4) - math.log(1 / 2)) / 2
    assert hard_loss("binary_cross_entropy", outputs, targets).item() == pytest.approx(wanted)


def test_squared_error_takes_one_column_as_it_is() -> None:
    outputs, targets = torch.tensor([[1.0], [3.0]]), torch.tensor([2.0, 5.0])
    assert hard_loss("mean_squared_error", outputs, targets).item() == pytest.approx((1 + 4) / 2)
    assert hard_loss("mean_squared_error", outputs, targets, reduction="sum").item() == pytest.approx(5)


def test_ordinal_asks_whether_the_gold_is_above_each_grade() -> None:
    outputs = torch.tensor([[2.0, 0.5, -1.0]])
    # The second of four grades: above the first one only.
    wanted = -math.log(sigmoid(2.0)) - math.log(1 - sigmoid(0.5)) - math.log(1 - sigmoid(-1.0))
    assert hard_loss("ordinal", outputs, torch.tensor([1])).item() == pytest.approx(wanted / 3)


def test_soft_cross_entropy() -> None:
    teacher, student = torch.tensor([[2 * math.log(3), 0.0]]), torch.tensor([[0.0, 0.0]])
    apart = 3 / 4 * math.log(3 / 4 / 0.5) + 1 / 4 * math.log(1 / 4 / 0.5)
    assert soft_loss("cross_entropy", student, teacher, 2.0).item() == pytest.approx(4 * apart)


@pytest.mark.parametrize("loss", ["binary_cross_entropy", "ordinal"])
def test_soft_binary_cross_entropy(loss: Loss) -> None:
    teacher, student = torch.tensor([[2 * math.log(3), 0.0]]), torch.tensor([[0.0, 0.0]])
    apart = 3 / 4 * math.log(3 / 4 / 0.5) + 1 / 4 * math.log(1 / 4 / 0.5)
    assert soft_loss(loss, student, teacher, 2.0).item() == pytest.approx(4 * apart / 2)


def test_soft_squared_error_knows_no_temperature() -> None:
    teacher, student = torch.tensor([[2.0]]), torch.tensor([[0.5]])
    for temperature in (1.0, 4.0):
        assert soft_loss("mean_squared_error", student, teacher, temperature).item() == pytest.approx(2.25)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_student_like_its_teacher_has_nothing_to_learn(loss: Loss) -> None:
    teacher = torch.tensor([[60.0, -80.0, 0.3], [-200.0, 4.0, 1.0]])
    student = teacher.clone().requires_grad_()
    found = soft_loss(loss, student, teacher, 2.0)
    found.backward()
    assert found.item() == pytest.approx(0, abs=1e-6)
    assert student.grad is not None
    assert student.grad.abs().max().item() == pytest.approx(0, abs=1e-6)


def test_a_loss_that_is_not_known_is_never_computed_as_another() -> None:
    outputs = torch.zeros(2, 1)
    for call in (hard_loss, soft_loss):
        with pytest.raises(AssertionError):
            call("huber", outputs, outputs)  # type: ignore[arg-type]


@pytest.mark.parametrize("loss", LOSSES)
def test_rows_without_a_target_count_nothing(loss: Loss) -> None:
    generator = torch.Generator().manual_seed(3)
    outputs = torch.randn(5, 3, generator=generator, requires_grad=True)
    if loss in ("cross_entropy", "ordinal"):
        targets = torch.tensor([0, IGNORED, 2, 1, IGNORED])
    else:
        targets = torch.rand(5, 3, generator=generator)
        targets[[1, 4]] = float("nan")
    known = [0, 2, 3]
    assert torch.allclose(hard_loss(loss, outputs, targets), hard_loss(loss, outputs[known], targets[known]))
    rows = hard_loss(loss, outputs, targets, reduction="none")
    assert rows[[1, 4]].tolist() == [0.0, 0.0]
    hard_loss(loss, outputs, targets).backward()
    assert outputs.grad is not None and outputs.grad.isfinite().all() and not outputs.grad[[1, 4]].any()
    nothing = hard_loss(loss, outputs[[1, 4]], targets[[1, 4]])
    assert nothing.item() == 0 and nothing.requires_grad
