"""Bottleneck adapters within an encoder: a small network after a matrix, which stays there when the model serves.

    y = W x + b,   out = y + U gelu(D y + c) + e      D: (size, width), U: (width, size), U = e = 0 before training

Source: Houlsby et al., Parameter-Efficient Transfer Learning for NLP, 2019. An adapted matrix keeps the names of its
parameters; those of its adapter are under `adapter`. The configuration says where they are, under `ADAPTERS`: the path
of the layers, the paths of the matrices within a layer, and the size in each layer, 0 for none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.nn import functional

# Key in config.json: {"layers": path, "parts": [path within a layer], "sizes": [one a layer]}.
ADAPTERS = "penjing_adapters"


class Bottleneck(nn.Module):
    """y + U gelu(D y + c) + e; it begins as the identity, up to a random D."""

    def __init__(self, width: int, size: int) -> None:
        super().__init__()
        self.down, self.up = nn.Linear(width, size), nn.Linear(size, width)
        nn.init.normal_(self.down.weight, std=width**-0.5)
        for zero in (self.down.bias, self.up.weight, self.up.bias):
            nn.init.zeros_(zero)

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        changed: torch.Tensor = self.up(functional.gelu(self.down(states)))
        return states + changed


class AdaptedLinear(nn.Linear):
    """A linear map with an adapter after it."""

    def __init__(self, matrix: nn.Linear, size: int) -> None:
        """matrix: its parameters are taken over, not copied."""
        nn.Module.__init__(self)
        self.in_features, self.out_features = matrix.in_features, matrix.out_features
        self.weight, self.bias = matrix.weight, matrix.bias
        self.adapter = Bottleneck(matrix.out_features, size)

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        changed: torch.Tensor = self.adapter(super().forward(given))
        return changed


def put_adapters(encoder: nn.Module, where: Mapping[str, Any]) -> None:
    """Put new adapters into an encoder, in place, where a value of `ADAPTERS` says, which its configuration keeps."""
    layers = encoder.get_submodule(where["layers"])
    for layer, size in zip(layers.children(), where["sizes"], strict=True):
        for part in where["parts"] if size else ():
            path, _, last = part.rpartition(".")
            matrix = layer.get_submodule(part)
            if not isinstance(matrix, nn.Linear):
                raise KeyError(part)
            setattr(layer.get_submodule(path), last, AdaptedLinear(matrix, size).to(matrix.weight.device))
    setattr(encoder.config, ADAPTERS, dict(where))


def adapters_of(encoder: nn.Module) -> list[tuple[str, Bottleneck]]:
    """The adapters of an encoder with their names."""
    return [(name, module) for name, module in encoder.named_modules() if isinstance(module, Bottleneck)]
