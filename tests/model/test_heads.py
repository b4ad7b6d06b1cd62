"""Heads: one pooled head is a plain layer under the old names, others go by name and are stored with their kinds."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import safe_open
from torch import nn

from penjing.core.task import Head
from penjing.model.heads import Heads, build_heads, load_heads, mean_pool, read_out, save_heads

BOTH = {"tone": Head("pooled", 3, "cross_entropy"), "tags": Head("token", 5, "cross_entropy")}
HIDDEN = torch.randn(2, 4, 6, generator=torch.Generator().manual_seed(1))
MASK = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])


def test_one_pooled_head_keeps_the_names_and_bytes_of_the_first_artifacts(tmp_path: Path) -> None:
    head = build_heads({"any": Head("pooled", 2, "ordinal")}, 6)
    assert isinstance(head, nn.Linear)
    save_heads(tmp_path / "head.safetensors", head)
    with safe_open(tmp_path / "head.safetensors", framework="pt") as file:
        assert (set(file.keys()), file.metadata()) == ({"weight", "bias"}, None)
    again = load_heads(tmp_path / "head.safetensors")
    assert torch.equal(again.weight, head.weight) and torch.equal(again.bias, head.bias)  # type: ignore[arg-type]
    pooled = torch.stack([HIDDEN[0].mean(dim=0), HIDDEN[1, :2].mean(dim=0)])
    assert torch.allclose(mean_pool(HIDDEN, MASK), pooled, atol=1e-6)
    assert torch.allclose(read_out(head, nn.Identity(), HIDDEN, MASK), head(pooled), atol=1e-6)  # type: ignore[arg-type]


def test_several_heads_go_by_name_in_their_order(tmp_path: Path) -> None:
    head = build_heads(BOTH, 6)
    assert isinstance(head, Heads)
    save_heads(tmp_path / "head.safetensors", head)
    again = load_heads(tmp_path / "head.safetensors")
    assert isinstance(again, Heads)
    assert list(again.kinds.items()) == [("tone", "pooled"), ("tags", "token")]
    found, wanted = (read_out(one, nn.Identity(), HIDDEN, MASK) for one in (again, head))
    assert isinstance(found, dict) and isinstance(wanted, dict)
    assert {name: tuple(value.shape) for name, value in found.items()} == {"tone": (2, 3), "tags": (2, 4, 5)}
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)
    assert torch.allclose(found["tags"][1, 3], head["tags"](HIDDEN[1, 3]), atol=1e-6)


def test_a_single_head_by_token_is_known_as_one(tmp_path: Path) -> None:
    save_heads(tmp_path / "head.safetensors", build_heads({"tags": BOTH["tags"]}, 6))
    found = read_out(load_heads(tmp_path / "head.safetensors"), nn.Identity(), HIDDEN, MASK)
    assert isinstance(found, torch.Tensor) and found.shape == (2, 4, 5)
