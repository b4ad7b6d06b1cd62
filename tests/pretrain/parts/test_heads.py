"""The head of pairs computes the written formula."""

from __future__ import annotations

import math

import pytest
import torch

from penjing.pretrain.parts.heads import PairHead


def test_scores_of_a_pair_by_hand() -> None:
    head = PairHead(2)
    with torch.no_grad():
        head.dense.weight.copy_(torch.eye(2))
        head.out.weight.copy_(torch.tensor([[1.0, 0.0], [1.0, 2.0]]))
        head.out.bias.copy_(torch.tensor([0.0, 0.5]))
    found = head(torch.tensor([[1.0, -2.0]]))
    one, two = math.tanh(1), math.tanh(-2)
    assert found[0].tolist() == pytest.approx([one, one + 2 * two + 0.5], abs=1e-6)
