"""The head of masked language modelling: scores of every entry of the vocabulary from the states of an encoder.

    E norm(gelu(W h + b)) + c       E: the table of token embeddings, shared with the network

A new head begins near a uniform guess: where the entries of E differ much, its scale is reduced, so that the scores of
a state have a standard deviation of about 1 over the entries. Without that the first loss on `penjing/nano` was 54;
that of a uniform guess is 10.6.

Sources: Devlin and others, BERT, 2019; Press and Wolf, Using the Output Embedding to Improve Language Models, 2017 (one
table for input and output).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

from penjing.model.weights import read_weights

MLM_HEAD = "mlm_head.safetensors"
# Where BertForMaskedLM has the same parameters.
_IN_BERT = {
    "dense.weight": "cls.predictions.transform.dense.weight",
    "dense.bias": "cls.predictions.transform.dense.bias",
    "norm.weight": "cls.predictions.transform.LayerNorm.weight",
    "norm.bias": "cls.predictions.transform.LayerNorm.bias",
    "bias": "cls.predictions.bias",
}


class TokenHead(nn.Module):
    """Scores of every entry of the vocabulary, (n, entries), from states (n, width)."""

    def __init__(self, width: int, embedded: int, entries: int) -> None:
        super().__init__()
        self.dense = nn.Linear(width, embedded)
        self.norm = nn.LayerNorm(embedded, eps=1e-12)
        self.bias = nn.Parameter(torch.zeros(entries))
        nn.init.normal_(self.dense.weight, std=0.02)
        nn.init.zeros_(self.dense.bias)

    def limit_scores(self, table: torch.Tensor) -> None:
        """Scale a new head, so that its scores over that table (entries, embedded) deviate by about 1 at most."""
        with torch.no_grad():
            spread = float(table.float().var(dim=0, correction=0).sum().sqrt())
            self.norm.weight.fill_(1 / max(1.0, spread))

    def forward(self, states: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
        return functional.linear(self.norm(functional.gelu(self.dense(states))), table, self.bias)


def save_token_head(folder: Path, head: TokenHead) -> None:
    """Write the head beside the weights of its network."""
    tensors = {name: value.detach().cpu().contiguous().clone() for name, value in head.state_dict().items()}
    save_file(tensors, folder / MLM_HEAD, metadata={"format": "pt"})


def load_token_head(folder: Path, config: Any, table: torch.Tensor) -> tuple[TokenHead, bool]:
    """The head in that folder, or a new one, and whether it was found; a new entry of the vocabulary gets bias 0."""
    entries, embedded = table.shape
    head = TokenHead(int(config.hidden_size), embedded, entries)
    head.limit_scores(table)
    beside, inside = folder / MLM_HEAD, folder / "model.safetensors"
    stored: dict[str, torch.Tensor] = {}
    if beside.is_file():
        stored = read_weights(beside)
    elif config.model_type == "bert" and inside.is_file():
        weights = read_weights(inside)
        stored = {name: weights[other] for name, other in _IN_BERT.items() if other in weights}
    own = head.state_dict()
    if stored.keys() != own.keys() or len(stored["bias"]) > entries:
        return head, False
    stored["bias"] = torch.cat([stored["bias"], torch.zeros(entries - len(stored["bias"]))])
    if any(stored[name].shape != value.shape for name, value in own.items()):
        return head, False
    head.load_state_dict(stored)
    return head, True
