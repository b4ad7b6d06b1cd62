"""Weights from disk: INT8 rows and float16 become float32."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from penjing.core.errors import DamageError
from penjing.model.weights import read_weights, write_weights


def test_int8_rows_and_float16_become_float32(tmp_path: Path) -> None:
    rows = torch.tensor([[1, -2], [127, 0]], dtype=torch.int8)
    scale = torch.tensor([0.5, 0.01], dtype=torch.float16)
    half = torch.tensor([1.5, -3.25], dtype=torch.float16)
    save_file({"table": rows, "table.scale": scale, "bias": half, "ids": torch.arange(3)}, tmp_path / "w.safetensors")
    weights = read_weights(tmp_path / "w.safetensors")
    assert set(weights) == {"table", "bias", "ids"}
    assert torch.equal(weights["table"], rows.float() * scale.float()[:, None])
    assert weights["table"].dtype == weights["bias"].dtype == torch.float32
    assert torch.equal(weights["bias"], half.float())
    assert weights["ids"].dtype == torch.int64


def test_a_scale_without_rows_is_a_tensor_of_its_own(tmp_path: Path) -> None:
    save_file({"norm.scale": torch.ones(2)}, tmp_path / "w.safetensors")
    assert set(read_weights(tmp_path / "w.safetensors")) == {"norm.scale"}


def test_rows_without_a_scale_and_a_torn_file_are_damage(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file({"table": torch.ones((2, 2), dtype=torch.int8)}, path)
    with pytest.raises(DamageError, match=r"`table` has no `table\.scale` of 2 numbers"):
        read_weights(path)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(DamageError, match="cannot be read"):
        read_weights(path)


def test_written_rows_are_read_within_half_a_step(tmp_path: Path) -> None:
    torch.manual_seed(0)
    weights = {
        "big": torch.randn(400, 300) * torch.logspace(-3, 2, 400)[:, None],
        "small": torch.randn(4, 5),
        "norm": torch.randn(7),
    }
    weights["big"][3] = 0
    write_weights(tmp_path / "w.safetensors", weights)
    read = read_weights(tmp_path / "w.safetensors")
    assert set(read) == set(weights)
    step = weights["big"].abs().amax(dim=1) / 127
    assert ((read["big"] - weights["big"]).abs() <= step[:, None] * 0.5001).all() and not read["big"][3].any()
    assert torch.equal(read["small"], weights["small"].half().float())
    assert (tmp_path / "w.safetensors").stat().st_size < 400 * 300 + 4 * 400 + 1000
    write_weights(tmp_path / "again.safetensors", dict(reversed(weights.items())))
    assert (tmp_path / "again.safetensors").read_bytes() == (tmp_path / "w.safetensors").read_bytes()
