"""Accumulation: the gradient of a step is that of its batches together, and every row is in a step once."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.train.toys import TASK, labelled, parts

from penjing.train.accumulation import Accumulated
from penjing.train.batches import Budget
from penjing.train.loop import StreamObjective, count_steps
from penjing.train.supervised import Supervised


def objective() -> Supervised:
    known = labelled(parts("all")[1])
    return Supervised(TASK, known, known, Budget(5, 64), seed=2)


def test_the_gradient_is_that_of_one_large_batch() -> None:
    several = Accumulated(objective(), 2, 1)
    step = several.batches(0)[0]
    model = parts("all")[0].eval()
    grown = []
    for pieces in (list(several.pieces(model, step)), [objective().loss(model, step)]):
        model.zero_grad()
        for piece in pieces:
            piece.backward()
        grown.append([each.grad.clone() for each in model.parameters() if each.grad is not None])
        assert len(pieces) in (1, 2)
    assert all(torch.allclose(one, other, atol=1e-6) for one, other in zip(*grown, strict=True))
    assert several.loss(model, step).item() == pytest.approx(objective().loss(model, step).item(), rel=1e-5)


@pytest.mark.parametrize(("count", "epochs", "sizes"), [(2, 2.0, [3, 3]), (3, 1.4, [2, 1]), (9, 1.0, [1])])
def test_every_row_of_an_epoch_is_in_one_step(count: int, epochs: float, sizes: list[int]) -> None:
    several = Accumulated(objective(), count, epochs)
    assert isinstance(several, StreamObjective)
    assert several.sizes() == count_steps(several, epochs) == sizes
    for epoch, size in enumerate(sizes):
        batches = several.batches(epoch)
        assert len(batches) == size
        of_each = objective().batches(epoch)[: count_steps(objective(), epochs)[epoch]]
        assert np.array_equal(np.concatenate(batches), np.concatenate(of_each))
