"""The numbers of declared fields joined before the heads of an encoder, while it is trained.

    W [mean_t h_t ; f] + b  =  W_h mean_t h_t + b  +  W_f f

A head is one linear map, so that its part on the fields is a sum of its own, which every engine adds in the same way
(engines/fields): exports and INT8 need not know of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

# Adam moves a weight by about its rate a step. These begin at zero, and within some hundred steps must reach the size
# of a weight of standardised numbers.
_GAIN = 10.0


class WithFields(nn.Module):
    """A model of pooled heads that reads numbers of declared fields too: (given, mask, features) -> outputs."""

    def __init__(self, model: nn.Module, size: int, columns: Sequence[int]) -> None:
        """size: how many numbers a row has; columns: the sizes of the heads."""
        super().__init__()
        self.model = model
        self.fields = nn.Linear(size, sum(columns), bias=False)
        nn.init.zeros_(self.fields.weight)
        self._columns = list(columns)

    def over(self, model: nn.Module) -> WithFields:
        """The same map of fields, by reference, over another model with the same heads."""
        made = WithFields(model, self.fields.in_features, self._columns)
        made.fields = self.fields
        return made

    def forward(
        self, given: torch.Tensor, attention_mask: torch.Tensor, features: torch.Tensor
    ) -> torch.Tensor | dict[str, torch.Tensor]:
        """As of the model alone; features: (batch, size) float32."""
        found: torch.Tensor | dict[str, torch.Tensor] = self.model(given, attention_mask)
        added: torch.Tensor = _GAIN * self.fields(features)
        if isinstance(found, torch.Tensor):
            return found + added
        parts = torch.split(added, self._columns, dim=1)
        return {name: one + part for (name, one), part in zip(found.items(), parts, strict=True)}

    def weights(self) -> npt.NDArray[np.float32]:
        """What a number adds to the outputs side by side, (size, columns)."""
        return np.ascontiguousarray((_GAIN * self.fields.weight).detach().cpu().numpy().T, dtype=np.float32)


def inner(model: nn.Module) -> nn.Module:
    """The model that reads the text."""
    return model.model if isinstance(model, WithFields) else model
