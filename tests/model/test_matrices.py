"""Which matrices of an encoder an adapter changes: by layer and by kind, in every family that is known."""

from __future__ import annotations

import pytest
from transformers import BertConfig, BertModel, DistilBertConfig, DistilBertModel, ModernBertConfig, ModernBertModel

from penjing.core.errors import UsageError
from penjing.model.matrices import matrices

BERT = BertModel(
    BertConfig(vocab_size=20, hidden_size=8, num_hidden_layers=12, num_attention_heads=2, intermediate_size=16),
    add_pooling_layer=False,
)


def test_top_layers_are_counted_and_not_named_alike() -> None:
    found = matrices(BERT, 1, "query_value")
    assert found == [f"encoder.layer.11.attention.self.{name}" for name in ("query", "value")]
    assert len(matrices(BERT, "all", "query_value")) == 24
    assert len(matrices(BERT, 2, "all")) == 2 * 6


def test_other_families() -> None:
    small = DistilBertModel(DistilBertConfig(vocab_size=20, dim=8, n_layers=2, n_heads=2, hidden_dim=16))
    assert matrices(small, 1, "query_value") == [
        "transformer.layer.1.attention.q_lin",
        "transformer.layer.1.attention.v_lin",
    ]
    config = ModernBertConfig(vocab_size=20, hidden_size=8, num_hidden_layers=2, num_attention_heads=2,
                              intermediate_size=16, pad_token_id=0, bos_token_id=1, eos_token_id=2,
                              cls_token_id=1, sep_token_id=2)  # fmt: skip
    modern = ModernBertModel(config)
    assert len(matrices(modern, "all", "all")) == 8
    with pytest.raises(UsageError, match="no matrix to adapt") as caught:
        matrices(modern, "all", "query_value")
    assert "targets: all" in (caught.value.fix or "")
