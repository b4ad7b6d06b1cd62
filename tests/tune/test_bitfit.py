"""BitFit: an encoder without biases is refused; what changes is in tests/checks/test_few_parameters.py."""

from __future__ import annotations

import pytest
from torch import nn
from transformers import BertConfig, BertModel, ModernBertConfig, ModernBertModel

from penjing.core.errors import UsageError
from penjing.tune.bitfit import Options

SHAPE = {
    "vocab_size": 20, "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
    "pad_token_id": 0,
}  # fmt: skip


def test_an_encoder_without_biases_is_refused() -> None:
    Options().check_encoder(BertModel(BertConfig(**SHAPE)))
    plain = ModernBertModel(ModernBertConfig(**SHAPE))
    assert not any(isinstance(one, nn.Linear) and one.bias is not None for one in plain.modules())
    with pytest.raises(UsageError, match=r"`tune.bitfit` trains biases, and a `modernbert` has none") as caught:
        Options().check_encoder(plain)
    assert caught.value.fix
