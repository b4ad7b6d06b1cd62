"""Mixup: outputs of mixed vectors are mixed outputs, fields are mixed too, and nothing stays in the model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.train.toys import TASK, labelled, parts
from torch import nn

from penjing.model.encoder import Classifier
from penjing.model.fields import WithFields
from penjing.train.batches import Budget
from penjing.train.mixup import Mixup
from penjing.train.supervised import FieldRows, Supervised

ROWS = np.arange(6)


@pytest.mark.parametrize("fields", [False, True])
@pytest.mark.parametrize("layers", ["all", 1])
def test_the_loss_is_that_of_mixed_vectors_against_both_labels(layers: str | int, fields: bool) -> None:
    model, rows = parts(layers)
    if fields:
        assert isinstance(model, nn.Module)
        model = WithFields(model, 2, [3])
        nn.init.normal_(model.fields.weight)
        rows = FieldRows(rows, np.random.default_rng(1).normal(size=(24, 2)).astype(np.float32))
    model.eval()
    known = labelled(rows)
    supervised = Supervised(TASK, known, known, Budget(8, 64), seed=0)
    torch.manual_seed(3)
    share, order = float(torch.distributions.Beta(0.4, 0.4).sample()), torch.randperm(len(ROWS))
    torch.manual_seed(3)
    found = Mixup(0.4)(supervised, model, ROWS)
    (plain,), mask = supervised.outputs(model, ROWS)
    mixed = (share * plain + (1 - share) * plain[order],)
    one, other = (supervised.loss_of(mixed, mask, each) for each in (ROWS, ROWS[order.numpy()]))
    assert 0.01 < share < 0.99
    assert found.item() == pytest.approx((share * one + (1 - share) * other).item(), rel=1e-5)
    (after,), _ = supervised.outputs(model, ROWS)
    assert torch.equal(after, plain), "the hooks are gone"


def test_it_is_drawn_from_the_generator_of_the_training() -> None:
    model, rows = parts("all")
    assert isinstance(model, Classifier)
    known = labelled(rows)
    supervised = replace(Supervised(TASK, known, known, Budget(8, 64), seed=0), through=Mixup(1.0))
    torch.manual_seed(1)
    first = [supervised.loss(model.eval(), ROWS).item() for _ in range(2)]
    torch.manual_seed(1)
    assert [supervised.loss(model, ROWS).item() for _ in range(2)] == first
    assert first[0] != first[1]
