"""The table of sizes: every type and size builds, and types of one size are about as large."""

from __future__ import annotations

import pytest
import torch

from penjing.model.pretrained import build_network, family_of
from penjing.model.sizes import FAMILY, SIZES, SpecialIds, network_config


@pytest.mark.parametrize("kind", FAMILY)
def test_every_type_is_of_its_family(kind: str) -> None:
    config = network_config(kind, SIZES["tiny"], 300, SpecialIds(0, 3, 2))  # type: ignore[arg-type]
    assert family_of(config) == FAMILY[kind]  # type: ignore[index]


@pytest.mark.parametrize("size", SIZES)
def test_types_of_one_size_have_about_as_many_weights(size: str) -> None:
    counts = {}
    for kind in ("bert", "modernbert", "llama"):
        config = network_config(kind, SIZES[size], 300, SpecialIds(0, 3, 2))  # type: ignore[arg-type, index]
        with torch.device("meta"):
            model = build_network(config)
        tables = {"embeddings", "embed_tokens", "lm_head"}
        counts[kind] = sum(
            parameter.numel() for name, parameter in model.named_parameters() if not tables & set(name.split("."))
        )
    assert max(counts.values()) / min(counts.values()) < 1.15
