"""The objective: smoothed cross entropy, and every row scored once in its own place."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from penjing.tasks import open_task
from penjing.train.batches import Budget
from penjing.train.supervised import IdRows, Supervised, TargetRows, predict

LENGTHS = (3, 1, 4, 1, 5, 2, 6)
ROWS = IdRows([np.full(length, place + 1) for place, length in enumerate(LENGTHS)], padding=0)


class Told(nn.Module):
    """Logits that tell which text a row is and how many tokens of it were to be read."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return self.scale * torch.stack([ids[:, 0].float(), mask.sum(dim=1).float()], dim=1)


def test_rows_come_back_in_their_order_whatever_batch_they_were_in() -> None:
    found = predict(Told().eval(), ROWS, Budget(rows=2, tokens=8))
    assert found[:, 0].tolist() == list(range(1, 8))
    assert found[:, 1].tolist() == list(LENGTHS)


def objective(smoothing: float) -> Supervised:
    task = open_task("classify", {"labels": ["a", "b"]})
    rows = TargetRows.of(task, ROWS, list("abababa"))
    return Supervised(task, rows, rows, Budget(rows=4, tokens=64), seed=0, smoothing=smoothing)


def test_the_loss_is_cross_entropy_with_smoothed_targets() -> None:
    model, rows = Told(), np.array([2, 5])
    logits = np.array([[3.0, 4.0], [6.0, 2.0]])
    shares = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    for smoothing in (0.0, 0.2):
        target = (1 - smoothing) * np.eye(2)[[0, 1]] + smoothing / 2
        wanted = -(target * shares).sum(axis=1).mean()
        assert objective(smoothing).loss(model, rows).item() == pytest.approx(wanted, rel=1e-5)


def test_the_score_is_of_the_validation_rows() -> None:
    scores = objective(0.0).score(Told().eval())
    # Rows whose number is at least their length are guessed as the first label: all but the first and the third.
    assert scores["accuracy"] == pytest.approx(2 / 7, abs=1e-6)
    assert scores["macro_f1"] == pytest.approx((2 * 2 / (4 + 5) + 0) / 2, abs=1e-6)
    assert scores["loss"] > 0
