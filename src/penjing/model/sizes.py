"""The one table of sizes of networks from scratch, and their configurations in transformers.

BERT's sizes are those of Turc and others, Well-Read Students Learn Better, 2019 (tiny, mini, small, base). The other
types have the same layers and width, so that objectives can be compared at nearly equal compute; their feed-forward
part has gates, and is two thirds as wide for about as many weights (Shazeer, GLU Variants Improve Transformer, 2020).
T5 has that many layers on each side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from penjing.core.nouns import Family

if TYPE_CHECKING:
    from transformers import PretrainedConfig

NetworkType = Literal["bert", "modernbert", "llama", "t5"]
SizeName = Literal["tiny", "mini", "small", "base"]
FAMILY: dict[NetworkType, Family] = {
    "bert": "encoder",
    "modernbert": "encoder",
    "llama": "decoder",
    "t5": "encoder-decoder",
}


@dataclass(frozen=True)
class Size:
    """Layers, hidden size, attention heads, and most tokens of an input, special tokens included."""

    layers: int
    width: int
    heads: int
    length: int = 512


SIZES: dict[SizeName, Size] = {
    "tiny": Size(2, 128, 2),
    "mini": Size(4, 256, 4),
    "small": Size(4, 512, 8),
    "base": Size(12, 768, 12),
}


@dataclass(frozen=True)
class SpecialIds:
    """Ids of the special tokens of a vocabulary; the beginning may be missing."""

    padding: int
    end: int
    begin: int | None = None


def network_config(kind: NetworkType, size: Size, entries: int, special: SpecialIds) -> PretrainedConfig:
    """The configuration of a network of that type and size for a vocabulary of that many entries."""
    from transformers import BertConfig, LlamaConfig, ModernBertConfig, T5Config

    ids = {"pad_token_id": special.padding, "eos_token_id": special.end, "bos_token_id": special.begin}
    gated = -(-size.width * 8 // 3 // 16) * 16
    if kind == "t5":
        return T5Config(
            vocab_size=entries, d_model=size.width, d_kv=size.width // size.heads, d_ff=gated, num_layers=size.layers,
            num_heads=size.heads, feed_forward_proj="gated-gelu", n_positions=size.length,
            decoder_start_token_id=special.padding, pad_token_id=special.padding, eos_token_id=special.end,
        )  # fmt: skip
    shape = {
        "vocab_size": entries,
        "hidden_size": size.width,
        "num_hidden_layers": size.layers,
        "num_attention_heads": size.heads,
        "max_position_embeddings": size.length,
        "tie_word_embeddings": True,
    }
    if kind == "bert":
        return BertConfig(**shape, **ids, intermediate_size=4 * size.width)
    if kind == "modernbert":
        marks = {"cls_token_id": special.begin, "sep_token_id": special.end}
        return ModernBertConfig(**shape, **ids, **marks, intermediate_size=gated)
    return LlamaConfig(**shape, **ids, intermediate_size=gated)
