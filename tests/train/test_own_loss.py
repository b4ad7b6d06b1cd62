"""A loss of the team's own: called on rows of every kind of head, and refused where it cannot teach anything."""

from __future__ import annotations

import pytest
import torch

from penjing.core.errors import UsageError
from penjing.core.own_code import OwnCode
from penjing.core.task import Head
from penjing.train.own_loss import OwnLoss

HEADS = [
    Head("pooled", 3, "cross_entropy"),
    Head("pooled", 2, "binary_cross_entropy"),
    Head("pooled", 1, "mean_squared_error"),
    Head("token", 5, "cross_entropy"),
    Head("pooled", 3, "ordinal"),
]


def own(body: str, top: str = "") -> OwnLoss:
    return OwnLoss(OwnCode("mine", f"import torch\n{top}\ndef mine(outputs, targets):\n    {body}\n", "losses.py"))


def test_it_gets_outputs_and_targets_and_gives_a_loss_a_row() -> None:
    loss = own("return torch.nn.functional.cross_entropy(outputs, targets, reduction='none')")
    loss.try_on([HEADS[0], HEADS[3]])
    outputs, targets = torch.randn(4, 3), torch.tensor([0, 1, 2, 0])
    plain = torch.nn.functional.cross_entropy(outputs, targets, reduction="none")
    assert torch.equal(loss("cross_entropy", outputs, targets), plain)
    own("return outputs.square().mean()").try_on(HEADS)
    own("return (outputs.mean(dim=1) - targets.float().reshape(len(outputs), -1).mean(dim=1)).abs()").try_on(HEADS)


@pytest.mark.parametrize(
    ("body", "what", "where"),
    [
        ("return outputs", r"gives the shape \(4, 3\) for 4 rows", "losses.py"),
        ("return outputs[:2, 0]", r"gives the shape \(2,\) for 4 rows", "losses.py"),
        ("return 1.0", "gives `float`", "losses.py"),
        ("return None", "gives `NoneType`", "losses.py"),
        ("return torch.zeros(4)", "does not depend on the outputs", "losses.py"),
        ("return outputs.sum() / 0", "for outputs between -1 and 1", "losses.py"),
        ("return outputs.sum() * float('nan')", "gives nan", "losses.py"),
        ("return outputs.sum().to(torch.complex64)", "gives complex64 on cpu", "losses.py"),
        ("return outputs.sum().to('meta')", "gives float32 on meta, for outputs on cpu", "losses.py"),
        ("raise SystemExit(0)", "failed with SystemExit: 0", "losses.py:4"),
        ("return outputs[targets[9]]", "failed with IndexError", "losses.py:4"),
        ("return torch.nn.functional.nll_loss(outputs, 3)", "failed with TypeError", "losses.py:4"),
    ],
)
def test_what_cannot_be_a_loss_is_refused(body: str, what: str, where: str) -> None:
    with pytest.raises(UsageError, match=what) as caught:
        own(body).try_on(HEADS[:1])
    assert caught.value.where == where and caught.value.fix


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("mine = 3", "is no function"),
        ("raise ValueError('no')\ndef mine(a, b): ...", "failed with ValueError: no"),
        ("import sys; sys.exit()\ndef mine(a, b): ...", "failed with SystemExit"),
    ],
)
def test_a_file_that_gives_no_function_is_refused(source: str, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        OwnLoss(OwnCode("mine", source, "losses.py"))
