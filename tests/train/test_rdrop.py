"""R-Drop by hand, and nothing without dropout."""

from __future__ import annotations

import pytest
import torch
from tests.train.toys import TASK, labelled, parts
from torch.nn import functional

from penjing.train.batches import Budget
from penjing.train.rdrop import RDrop
from penjing.train.supervised import Supervised

ROWS = torch.arange(6).numpy()


def objective() -> Supervised:
    known = labelled(parts("all")[1])
    return Supervised(TASK, known, known, Budget(8, 64), seed=0)


def test_it_is_the_mean_loss_and_the_difference_of_two_passes() -> None:
    model, supervised = parts("all")[0].train(), objective()
    torch.manual_seed(7)
    found = RDrop(3.0)(supervised, model, ROWS)
    torch.manual_seed(7)
    (one, mask), (other, _) = (supervised.outputs(model, ROWS) for _ in range(2))
    logs = [functional.log_softmax(outputs[0], dim=1) for outputs in (one, other)]
    apart = [
        functional.kl_div(right, left, log_target=True, reduction="batchmean") for left, right in (logs, reversed(logs))
    ]
    own = (supervised.loss_of(one, mask, ROWS) + supervised.loss_of(other, mask, ROWS)) / 2
    assert found.item() == pytest.approx((own + 3 / 4 * (apart[0] + apart[1])).item(), rel=1e-5)
    assert found.item() > own.item()


def test_without_dropout_it_is_the_plain_loss() -> None:
    model, supervised = parts("all")[0].eval(), objective()
    assert RDrop(3.0)(supervised, model, ROWS).item() == pytest.approx(supervised.loss(model, ROWS).item(), rel=1e-5)
