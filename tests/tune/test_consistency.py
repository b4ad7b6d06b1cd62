"""Consistency training: batches, the loss by hand, what counts as sure, and the same bits with kept lower layers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from penjing.core.errors import UsageError
from penjing.core.nouns import Inputs, Run, Table
from penjing.core.task import Item
from penjing.tasks import open_reader
from penjing.train.batches import Budget
from penjing.train.supervised import IdRows, TargetRows
from penjing.tune.consistency import Consistency, Options, apply, sureness

GOLDS = ["a", "b", "a"]
TASK = open_reader("classify", {}).learn(GOLDS)


class Net(nn.Module):
    """Outputs of a text of one token: (its id, 0), times a weight."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        first = ids[:, :1].float() * mask[:, :1]
        return self.weight * torch.cat([first, torch.zeros_like(first)], dim=1)


def rows(*ids: int) -> IdRows:
    return IdRows([np.array([one], dtype=np.int64) for one in ids], 0)


def objective(**options: Any) -> Consistency:
    labelled = TargetRows.of(TASK, rows(2, -1, 3), GOLDS, [Item("")] * 3)
    return Consistency(
        task=TASK, train=labelled, validation=labelled, budget=Budget(2, 100), seed=0,
        options=Options(**{"copies": 1, "ratio": 2} | options), further=rows(4, 1, -3, 2, 1, -1), texts=3,
    )  # fmt: skip


def test_a_batch_has_labelled_rows_and_twice_as_many_texts_in_turn() -> None:
    batches = objective().batches(0)
    assert sorted(row for batch in batches for row in batch if row < 3) == [0, 1, 2]
    for batch in batches:
        assert (batch >= 3).sum() == 2 * (batch < 3).sum()
    assert np.bincount([row for batch in batches for row in batch if row >= 3]).tolist() == [0, 0, 0, 2, 2, 2]
    assert [each.tolist() for each in batches] == [each.tolist() for each in objective().batches(0)]


def test_the_loss_by_hand_counts_sure_texts_alone() -> None:
    one = objective(weight=0.5, temperature=0.5, threshold=0.9)
    net = Net()
    found = one.loss(net, np.array([0, 3, 4]))
    # Row 0 has the output 2 and is an `a`. The first text (output 4, p = 0.98) counts, the second (p = 0.73) does not.
    p, q = torch.sigmoid(torch.tensor([8.0, 2.0])).double().tolist()
    apart = p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))
    assert found.item() == pytest.approx(np.log1p(np.exp(-2)) + 0.5 * apart / 2, abs=1e-5)
    found.backward()
    assert net.weight.grad is not None and net.weight.grad.item() != 0


def test_how_sure_an_answer_is() -> None:
    outputs = torch.tensor([[2.0, -3.0]])
    assert sureness("cross_entropy", outputs).item() == pytest.approx(1 / (1 + np.exp(-5)))
    assert sureness("binary_cross_entropy", outputs).item() == pytest.approx(1 / (1 + np.exp(-2)))
    assert sureness("ordinal", outputs).item() == sureness("mean_squared_error", outputs).item() == 1


def test_without_texts_it_is_refused(tmp_path: Path) -> None:
    inputs = Inputs(None, Table(["x"], ["a"]), Table(["y"], ["b"]))
    with pytest.raises(UsageError, match="learns from texts without labels, and there are none"):
        apply(inputs, Options(), Run(tmp_path / "out", tmp_path / "scratch"))
