"""The loss towards given outputs, against the formula."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

from penjing.tasks.classify import Classify
from penjing.train.batches import Budget
from penjing.train.soft_targets import SoftTargets
from penjing.train.supervised import IdRows, Supervised, TargetRows


def test_the_loss_is_hard_and_soft_parts_by_their_weights() -> None:
    task = Classify(("a", "b", "c"))
    rows = TargetRows.of(task, IdRows([np.array([1]), np.array([2])], 0), ["a", "c"], [])
    plain = Supervised(task, rows, rows, Budget(8, 8), 0)
    given = {next(iter(task.heads)): np.array([[2.0, 0.0, -1.0], [0.5, 0.1, 0.2]], dtype=np.float32)}
    outputs = torch.tensor([[0.3, 0.2, 0.1], [0.0, 0.0, 1.0]])
    mask, index = torch.ones(2, 1), np.array([0, 1])
    hard = functional.cross_entropy(outputs, torch.tensor([0, 2]))
    columns = [0, 1]
    wanted = functional.log_softmax(torch.from_numpy(next(iter(given.values())))[:, columns] / 2, dim=1)
    soft = 4 * functional.kl_div(
        functional.log_softmax(outputs[:, columns] / 2, dim=1), wanted, log_target=True, reduction="batchmean"
    )
    found = SoftTargets.of(plain, given, 0.7, 2.0, columns, hard=0.3).loss_of([outputs], mask, index)
    assert abs(found.item() - (0.3 * hard + 0.7 * soft).item()) < 1e-6
    assert abs(SoftTargets.of(plain, given, 0.0, 2.0).loss_of([outputs], mask, index).item() - hard.item()) < 1e-6
