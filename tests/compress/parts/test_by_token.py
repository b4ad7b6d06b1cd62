"""The loss by token against its formula by hand: what counts, what does not, and what gold adds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from penjing.compress.parts.by_token import Shares, TokenDistill, TokenTargets, check_same_tokens
from penjing.core.errors import UsageError
from penjing.core.task import IGNORED, Head
from penjing.train.batches import Budget
from penjing.train.supervised import IdRows

# Two texts: a special token, two pieces and a special token; a special token and one piece.
IDS = [np.array([1, 4, 5, 2]), np.array([1, 6])]
WITHIN = [np.array([False, True, True, False]), np.array([False, True])]
T, GOLD = 2.0, 0.3


class ByToken(nn.Module):
    """A model that gives each id its own outputs."""

    def __init__(self, seed: int, size: int) -> None:
        super().__init__()
        self.table = nn.Embedding(8, size)
        with torch.no_grad():
            drawn = np.random.default_rng(seed).normal(size=(8, size))
            self.table.weight.copy_(torch.from_numpy(drawn.astype(np.float32)))

    def forward(self, ids: torch.Tensor, _mask: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.table(ids)
        return found


class OneHead:
    """As much of a task as a loss needs."""

    def __init__(self, head: Head) -> None:
        self.heads = {"one": head}


def objective(head: Head, targets: list[Any], gold: float = GOLD, form: Any = "kl") -> TokenDistill:
    train = TokenTargets(IdRows(IDS, 0), WITHIN, {"one": targets})
    teacher: Any = ByToken(1, head.size)
    task: Any = OneHead(head)
    return TokenDistill(task, train, None, teacher, Shares(T, gold, form), Budget(8, 64), 0)  # type: ignore[arg-type]


def apart(student: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
    """T^2 KL of one choice."""
    wanted, found = functional.softmax(teacher / T, dim=0), functional.log_softmax(student / T, dim=0)
    return T**2 * (wanted * (wanted.log() - found)).sum()


def test_tokens_of_the_text_count_and_gold_where_there_is_some() -> None:
    made = objective(Head("token", 3, "cross_entropy"), [np.array([IGNORED, 2, 0, IGNORED]), np.full(2, IGNORED)])
    student = ByToken(2, 3)
    ours, theirs = student.table.weight, made.teacher.table.weight  # type: ignore[union-attr]
    hard = {
        4: functional.cross_entropy(ours[4], torch.tensor(2)),
        5: functional.cross_entropy(ours[5], torch.tensor(0)),
    }
    wanted = [(1 - GOLD) * apart(ours[i], theirs[i]) + GOLD * hard[i] for i in (4, 5)]  # type: ignore[index]
    wanted.append(apart(ours[6], theirs[6]))  # type: ignore[index]
    found = made.loss(student, np.array([0, 1]))
    assert found.item() == pytest.approx(torch.stack(wanted).mean().item(), rel=1e-5)
    # A longer row beside it changes nothing.
    alone = made.loss(student, np.array([1]))
    assert alone.item() == pytest.approx(wanted[2].item(), rel=1e-5)


def test_starts_and_ends_are_choices_among_the_places_of_a_text() -> None:
    made = objective(Head("span", 2, "cross_entropy"), [np.array([1, 2]), np.full(2, IGNORED)])
    student = ByToken(2, 2)
    ours, theirs = student.table.weight, made.teacher.table.weight  # type: ignore[union-attr]
    rows = []
    for side, place in ((0, 1), (1, 2)):
        mine, other = ours[[1, 4, 5], side], theirs[[1, 4, 5], side]  # type: ignore[index]
        hard = functional.cross_entropy(mine, torch.tensor(place))
        rows.append((1 - GOLD) * apart(mine, other) + GOLD * hard)
        rows.append(apart(ours[[1, 6], side], theirs[[1, 6], side]))  # type: ignore[index]
    found = made.loss(student, np.array([0, 1]))
    assert found.item() == pytest.approx(torch.stack(rows).mean().item(), rel=1e-5)


@pytest.mark.parametrize("kind", ["token", "span"])
def test_a_student_like_its_teacher_has_no_loss_without_gold(kind: Any) -> None:
    targets = [np.full(4, IGNORED), np.full(2, IGNORED)] if kind == "token" else [np.full(2, IGNORED)] * 2
    made = objective(Head(kind, 2, "cross_entropy"), targets)
    assert made.loss(ByToken(1, 2), np.array([0, 1])).item() == pytest.approx(0.0, abs=1e-6)
    assert made.loss(ByToken(3, 2), np.array([0, 1])).item() > 0.01


def test_the_centred_form_is_of_single_tokens() -> None:
    made = objective(Head("token", 3, "cross_entropy"), [np.full(4, IGNORED), np.full(2, IGNORED)], form="centred")
    student = ByToken(1, 3)
    with torch.no_grad():
        student.table.weight += 3.0
    assert made.loss(student, np.array([0, 1])).item() == pytest.approx(0.0, abs=1e-6)


def test_other_tokens_are_refused() -> None:
    check_same_tokens(same=True)
    with pytest.raises(UsageError, match="other tokens than its teacher"):
        check_same_tokens(same=False)
