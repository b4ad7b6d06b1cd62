"""The losses over what passes inside are the written ones, and padding has no part in them."""

from __future__ import annotations

import math

import pytest
import torch

from penjing.train.states import States, hidden_loss, relation_loss


def states(seed: int, width: int = 24) -> States:
    source = torch.Generator().manual_seed(seed)
    return States(
        [torch.randn(2, 5, width, generator=source) for _ in range(3)], torch.randn(2, 5, 6, generator=source)
    )


MASK = torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]])


def test_relations_are_the_written_ones() -> None:
    teacher, student = states(1), states(2)
    total, heads = 0.0, 12
    for wanted, found in zip(teacher.relations, student.relations, strict=True):
        for row, length in enumerate((3, 5)):
            for head in range(heads):
                pair = [each[row, :length, 2 * head : 2 * head + 2] for each in (wanted, found)]
                p, q = (torch.log_softmax(each @ each.T / math.sqrt(2), dim=1) for each in pair)
                total += float((p.exp() * (p - q)).sum())
    assert relation_loss(teacher, student, MASK).item() == pytest.approx(total / (3 * 8 * heads), rel=1e-4)
    assert relation_loss(teacher, teacher, MASK).item() == pytest.approx(0, abs=1e-7)
    # Teacher and student may be of different widths, as behind a pruning of heads.
    for width in (48, 20, 7):
        assert math.isfinite(relation_loss(teacher, states(3, width=width), MASK).item())


def test_hidden_states_are_compared_token_by_token() -> None:
    teacher, student = states(1), states(2)
    apart = (teacher.hidden - student.hidden) ** 2
    wanted = (apart[0, :3].sum() + apart[1].sum()) / (8 * 6)
    assert hidden_loss(teacher, student, MASK).item() == pytest.approx(wanted.item(), rel=1e-5)


def test_padding_has_no_part() -> None:
    teacher, student, other = states(1), states(2), states(2)
    for each in (*other.relations, other.hidden):
        each[0, 3:] = 99.0
    for loss in (relation_loss, hidden_loss):
        assert loss(teacher, student, MASK).item() == pytest.approx(loss(teacher, other, MASK).item())
