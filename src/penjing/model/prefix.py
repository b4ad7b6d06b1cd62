"""Prefixes within an encoder: learned keys and values before those of the text in each layer's attention.

    attention(Q, [P_K ; K], [P_V ; V]),   P_K, P_V: (count, width) of each layer, every text sees them

Source: Li and Liang, Prefix-Tuning: Optimizing Continuous Prompts for Generation, 2021; Liu et al., P-Tuning v2, 2022.
A prefix has no places of the input, so texts may be as long as without it. The configuration has the path of the layers
and the number of vectors in each, 0 for none, under `PREFIX`. The families are those whose attention is like BERT's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.nn import functional

# Key in config.json: {"layers": path, "counts": [one a layer]}.
PREFIX = "penjing_prefix"


class PrefixAttention(nn.Module):
    """Self-attention of a BERT-like layer with a prefix; the parameters of the one given keep their names."""

    def __init__(self, attention: Any, count: int) -> None:
        super().__init__()
        self.config = attention.config
        self.attention_head_size = int(attention.attention_head_size)
        self.query, self.key, self.value = attention.query, attention.key, attention.value
        self.dropout = attention.dropout
        width = int(attention.key.out_features)
        self.prefix_keys = nn.Parameter(torch.zeros(count, width))
        self.prefix_values = nn.Parameter(torch.zeros(count, width))
        self.train(attention.training)

    def forward(
        self, hidden_states: torch.Tensor, attention_mask: torch.Tensor | None = None, **_: Any
    ) -> tuple[torch.Tensor, None]:
        """(batch, tokens, width) and no weights; attention_mask: (batch, 1, tokens, tokens), boolean or added."""
        rows, tokens = hidden_states.shape[:2]
        queries = self._by_head(self.query(hidden_states))
        keys = self._by_head(self._after(self.prefix_keys, self.key(hidden_states)))
        values = self._by_head(self._after(self.prefix_values, self.value(hidden_states)))
        mask = None if attention_mask is None else self._wider(attention_mask)
        rate = self.dropout.p if self.training else 0.0
        if self.config._attn_implementation == "eager":
            scores = queries @ keys.transpose(2, 3) * self.attention_head_size**-0.5
            weights = functional.softmax(scores if mask is None else scores + mask, dim=-1)
            found = functional.dropout(weights, p=float(rate), training=self.training) @ values
        else:
            found = functional.scaled_dot_product_attention(queries, keys, values, mask, float(rate))
        return found.transpose(1, 2).reshape(rows, tokens, -1), None

    def _by_head(self, states: torch.Tensor) -> torch.Tensor:
        return states.view(*states.shape[:2], -1, self.attention_head_size).transpose(1, 2)

    @staticmethod
    def _after(prefix: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
        return torch.cat([prefix.unsqueeze(0).expand(states.shape[0], -1, -1), states], dim=1)

    def _wider(self, mask: torch.Tensor) -> torch.Tensor:
        shape = (*mask.shape[:-1], self.prefix_keys.shape[0])
        seen = mask.new_ones(shape) if mask.dtype == torch.bool else mask.new_zeros(shape)
        return torch.cat([seen, mask], dim=-1)


def put_prefixes(encoder: nn.Module, where: Mapping[str, Any]) -> None:
    """Put new prefixes into an encoder, in place, where a value of `PREFIX` says, which its configuration keeps."""
    layers = encoder.get_submodule(where["layers"])
    for layer, count in zip(layers.children(), where["counts"], strict=True):
        if count:
            attention = layer.attention
            attention.self = PrefixAttention(attention.self, count).to(attention.self.key.weight.device)  # type: ignore[union-attr, arg-type]
    setattr(encoder.config, PREFIX, dict(where))


def keep_columns(attention: object, places: list[int]) -> None:
    """Of an attention with a prefix, keep only those dimensions of it; nothing for another attention."""
    if isinstance(attention, PrefixAttention):
        with torch.no_grad():
            attention.prefix_keys = nn.Parameter(attention.prefix_keys[:, places].clone())
            attention.prefix_values = nn.Parameter(attention.prefix_values[:, places].clone())
