"""A packed pass is the separate passes of its documents."""

from __future__ import annotations

import pytest
import torch
from transformers import AutoConfig

from penjing.model.block_attention import PACKABLE, attention_inputs, can_pack
from penjing.model.pretrained import build_network
from penjing.model.sizes import Size, SpecialIds, network_config


def config_of(kind: str) -> object:
    if kind in ("bert", "modernbert", "llama"):
        config = network_config(kind, Size(3, 32, 2, 64), 50, SpecialIds(0, 3, 2))  # type: ignore[arg-type]
        if kind == "modernbert":
            config.local_attention = 8
        return config
    padding = 1 if kind in ("roberta", "xlm-roberta", "camembert") else 0
    return AutoConfig.for_model(
        kind, vocab_size=50, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=64, pad_token_id=padding, embedding_size=32,
    )  # fmt: skip


@pytest.mark.parametrize("kind", PACKABLE)
def test_documents_of_one_row_do_not_see_each_other(kind: str) -> None:
    config = config_of(kind)
    assert can_pack(config)
    with torch.random.fork_rng(devices=[]), torch.inference_mode():
        torch.manual_seed(0)
        model = build_network(config)  # type: ignore[arg-type]
        first, second = torch.randint(5, 50, (1, 20)), torch.randint(5, 50, (1, 9))
        padding = torch.full((1, 3), int(config.pad_token_id))  # type: ignore[attr-defined]
        documents = torch.tensor([[1] * 20 + [2] * 9 + [0] * 3])
        packed = model(input_ids=torch.cat([first, second, padding], 1), **attention_inputs(config, documents))[0]
        alone = [model(input_ids=ids, attention_mask=torch.ones_like(ids))[0] for ids in (first, second)]
    assert torch.isfinite(packed).all()
    assert torch.allclose(packed[:, :20], alone[0], atol=1e-5)
    assert torch.allclose(packed[:, 20:29], alone[1], atol=1e-5)


def test_rows_of_one_document_have_a_plain_mask() -> None:
    given = attention_inputs(config_of("bert"), torch.tensor([[1, 1, 0], [1, 1, 1]]))
    assert list(given) == ["attention_mask"]
    assert given["attention_mask"].tolist() == [[1, 1, 0], [1, 1, 1]]
