"""The objective of a classifier: cross entropy of one label a text, scored by macro-F1 on validation.

    loss = mean over the batch of -sum_l q_l log p_l,   q = (1 - s) one-hot + s / L

s is label smoothing (Szegedy and others, Rethinking the Inception Architecture, 2016).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from penjing.tasks.metrics import accuracy, macro_f1
from penjing.train.batches import Budget, Ints, epoch_batches, pad_ids, sorted_batches


class Rows(Protocol):
    """Texts as a model takes them: `load` gives (ids or hidden states, attention mask) of those rows, padded."""

    @property
    def lengths(self) -> Ints: ...
    def load(self, rows: Ints) -> tuple[torch.Tensor, torch.Tensor]: ...


@dataclass(frozen=True)
class IdRows:
    """Texts as token ids; `padding` is the id that fills a batch up."""

    ids: list[Ints]
    padding: int

    @property
    def lengths(self) -> Ints:
        return np.fromiter((len(row) for row in self.ids), dtype=np.int64, count=len(self.ids))

    def load(self, rows: Ints) -> tuple[torch.Tensor, torch.Tensor]:
        return pad_ids([self.ids[row] for row in rows], self.padding)


@dataclass(frozen=True)
class Labelled:
    """Rows with the position of each one's label, (n,) int64."""

    rows: Rows
    truth: Ints


@dataclass(frozen=True)
class Classify:
    """An Objective over labelled rows."""

    train: Labelled
    validation: Labelled
    labels: int
    budget: Budget
    seed: int
    smoothing: float = 0.0

    def batches(self, epoch: int) -> list[Ints]:
        return epoch_batches(self.train.rows.lengths, self.budget, self.seed, epoch)

    def loss(self, model: nn.Module, rows: Ints) -> torch.Tensor:
        logits = forward(model, self.train.rows, rows)
        truth = torch.from_numpy(self.train.truth[rows]).to(logits.device)
        return functional.cross_entropy(logits, truth, label_smoothing=self.smoothing)

    def score(self, model: nn.Module) -> dict[str, float]:
        logits, truth = predict(model, self.validation.rows, self.budget), self.validation.truth
        loss = functional.cross_entropy(torch.from_numpy(logits), torch.from_numpy(truth)).item()
        guess = logits.argmax(axis=1)
        return {
            "macro_f1": macro_f1(truth, guess, self.labels),
            "accuracy": accuracy(truth, guess),
            "loss": round(loss, 6),
        }


def forward(model: nn.Module, rows: Rows, index: Ints) -> torch.Tensor:
    """Logits (batch, labels) of those rows, on the model's device."""
    device = next(model.parameters()).device
    inputs, mask = rows.load(index)
    logits: torch.Tensor = model(inputs.to(device), mask.to(device))
    return logits


def predict(model: nn.Module, rows: Rows, budget: Budget) -> npt.NDArray[np.float32]:
    """Logits (n, labels) of all rows in their order, without gradient; the model must be in evaluation mode."""
    parts: list[tuple[Ints, npt.NDArray[np.float32]]] = []
    with torch.inference_mode():
        for index in sorted_batches(rows.lengths, budget):
            parts.append((index, forward(model, rows, index).float().cpu().numpy()))
    logits = np.empty((len(rows.lengths), parts[0][1].shape[1]), dtype=np.float32)
    for index, values in parts:
        logits[index] = values
    return logits
