"""Weights in and out: four layers of the teacher, embeddings in INT8 rows, everything else in float16."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

LAYERS = (0, 1, 10, 11)
WORDS = "embeddings.word_embeddings.weight"
_LAYER = re.compile(r"encoder\.layer\.(\d+)\.(.*)")


def take_layers(teacher: dict[str, np.ndarray], layers: tuple[int, ...] = LAYERS) -> dict[str, np.ndarray]:
    """The teacher's tensors with only these layers, numbered from 0; float32."""
    taken = {}
    for name, tensor in teacher.items():
        match = _LAYER.fullmatch(name)
        if match is None:
            taken[name] = tensor.astype(np.float32)
        elif int(match[1]) in layers:
            taken[f"encoder.layer.{layers.index(int(match[1]))}.{match[2]}"] = tensor.astype(np.float32)
    return taken


def to_rows(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Symmetric INT8 by row: (rows, hidden) int8 and (rows,) float32 with matrix ≈ int8 * scale[:, None]."""
    scale = np.maximum(np.abs(matrix).max(axis=1), 1e-12).astype(np.float32) / np.float32(127)
    return np.clip(np.rint(matrix / scale[:, None]), -127, 127).astype(np.int8), scale


def from_rows(rows: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """The float32 matrix that `to_rows` stored."""
    return rows.astype(np.float32) * scale.astype(np.float32)[:, None]


def save(folder: Path, tensors: dict[str, np.ndarray], config: dict[str, object]) -> None:
    """model.safetensors and config.json of a base folder."""
    out = {name: np.ascontiguousarray(tensor.astype(np.float16)) for name, tensor in tensors.items() if name != WORDS}
    out[WORDS], out[WORDS + ".scale"] = to_rows(tensors[WORDS])
    partial = folder / "model.safetensors.partial"
    save_file(out, partial, metadata={"format": "pt"})
    partial.chmod(0o644)
    partial.replace(folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def load(folder: Path) -> dict[str, np.ndarray]:
    """All tensors of a base folder as float32, INT8 rows multiplied out."""
    raw = load_file(folder / "model.safetensors")
    return {
        name: from_rows(tensor, raw[name + ".scale"]) if tensor.dtype == np.int8 else tensor.astype(np.float32)
        for name, tensor in raw.items()
        if not name.endswith(".scale")
    }


def new_config(teacher: Path, rows: int, layers: int = len(LAYERS)) -> dict[str, object]:
    """The teacher's config for a student of `layers` layers and `rows` entries."""
    config: dict[str, object] = json.loads((teacher / "config.json").read_text(encoding="utf-8"))
    return {**config, "num_hidden_layers": layers, "vocab_size": rows}
