"""The folder of a base: word embeddings (of a wide one all matrices) as INT8 rows, the rest in float16."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

WORDS = "embeddings.word_embeddings.weight"


def to_rows(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Symmetric INT8 by row: (rows, columns) int8 and (rows,) float32 with matrix ≈ int8 * scale[:, None]."""
    scale = np.maximum(np.abs(matrix).max(axis=1), 1e-12).astype(np.float32) / np.float32(127)
    return np.clip(np.rint(matrix / scale[:, None]), -127, 127).astype(np.int8), scale


def write(weights: Path, config: dict[str, Any], tokenizer: Path, out: Path, *, matrices: bool) -> None:
    """The folder of a base. matrices: whether the layers' matrices are INT8 rows too."""
    out.mkdir(parents=True, exist_ok=True)
    stored: dict[str, np.ndarray] = {}
    for name, tensor in load_file(weights).items():
        if name == WORDS or (matrices and tensor.ndim == 2 and name.startswith("encoder.layer.")):
            stored[name], stored[name + ".scale"] = to_rows(tensor.astype(np.float32))
        else:
            stored[name] = np.ascontiguousarray(tensor.astype(np.float16))
    partial = out / "model.safetensors.partial"
    save_file(stored, partial, metadata={"format": "pt"})
    partial.chmod(0o644)
    partial.replace(out / "model.safetensors")
    (out / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(tokenizer / name, out / name)


# What config.json of a base says; the rest of what transformers writes is its defaults.
_CONFIG = (
    "add_cross_attention", "attention_probs_dropout_prob", "bos_token_id", "classifier_dropout", "dtype",
    "eos_token_id", "hidden_act", "hidden_dropout_prob", "hidden_size", "initializer_range", "intermediate_size",
    "is_decoder", "layer_norm_eps", "max_position_embeddings", "model_type", "num_attention_heads",
    "num_hidden_layers", "pad_token_id", "tie_word_embeddings", "transformers_version", "type_vocab_size", "use_cache",
    "vocab_size",
)  # fmt: skip


def plain_config(config: dict[str, Any]) -> dict[str, Any]:
    """The config.json of an encoder without a head."""
    return {"architectures": ["BertModel"], **{name: config[name] for name in _CONFIG if name in config}}
