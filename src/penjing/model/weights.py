"""Reads weights: safetensors in float16, float32 or INT8 rows, always returned as float32; writes INT8 rows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from penjing.core.errors import DamageError

SCALE = ".scale"
# Tensors with fewer numbers are stored in float16: norms, biases and token types are small and more sensitive.
_LEAST = 100_000
_LARGEST = 127


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """Tensors by name, floating ones as float32.

    A tensor X (rows, ...) of dtype int8 with a tensor `X.scale` (rows,) means X * scale, row by row.
    Raises DamageError for a file that is not safetensors, or for INT8 rows without a scale.
    """
    try:
        stored = load_file(path)
    except SafetensorError as error:
        raise DamageError(f"the weights cannot be read: {error}", where=str(path), fix="copy the base again") from None
    weights = {}
    for name, tensor in stored.items():
        if name.endswith(SCALE) and name.removesuffix(SCALE) in stored:
            continue
        if tensor.dtype == torch.int8:
            tensor = _unpack(name, tensor, stored.get(name + SCALE), path)
        weights[name] = tensor.float() if tensor.is_floating_point() else tensor
    return weights


def write_weights(path: Path, weights: Mapping[str, torch.Tensor]) -> None:
    """Store every matrix of 100,000 numbers and more as symmetric INT8 rows, and every other tensor as float16.

    X[r] ≈ int8[r] * scale[r], scale[r] = max|X[r]| / 127: the largest error of a number is half its row's scale.
    The same weights give the same bytes.
    """
    stored = {}
    for name in sorted(weights):
        tensor = weights[name].float()
        if tensor.dim() == 2 and tensor.numel() >= _LEAST:
            scale = tensor.abs().amax(dim=1).clamp_min(1e-12) / _LARGEST
            stored[name] = (tensor / scale[:, None]).round().clamp(-_LARGEST, _LARGEST).to(torch.int8)
            stored[name + SCALE] = scale
        else:
            stored[name] = tensor.half().contiguous()
    save_file(stored, path, metadata={"format": "pt"})


def _unpack(name: str, rows: torch.Tensor, scale: torch.Tensor | None, path: Path) -> torch.Tensor:
    if scale is None or scale.shape != rows.shape[:1]:
        raise DamageError(
            f"the INT8 tensor `{name}` has no `{name}{SCALE}` of {rows.shape[0]} numbers",
            where=str(path),
            fix="copy the base again",
        )
    return rows.float() * scale.float().view(-1, *(1,) * (rows.dim() - 1))
