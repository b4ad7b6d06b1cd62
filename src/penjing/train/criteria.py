"""The loss of a head where it is not the plain one of its task: another formula, or rows that count differently.

    mean over the rows with a target of  w_i l_i,   or of the mean over c of  w_ic l_ic  for any number of labels

Balanced weights of n rows, n_c of them with label c, K labels with rows: w = n / (K n_c) for one label a text, and
n / (2 n_c1), n / (2 n_c0) for a label that is given and one that is not. They sum to n over the train rows.

Source: King and Zeng, Logistic Regression in Rare Events Data, 2001 (weights by the share of a class).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from penjing.core.task import IGNORED, Loss
from penjing.train.losses import hard_loss, known_rows

# Of outputs (N, C) and their targets: (N,), or (N, C) for any number of labels, or one number.
Formula = Callable[[Loss, torch.Tensor, torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Criterion:
    """The loss of every head by one formula.

    weights: by head, (C,) or, for any number of labels, (2, C): absent, given; without them all rows count the same.
    """

    formula: Formula
    weights: Mapping[str, torch.Tensor] = field(default_factory=dict)

    def __call__(self, name: str, loss: Loss, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """The loss of outputs (N, C) of a head; 0 where no row has a target."""
        known = known_rows(targets)
        if not known.any():
            return outputs.sum() * 0.0
        outputs, targets = outputs[known], targets[known]
        found = self.formula(loss, outputs, targets)
        if name in self.weights:
            found = found * _of_targets(self.weights[name].to(outputs), targets)
        return found.mean()


@dataclass(frozen=True)
class PlainFormula:
    """The loss of the task, for a head whose rows are weighted."""

    smoothing: float = 0.0

    def __call__(self, loss: Loss, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        if loss == "binary_cross_entropy":
            wanted = targets.to(outputs.dtype).view(outputs.shape)
            return torch.nn.functional.binary_cross_entropy_with_logits(outputs, wanted, reduction="none")
        return hard_loss(loss, outputs, targets, self.smoothing, "none")


def balanced_weights(loss: Loss, targets: Any, size: int) -> torch.Tensor:
    """Balanced weights of a head of that size from the targets of all train rows, as `Task.encode` gives them."""
    flat = np.concatenate([np.asarray(one).reshape(1, -1) if np.ndim(one) == 0 else np.asarray(one) for one in targets])
    if loss == "binary_cross_entropy":
        rows = np.asarray(targets, dtype=np.float64).reshape(-1, size)
        rows = rows[~np.isnan(rows).any(axis=1)]
        given = rows.sum(axis=0)
        counts = np.stack([len(rows) - given, given])
        return _as_weights(len(rows) / (2 * np.maximum(counts, 1)), counts)
    places = flat.ravel()
    counts = np.bincount(places[places != IGNORED].astype(np.int64), minlength=size)
    return _as_weights(counts.sum() / (max(1, int((counts > 0).sum())) * np.maximum(counts, 1)), counts)


def _as_weights(weights: Any, counts: Any) -> torch.Tensor:
    """1 for what no row has."""
    return torch.from_numpy(np.where(counts > 0, weights, 1.0).astype(np.float32))


def _of_targets(weights: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    if weights.dim() == 1:
        return weights[targets]
    given = targets.to(weights.dtype).view(len(targets), -1)
    return weights[0] * (1 - given) + weights[1] * given
