"""Causal language modelling: the loss by hand, within documents; perplexity of a uniform network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.pretrain_toys import batch_of, kit_of

from penjing.pretrain.clm import NextToken, Options, followed
from penjing.pretrain.parts.batch import TokenRow, stack_rows
from penjing.pretrain.parts.network import NetworkWithHeads


def test_the_loss_is_the_cross_entropy_of_each_next_token_in_its_document(tmp_path: Path) -> None:
    kit = kit_of(tmp_path, "llama")
    network, term = NetworkWithHeads(kit.model, {}).eval(), NextToken(kit, Options())
    alone = batch_of(kit.marks, [9, 6])
    one, two = (row.ids for row in alone.rows())
    ids = np.concatenate([one, two])
    documents = np.repeat([1, 2], [len(one), len(two)])
    flags = np.ones(len(ids), dtype=np.bool_)
    packed = stack_rows([TokenRow(ids, documents, flags, flags, documents * 0)], kit.marks.padding)
    losses = []
    for document in (one, two):
        logits = kit.model(input_ids=torch.from_numpy(document)[None]).logits[0]
        for place in range(len(document) - 1):
            losses.append(logits[place].logsumexp(0) - logits[place, document[place + 1]])
    wanted = torch.stack(losses).mean().item()
    for batch in (alone, packed):
        assert term.count(batch) == len(losses) == len(one) + len(two) - 2
        loss = term.loss(network, batch, lambda batch=batch: network.states(batch))
        assert loss.item() == pytest.approx(wanted, abs=1e-5)


def test_a_uniform_network_has_the_perplexity_of_its_vocabulary(tmp_path: Path) -> None:
    kit = kit_of(tmp_path, "llama")
    with torch.no_grad():
        kit.model.get_output_embeddings().weight.zero_()  # type: ignore[operator]
    network, batch = NetworkWithHeads(kit.model, {}).eval(), batch_of(kit.marks, [9, 6])
    entries = len(kit.model.get_output_embeddings().weight)  # type: ignore[operator]
    found = NextToken(kit, Options()).perplexity(network, [batch], 0)
    assert found is not None and found.value == pytest.approx(entries, rel=1e-5)
    assert followed(batch).sum() == (9 + 1) + (6 + 1)
