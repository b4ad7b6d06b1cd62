"""Prefixes: attention sees their keys and values before those of the text, in every form of attention."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.model.families import encoder_of
from torch import nn

from penjing.model.base import open_base
from penjing.model.encoder import load_encoder
from penjing.model.layers import layers_of
from penjing.model.prefix import PREFIX, PrefixAttention, keep_columns, put_prefixes

IDS = torch.tensor([[2, 7, 9, 3], [2, 8, 3, 0]])
MASK = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]])


@pytest.fixture
def encoder(tiny_base: Path) -> nn.Module:
    return load_encoder(open_base(str(tiny_base), tiny_base))


def run(encoder: nn.Module) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = encoder(input_ids=IDS, attention_mask=MASK).last_hidden_state
    return found[MASK.bool()]


@pytest.mark.parametrize("family", ["bert", "roberta", "xlm-roberta", "camembert", "electra", "ernie"])
def test_without_vectors_it_is_the_attention_that_it_was(family: str) -> None:
    encoder = encoder_of(family)
    before = run(encoder)
    for layer in layers_of(encoder):
        layer.attention.self = PrefixAttention(layer.attention.self, 0)  # type: ignore[union-attr]
    for form in ("sdpa", "eager"):
        encoder.set_attn_implementation(form)  # type: ignore[operator]
        assert torch.allclose(run(encoder), before, atol=1e-5), form


def test_attention_is_over_the_prefix_and_the_text(encoder: nn.Module) -> None:
    attention = layers_of(encoder)[0].attention.self  # type: ignore[union-attr]
    new = PrefixAttention(attention, 3)
    draw = torch.Generator().manual_seed(0)
    with torch.no_grad():
        new.prefix_keys.copy_(torch.randn(new.prefix_keys.shape, generator=draw))
        new.prefix_values.copy_(torch.randn(new.prefix_values.shape, generator=draw))
        states = torch.randn((1, 4, new.query.in_features), generator=draw)  # type: ignore[arg-type]
        found, _ = new.eval()(states)
        queries = new.query(states)[0]
        keys = torch.cat([new.prefix_keys, new.key(states)[0]])
        values = torch.cat([new.prefix_values, new.value(states)[0]])
    size = new.attention_head_size
    for head in range(found.shape[2] // size):
        own = slice(head * size, (head + 1) * size)
        weights = torch.softmax(queries[:, own] @ keys[:, own].T / size**0.5, dim=1)
        assert torch.allclose(found[0, :, own], weights @ values[:, own], atol=1e-5)


def test_both_forms_of_attention_agree_and_padding_does_not_count(encoder: nn.Module) -> None:
    put_prefixes(encoder, {"layers": "encoder.layer", "counts": [0] * (len(layers_of(encoder)) - 1) + [2]})
    attention = layers_of(encoder)[-1].attention.self  # type: ignore[union-attr]
    with torch.no_grad():
        attention.prefix_keys.normal_(generator=torch.Generator().manual_seed(1))  # type: ignore[union-attr, operator]
        attention.prefix_values.normal_(generator=torch.Generator().manual_seed(2))  # type: ignore[union-attr, operator]
    assert not isinstance(layers_of(encoder)[0].attention.self, PrefixAttention)  # type: ignore[union-attr]
    assert getattr(encoder.config, PREFIX)["counts"][-1] == 2
    first = run(encoder)
    encoder.set_attn_implementation("eager")  # type: ignore[operator]
    assert torch.allclose(run(encoder), first, atol=1e-6)
    with torch.no_grad():
        alone = encoder(input_ids=IDS[1:, :3], attention_mask=MASK[1:, :3]).last_hidden_state
    assert torch.allclose(first[4:], alone[0], atol=1e-6)


def test_columns_of_a_prefix_are_kept_with_those_of_its_attention(encoder: nn.Module) -> None:
    attention = PrefixAttention(layers_of(encoder)[0].attention.self, 2)  # type: ignore[union-attr]
    keys = attention.prefix_keys.detach().clone()
    keep_columns(attention, [1, 4])
    assert torch.equal(attention.prefix_keys, keys[:, [1, 4]])
    keep_columns(nn.Linear(2, 2), [0])
