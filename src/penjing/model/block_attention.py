"""Attention within documents: several documents in one row do not see each other, and each has its own positions.

    token i sees token j  where  document(i) = document(j)   (and j <= i in a decoder)

Source: Krell and others, Efficient Sequence Packing without Cross-contamination, 2021.
"""

from __future__ import annotations

from typing import Any

import torch

from penjing.model.encoder import OFFSET_FAMILIES

# Types that take a mask of four dimensions and positions; the rows of others have one document each.
PACKABLE = ("bert", "electra", "ernie", "roberta", "xlm-roberta", "camembert", "modernbert", "llama")


def can_pack(config: Any) -> bool:
    """Whether rows of this type of network may have several documents."""
    return config.model_type in PACKABLE


def attention_inputs(config: Any, documents: torch.Tensor) -> dict[str, Any]:
    """The attention mask and the positions of rows: documents (batch, tokens) int64, 0 for padding, else from 1 on.

    Documents are contiguous. Rows of one document each, padded on the right, get a mask of two dimensions.
    """
    real = documents > 0
    if int(documents.max()) <= 1:
        return {"attention_mask": real.long()}
    tokens = documents.shape[1]
    place = torch.arange(tokens, device=documents.device)
    same = documents[:, :, None] == documents[:, None, :]
    positions = place - same.int().argmax(dim=2)
    if str(config.model_type) in OFFSET_FAMILIES:
        positions = positions + int(config.pad_token_id) + 1
    allowed = same[:, None]
    if config.model_type == "llama":
        allowed = allowed & (place[:, None] >= place[None, :])
    mask: Any = allowed
    if config.model_type == "modernbert":
        near = (place[:, None] - place[None, :]).abs() <= config.sliding_window
        mask = {"full_attention": allowed, "sliding_attention": allowed & near}
    return {"attention_mask": mask, "position_ids": positions}
