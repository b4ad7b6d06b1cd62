"""A network with its heads: its states are those of the network alone, and segments are read where it has them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.pretrain_toys import batch_of, network_of

from penjing.pretrain.parts.network import NetworkWithHeads, takes_types


@pytest.mark.parametrize("kind", ["bert", "modernbert", "llama"])
def test_states_are_those_of_the_network_alone(kind: str) -> None:
    model, _, marks = network_of(kind)  # type: ignore[arg-type]
    network, batch = NetworkWithHeads(model, {"head": torch.nn.Linear(2, 2)}).eval(), batch_of(marks, [5, 8])
    with torch.no_grad():
        found = network.states(batch)
        alone = model.base_model(input_ids=torch.from_numpy(batch.ids[:1, : int((batch.documents[0] > 0).sum())]))  # type: ignore[operator, union-attr]
    assert found.shape == (*batch.ids.shape, network.config.hidden_size)
    size = alone.last_hidden_state.shape[1]
    assert torch.allclose(found[0, :size], alone.last_hidden_state[0], atol=1e-5)
    assert network.embeddings.shape[1] == network.config.hidden_size
    assert {name for name, _ in network.named_parameters() if name.startswith("heads.")} == {
        "heads.head.weight",
        "heads.head.bias",
    }


def test_segments_are_given_only_where_the_network_reads_them() -> None:
    for kind, reads in (("bert", True), ("llama", False)):
        model, _, marks = network_of(kind)  # type: ignore[arg-type]
        batch = batch_of(marks, [5, 8])
        assert takes_types(model) is reads and "token_type_ids" not in NetworkWithHeads(model, {}).places(batch)
        batch.types[:] = np.arange(batch.types.shape[1]) % 2
        assert ("token_type_ids" in NetworkWithHeads(model, {}).places(batch)) is reads
