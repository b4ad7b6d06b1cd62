"""The objective of a catalogue: a text is nearer to the text of its entry than to those of other entries.

    h = mean over tokens of the last states,   s(x, e) = 20 cos(h_x, h_e)
    minimise  mean over the rows x of a batch of  -log( exp s(x, e_x) / sum over e of exp s(x, e) )

e goes over the entries of the batch and 32 others that are drawn by the rows of the batch. One encoder reads texts and
entries. Afterwards the last layer of a classifier is w_e = 20 h_e / (|h_e| m), b_e = 0, with m the mean of |h| over the
entries: it ranks the entries of a text as their cosines do.

Source: Reimers and Gurevych, Sentence-BERT, 2019 (one encoder for both); Henderson and others, Efficient Natural
Language Response Suggestion for Smart Reply, 2017 (the other rows of a batch as wrong answers).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from penjing.train.batches import Budget, Ints
from penjing.train.supervised import Rows, Supervised, predict, run_model, score_outputs

SCALE = 20.0
# Encoded for every batch beside its own entries: they cost time, and say what else a text is not near to.
_OTHERS = 32
# An evaluation within a training encodes no more entries: on a CPU they take longer than its steps. Scores of larger
# catalogues are therefore a little too high while a model is trained; those of the sealed one are of all entries.
_COMPARED = 5_000


@dataclass(frozen=True)
class NearEntries(Supervised):
    """An Objective over rows with the position of their entry. The model gives the vector of a text, (batch, width)."""

    entries: Rows | None = None

    def loss(self, model: nn.Module, rows: Ints) -> torch.Tensor:
        assert self.entries is not None
        ((name, _),) = self.task.heads.items()
        places = np.asarray(self.train.targets[name])[rows]
        (vectors,), _ = run_model(model, self.train.rows, rows)
        known = np.flatnonzero(places >= 0)
        if not len(known):
            return vectors.sum() * 0.0
        own, target = np.unique(places[known], return_inverse=True)
        count = len(self.entries.lengths)
        others = np.random.default_rng([self.seed, *rows.tolist()]).permutation(count)[: _OTHERS + len(own)]
        chosen = np.concatenate([own, np.setdiff1d(others, own)[:_OTHERS]])
        (entries,), _ = run_model(model, self.entries, chosen)
        texts = functional.normalize(vectors[torch.as_tensor(known, device=vectors.device)], dim=1)
        near = SCALE * texts @ functional.normalize(entries, dim=1).T
        return functional.cross_entropy(near, torch.as_tensor(target, device=near.device))

    def score(self, model: nn.Module) -> dict[str, float]:
        assert self.entries is not None
        ((name, _),) = self.task.heads.items()
        compared = self._compared(np.asarray(self.validation.targets[name]))
        weight = layer_of(model, Some(self.entries, compared), self.budget)
        found = predict(model, self.validation.rows, self.budget) @ weight.T
        if len(compared) == len(self.entries.lengths):
            return score_outputs(self.task, {name: found}, self.validation)
        outputs = np.full((len(found), len(self.entries.lengths)), -SCALE, dtype=np.float32)
        outputs[:, compared] = found
        return score_outputs(self.task, {name: outputs}, self.validation)

    def _compared(self, places: Ints) -> Ints:
        """The entries that an evaluation compares: all, or of a large catalogue those of the rows and others."""
        count = len(self.entries.lengths) if self.entries is not None else 0
        if count <= _COMPARED:
            return np.arange(count)
        own = np.unique(places[places >= 0])
        others = np.setdiff1d(np.random.default_rng(self.seed).permutation(count)[:_COMPARED], own)
        return np.union1d(own, others[: max(0, _COMPARED - len(own))])


@dataclass(frozen=True)
class Some:
    """Some rows of others, in the order of `places`."""

    rows: Rows
    places: Ints

    @property
    def lengths(self) -> Ints:
        return self.rows.lengths[self.places]

    def load(self, rows: Ints) -> tuple[torch.Tensor, torch.Tensor]:
        return self.rows.load(self.places[rows])


def layer_of(model: nn.Module, entries: Rows, budget: Budget) -> npt.NDArray[np.float32]:
    """The weights w of the last layer, (entries, width) float32; the model in evaluation mode gives vectors."""
    vectors = predict(model, entries, budget)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    found: np.ndarray = (SCALE * vectors / (np.maximum(norms, 1e-9) * max(float(norms.mean()), 1e-9))).astype(
        np.float32
    )
    return found
