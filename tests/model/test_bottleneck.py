"""Adapters: they begin as the identity, sit after their matrix, and are where the configuration says."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional

from penjing.model.base import open_base
from penjing.model.bottleneck import ADAPTERS, AdaptedLinear, Bottleneck, adapters_of, put_adapters
from penjing.model.encoder import load_encoder
from penjing.model.layers import layers_of


def test_an_adapter_begins_as_the_identity_and_has_its_formula() -> None:
    adapter, states = Bottleneck(6, 3), torch.randn(2, 5, 6)
    assert torch.equal(adapter(states), states)
    nn.init.normal_(adapter.up.weight)
    nn.init.normal_(adapter.up.bias)
    inner = functional.gelu(states @ adapter.down.weight.T + adapter.down.bias)
    assert torch.allclose(adapter(states), states + inner @ adapter.up.weight.T + adapter.up.bias, atol=1e-6)


def test_an_adapted_matrix_takes_over_its_parameters() -> None:
    matrix = nn.Linear(4, 6)
    adapted = AdaptedLinear(matrix, 3)
    assert adapted.weight is matrix.weight and adapted.bias is matrix.bias
    nn.init.normal_(adapted.adapter.up.weight)
    given = torch.randn(2, 4)
    assert torch.allclose(adapted(given), adapted.adapter(matrix(given)))
    assert set(adapted.state_dict()) >= {"weight", "bias", "adapter.down.weight", "adapter.up.bias"}


def test_they_are_put_where_the_configuration_says(tiny_base: Path) -> None:
    encoder = load_encoder(open_base(str(tiny_base), tiny_base))
    total = len(layers_of(encoder))
    where = {"layers": "encoder.layer", "parts": ["output.dense"], "sizes": [0] * (total - 1) + [5]}
    put_adapters(encoder, where)
    assert [name for name, _ in adapters_of(encoder)] == [f"encoder.layer.{total - 1}.output.dense.adapter"]
    assert getattr(encoder.config, ADAPTERS) == where
    with pytest.raises(KeyError):
        put_adapters(encoder, where | {"parts": ["output"]})
    with pytest.raises(ValueError):
        put_adapters(encoder, where | {"sizes": [1] * (total + 1)})
