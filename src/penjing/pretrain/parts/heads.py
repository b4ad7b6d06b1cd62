"""The head of objectives over pairs of passages, on the state of the first token.

    U tanh(W h_first + b) + c

Source: Devlin and others, BERT, 2019. The head of hidden tokens is in `model/token_head.py`.
"""

from __future__ import annotations

import torch
from torch import nn


class PairHead(nn.Module):
    """Two scores (rows, 2) from the state of the first token, (rows, width)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.dense, self.out = nn.Linear(width, width), nn.Linear(width, 2)
        for layer in (self.dense, self.out):
            nn.init.normal_(layer.weight, std=0.02)
            nn.init.zeros_(layer.bias)

    def forward(self, first: torch.Tensor) -> torch.Tensor:
        return self.out(torch.tanh(self.dense(first)))  # type: ignore[no-any-return]
