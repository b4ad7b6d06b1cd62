"""A student that also learns its teacher's pooled states, through a linear map that is thrown away afterwards.

    pooled = mean over the texts and the teacher's dimensions of (W p_s + b - (p_t - m) / s)^2

p_s, p_t: the mean of the last states over a text's tokens; m, s: mean and spread of each of the teacher's dimensions
over all texts. One vector per text is compared, so the two may cut texts into different tokens. W and b begin as the
ridge regression between the two, so that the first steps do not spoil the encoder. Source: Reimers and Gurevych, Making
Monolingual Sentence Embeddings Multilingual using Knowledge Distillation, 2020 (a student of one vector a text); Jiao
and others, TinyBERT, 2020 (through a linear map); Heo and others, A Comprehensive Overhaul of Feature Distillation,
2019 (a target in units of its own spread).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from penjing.compress.parts.ridge import LinearMap
from penjing.model.encoder import Classifier
from penjing.model.heads import mean_pool, read_out
from penjing.model.prompt import run_encoder
from penjing.train.batches import Ints

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class PooledTargets:
    """The teacher's pooled states of n texts in units of their own spread, (n, width) float32."""

    states: Floats

    @classmethod
    def of(cls, states: Floats) -> PooledTargets:
        """The targets from the teacher's states as they are."""
        spread = states.std(axis=0, dtype=np.float64).clip(min=1e-6)
        return cls(((states - states.mean(axis=0, dtype=np.float64)) / spread).astype(np.float32))

    def loss(self, mapped: torch.Tensor, rows: Ints) -> torch.Tensor:
        """The formula above for those rows; mapped: W p_s + b, (batch, width)."""
        return (mapped - torch.from_numpy(self.states[rows]).to(mapped.device)).square().mean()


class WithMap(nn.Module):
    """A classifier of pooled heads with the map to its teacher's pooled states: (ids, mask) -> outputs."""

    def __init__(self, classifier: Classifier, fitted: LinearMap) -> None:
        super().__init__()
        self.classifier = classifier
        self.map = nn.Linear(fitted.weight.shape[1], fitted.weight.shape[0])
        with torch.no_grad():
            self.map.weight.copy_(fitted.weight)
            self.map.bias.copy_(fitted.bias)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor | dict[str, torch.Tensor]:
        """The outputs of the classifier; the map is not used."""
        found: torch.Tensor | dict[str, torch.Tensor] = self.classifier(input_ids, attention_mask)
        return found

    def both(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor
    ) -> tuple[torch.Tensor | dict[str, torch.Tensor], torch.Tensor]:
        """The outputs, and the mapped pooled states (batch, width of the teacher)."""
        hidden = run_encoder(self.classifier.encoder, input_ids, attention_mask)
        outputs = read_out(self.classifier.head, self.classifier.dropout, hidden, attention_mask)
        return outputs, self.map(mean_pool(hidden, attention_mask))
