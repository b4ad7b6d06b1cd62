"""Contrastive learning: InfoNCE by hand, pairs from a file, and a network without dropout is refused."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.pretrain_toys import batch_of, kit_of

from penjing.core.errors import UsageError
from penjing.pretrain.contrastive import NearTexts, Options, info_nce
from penjing.pretrain.parts.network import NetworkWithHeads


def test_info_nce_by_hand() -> None:
    first = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    second = torch.tensor([[3.0, 0.0], [1.0, 1.0], [0.0, -1.0]])
    near = [[1.0, 1 / math.sqrt(2), 0.0], [0.0, 1 / math.sqrt(2), -1.0]]
    rows = [-math.log(math.exp(row[at] / 0.5) / sum(math.exp(one / 0.5) for one in row)) for at, row in enumerate(near)]
    assert info_nce(first, second, 0.5).item() == pytest.approx(sum(rows) / 2, abs=1e-6)


def test_the_same_text_is_read_twice_with_other_dropout(tmp_path: Path) -> None:
    kit = kit_of(tmp_path, "bert")
    network, term = NetworkWithHeads(kit.model, {}), NearTexts(kit, Options())
    batch = batch_of(kit.marks, [20, 12, 9, 15])
    network.train()
    torch.manual_seed(0)
    learned = term.loss(network, batch, lambda: torch.empty(0)).item()
    network.eval()
    still = term.loss(network, batch, lambda: torch.empty(0)).item()
    assert learned > still, "without dropout both readings are the same"


def test_pairs_of_a_file_take_the_place_of_dropout(tmp_path: Path) -> None:
    pairs = [("w1 w2 w3", "w1 w2 w4", "w9 w8"), ("w5 w6", "w5 w7", "")]
    kit = kit_of(tmp_path, "bert", pairs=pairs)
    network, term = NetworkWithHeads(kit.model, {}).eval(), NearTexts(kit, Options())
    batch = term.change(batch_of(kit.marks, [5, 5]), np.random.default_rng(0))
    assert sorted(batch.targets["pairs"].tolist()) == [0, 1]
    texts = [pairs[number] for number in batch.targets["pairs"]]

    def pooled(text: str) -> torch.Tensor:
        ids = torch.tensor([kit.tokenizer.encode(text).ids])
        return kit.model(input_ids=ids).last_hidden_state.mean(dim=1)[0]

    first, second = (torch.stack([pooled(text[side]) for text in texts]) for side in (0, 1))
    other = torch.stack([pooled(text[2]) for text in texts if text[2]])
    wanted = info_nce(first, torch.cat([second, other]), 0.05).item()
    assert term.loss(network, batch, lambda: torch.empty(0)).item() == pytest.approx(wanted, abs=1e-4)


def test_a_network_without_dropout_is_refused(tmp_path: Path) -> None:
    kit = kit_of(tmp_path, "modernbert")
    with pytest.raises(UsageError, match="no dropout"):
        NearTexts(kit, Options())
