"""The heads over an encoder: one linear map each, over the mean of a text's tokens or over each token.

    pooled:  W mean_t h_t + b        token, span:  W h_t + b for every token t

One pooled head is a plain linear layer, so that its parameters are `weight` and `bias`, as in the first artifacts;
others are stored by name, `NAME.weight` and `NAME.bias`, with their kinds in the file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from penjing.core.canon import canonical_json
from penjing.core.task import Head, HeadKind
from penjing.model.weights import read_weights

_META = "penjing"


class Heads(nn.ModuleDict):
    """Heads by name, in their order."""

    def __init__(self, kinds: Mapping[str, HeadKind], sizes: Mapping[str, int], width: int) -> None:
        super().__init__({name: nn.Linear(width, sizes[name]) for name in kinds})
        self.kinds = dict(kinds)


def build_heads(heads: Mapping[str, Head] | int, width: int) -> nn.Linear | Heads:
    """New heads over hidden states of that width; a number is the size of one pooled head."""
    if isinstance(heads, int):
        return nn.Linear(width, heads)
    kinds = {name: head.kind for name, head in heads.items()}
    sizes = {name: head.size for name, head in heads.items()}
    if list(kinds.values()) == ["pooled"]:
        return nn.Linear(width, next(iter(sizes.values())))
    return Heads(kinds, sizes, width)


def read_out(
    head: nn.Module, dropout: nn.Module, hidden: torch.Tensor, attention_mask: torch.Tensor
) -> torch.Tensor | dict[str, torch.Tensor]:
    """The output of each head over hidden states (batch, tokens, width), by name; of one head only its output."""
    if not isinstance(head, Heads):
        logits: torch.Tensor = head(dropout(mean_pool(hidden, attention_mask)))
        return logits
    kinds = head.kinds.values()
    pooled = dropout(mean_pool(hidden, attention_mask)) if "pooled" in kinds else hidden
    tokens = dropout(hidden) if set(kinds) != {"pooled"} else hidden
    outputs = {name: head[name](pooled if kind == "pooled" else tokens) for name, kind in head.kinds.items()}
    return outputs if len(outputs) > 1 else next(iter(outputs.values()))


def mean_pool(hidden: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
    """Mean over the tokens whose mask is 1: (batch, tokens, hidden), (batch, tokens) -> (batch, hidden)."""
    weight = attention_mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1.0)


def save_heads(path: Path, head: nn.Module) -> None:
    """Write the parameters of `build_heads`."""
    tensors = {name: value.detach().cpu() for name, value in head.state_dict().items()}
    kinds = head.kinds if isinstance(head, Heads) else None
    save_file(tensors, path, metadata=None if kinds is None else {_META: canonical_json(list(kinds.items())).decode()})


def load_heads(path: Path) -> nn.Linear | Heads:
    """The heads that `save_heads` wrote. Raises DamageError for a file that is not safetensors."""
    tensors = read_weights(path)
    with safe_open(path, framework="pt") as file:
        stored_kinds = (file.metadata() or {}).get(_META)
    if stored_kinds is None:
        size, width = tensors["weight"].shape
        head: nn.Linear | Heads = nn.Linear(width, size)
    else:
        kinds = dict(json.loads(stored_kinds))
        sizes = {name: len(tensors[f"{name}.weight"]) for name in kinds}
        head = Heads(kinds, sizes, int(tensors[f"{next(iter(kinds))}.weight"].shape[1]))
    head.load_state_dict(tensors)
    return head
