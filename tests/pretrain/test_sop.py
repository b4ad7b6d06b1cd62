"""Sentence order: both halves are kept whole, half are exchanged, and a coin loses log 2."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.pretrain_toys import batch_of, kit_of

from penjing.pretrain.parts.network import NetworkWithHeads
from penjing.pretrain.sop import Options, SentenceOrder


def test_exchanged_passages_put_back_are_the_document(tmp_path: Path) -> None:
    kit = kit_of(tmp_path, "bert", length=64)
    term = SentenceOrder(kit, Options())
    batch = batch_of(kit.marks, [30, 20, 8, 2] * 50)
    made = term.arrange(batch, np.random.default_rng(0))
    labels = made.targets["exchanged"]
    assert labels.mean() == pytest.approx(0.5, abs=0.15)
    for row, label in enumerate(labels):
        first = made.ids[row][made.content[row] & (made.types[row] == 0)]
        second = made.ids[row][made.content[row] & (made.types[row] == 1)]
        parts = [second, first] if label else [first, second]
        assert (np.concatenate(parts) == batch.ids[row][batch.content[row]]).all()
        assert len(first) and len(second)
    assert made.ids.shape[1] <= 64


def test_the_expected_loss_of_a_coin_is_log_2(tmp_path: Path) -> None:
    kit = kit_of(tmp_path, "bert", length=64)
    term = SentenceOrder(kit, Options())
    network = NetworkWithHeads(kit.model, {"sop": term.head()}).eval()
    with torch.no_grad():
        term.head().out.weight.zero_()  # type: ignore[union-attr]
    batch = term.arrange(batch_of(kit.marks, [20] * 8), np.random.default_rng(0))
    assert term.loss(network, batch, lambda: network.states(batch)).item() == pytest.approx(math.log(2), abs=1e-6)


def test_it_reads_the_first_token_and_the_segments(tmp_path: Path) -> None:
    kit = kit_of(tmp_path, "bert", length=64)
    term = SentenceOrder(kit, Options())
    network = NetworkWithHeads(kit.model, {"sop": term.head()}).eval()
    batch = term.arrange(batch_of(kit.marks, [20]), np.random.default_rng(0))
    states = network.states(batch)
    by_hand = kit.model(
        input_ids=torch.from_numpy(batch.ids),
        attention_mask=torch.ones(batch.ids.shape, dtype=torch.long),
        token_type_ids=torch.from_numpy(batch.types),
    ).last_hidden_state
    assert torch.allclose(states, by_hand, atol=1e-6)
