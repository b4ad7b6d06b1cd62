"""Small encoders of several families with random weights."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from transformers import MODEL_MAPPING, AutoConfig

SHAPE: dict[str, Any] = {
    "vocab_size": 30, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24,
    "max_position_embeddings": 40, "pad_token_id": 0,
}  # fmt: skip
FAMILIES: dict[str, dict[str, Any]] = {
    "bert": SHAPE,
    "roberta": SHAPE,
    "xlm-roberta": SHAPE,
    "camembert": SHAPE,
    "ernie": SHAPE,
    "electra": SHAPE | {"embedding_size": 8},
    "distilbert": {
        "vocab_size": 30, "dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 24, "max_position_embeddings": 40,
        "pad_token_id": 0,
    },
    "modernbert": SHAPE,
}  # fmt: skip


def encoder_of(family: str) -> nn.Module:
    """An encoder in evaluation mode, the same at every call."""
    config = AutoConfig.for_model(family, **FAMILIES[family])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        found: nn.Module = MODEL_MAPPING[type(config)]._from_config(config, attn_implementation="sdpa")
    if getattr(found, "pooler", None) is not None:
        found.pooler = None
    return found.eval()
