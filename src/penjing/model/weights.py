"""Reads weights: safetensors in float16, float32 or INT8 rows, always returned as float32."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from penjing.core.errors import DamageError

SCALE = ".scale"


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


def _unpack(name: str, rows: torch.Tensor, scale: torch.Tensor | None, path: Path) -> torch.Tensor:
    if scale is None or scale.shape != rows.shape[:1]:
        raise DamageError(
            f"the INT8 tensor `{name}` has no `{name}{SCALE}` of {rows.shape[0]} numbers",
            where=str(path),
            fix="copy the base again",
        )
    return rows.float() * scale.float().view(-1, *(1,) * (rows.dim() - 1))
