"""Replaced tokens: the labels, what the network learns from, and that the generator shares its embeddings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from tests.pretrain_toys import batch_of, kit_of

from penjing.pretrain.parts.batch import TextBatch
from penjing.pretrain.parts.network import NetworkWithHeads
from penjing.pretrain.rtd import Generator, Options, ReplacedTokens, fill


def test_a_token_is_replaced_where_another_one_was_drawn() -> None:
    gold = torch.tensor([[5, 6, 7], [8, 9, 5]])
    hidden = torch.tensor([[True, False, True], [False, True, False]])
    scores = torch.full((3, 10), -1e9)
    scores[0, 5], scores[1, 9], scores[2, 4] = 0, 0, 0
    filled, replaced = fill(gold, hidden, scores)
    assert filled.tolist() == [[5, 6, 9], [8, 4, 5]]
    assert replaced.tolist() == [[False, False, True], [False, True, False]]


def test_both_networks_learn_and_one_table_is_read_by_both(tmp_path: Path) -> None:
    kit = kit_of(tmp_path, "bert")
    term = ReplacedTokens(kit, Options(weight=50))
    network = NetworkWithHeads(kit.model, {"rtd": term.head()})
    batch = term.change(batch_of(kit.marks, [20, 12]), np.random.default_rng(0))
    loss = term.loss(network, batch, lambda: torch.empty(0))
    loss.backward()
    part = network.heads["rtd"]
    assert isinstance(part, Generator)
    assert network.embeddings.grad is not None and network.embeddings.grad.abs().sum() > 0
    assert part.narrow.weight.grad.abs().sum() > 0  # type: ignore[union-attr]
    assert next(kit.model.encoder.parameters()).grad.abs().sum() > 0  # type: ignore[union-attr]
    assert part.network.config.hidden_size == 16
    # Untrained, the detection is a coin and the generator is uniform.
    entries = kit.model.config.vocab_size  # type: ignore[union-attr]
    assert abs(loss.item() - (np.log(entries) + 50 * np.log(2))) < 3


def test_the_parts_of_a_batch_add_up_to_its_loss_and_gradient(tmp_path: Path) -> None:
    """The rows are of very different lengths, and one part has no hidden token. The generator always draws `w5`."""
    kit = kit_of(tmp_path, "bert")
    term = ReplacedTokens(kit, Options(weight=50))
    network = NetworkWithHeads(kit.model, {"rtd": term.head()}).eval()
    part = network.heads["rtd"]
    assert isinstance(part, Generator)
    with torch.no_grad():
        part.head.bias[kit.marks.ordinary[5]] = 40.0
    batch = term.change(batch_of(kit.marks, [20, 3, 12, 2]), np.random.default_rng(0))
    parts = batch.split(4)
    assert 0 in [int(each.targets["hidden"].sum()) for each in parts]

    def gradient(pieces: list[TextBatch]) -> tuple[float, torch.Tensor]:
        network.zero_grad()
        total = 0.0
        for piece in pieces:
            loss = term.count(piece) / term.count(batch) * term.loss(network, piece, lambda: torch.empty(0))
            loss.backward()
            total += loss.item()
        grown = [each.grad.flatten() for each in network.parameters() if each.grad is not None]
        return total, torch.cat(grown)

    whole, of_whole = gradient([batch])
    for count in (2, 4):
        found, of_parts = gradient(batch.split(count))
        assert abs(found - whole) < 1e-4
        assert (of_parts - of_whole).norm() < 1e-5 * of_whole.norm()
