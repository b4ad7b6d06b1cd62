"""Contrastive fine-tuning for few labels: texts of a label move together, and a linear head is fitted to their states.

    h = mean over tokens of the last states,   y_ij = 1 where the rows i and j have the same gold, 0 where not
    cosine:    minimise  mean over pairs with y >= 1/2 of (cos(h_i, h_j) - y_ij)^2 + the same of the other pairs
    contrast:  minimise  mean over i, and over j with y_ij >= 1/2, of
                   -log( exp(cos(h_i, h_j) / T) / sum over k != i of exp(cos(h_i, h_k) / T) )
    outputs = W h + b, logistic regression on the states of the train rows (tune/pooled)

Source: Tunstall and others, Efficient Few-Shot Learning Without Prompts, 2022 (SetFit: pairs, the loss `cosine`, then
logistic regression); Khosla and others, Supervised Contrastive Learning, 2020 (`contrast`). SetFit encodes two texts
for each pair. Here every pair of a batch counts (tune/balanced), so that 16 encoded texts give 120 pairs.
Of sets of labels y is the share of common labels among all of both (Jaccard); of numbers and grades 1 less their
distance, as a share of the train rows' range; of several tasks the mean over them.
When: 8 to 64 rows a label and a base whose states of whole texts are good. When not: labels on words; hundreds of rows
a label, where `tune.full` learns the same and more; a catalogue, which `tune.full` learns by such a loss already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field
from torch import nn
from torch.nn import functional

from penjing.core.nouns import Artifact, Inputs, Run
from penjing.core.task import Head, HeadKind, Task
from penjing.engines.protocol import split_columns
from penjing.model.encoder import Classifier
from penjing.train.batches import Budget, Ints
from penjing.train.supervised import Supervised, TargetRows, predict, run_model, score_outputs
from penjing.tune.balanced import balanced_batches
from penjing.tune.fitting import TuningMethod, tune
from penjing.tune.job import Job
from penjing.tune.options import Rate, rates_field
from penjing.tune.pooled import FittedHeadOptions, Floats, fitted_weights, pooled_train, read_pooled, set_heads
from penjing.tune.writing import Files, no_files

METHOD = "tune.fewshot"
HEADS: tuple[HeadKind, ...] = ("pooled",)
PAIRS = True
JOINT = True
CATALOGUE = False


class Options(FittedHeadOptions):
    """The options of `tune.fewshot`."""

    epochs: float = Field(4.0, gt=0, le=100, description="evaluations, each after every row was drawn `draws` times")
    learning_rate: tuple[Rate, ...] = rates_field(1e-4)
    draws: int = Field(5, ge=1, le=1000, description="how often a row is drawn in an epoch, on average")
    pairs: Literal["cosine", "contrast"] = Field(
        "cosine",
        description="cosine: the cosine of a pair is 1 or 0; contrast: a row is nearer to its label than to others",
    )
    temperature: float = Field(0.1, gt=0, le=10, description="with `pairs: contrast`: temperature T of the cosines")
    c: float = Field(16.0, ge=1e-4, le=1e6, description="strength C of the logistic regression: more fits closer")


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """Tune `inputs.parent` on pairs of train rows and fit its head, choosing the epoch on validation.

    Raises UsageError for a parent that is no encoder or takes fewer than `max_tokens`, DataError for tables without
    rows or labels, RunInterruptedError when stopped.
    """

    def objective(job: Job, model: nn.Module, supervised: Supervised) -> Contrast:  # noqa: ARG001
        return Contrast.of(supervised, options, job.run)

    def merge(classifier: Classifier, job: Job) -> Files:
        states = pooled_train(classifier, job)
        set_heads(classifier, job.task, *fitted_weights(states, job.task, job.golds[0], options.c, job.run))
        return no_files(classifier, job)

    return tune(inputs, options, run, TuningMethod(METHOD, prepare=read_pooled, objective=objective, merge=merge))


@dataclass(frozen=True)
class Contrast:
    """An Objective over rows with gold; the model gives the pooled state of a text, (batch, width)."""

    task: Task
    train: TargetRows
    validation: TargetRows
    budget: Budget
    options: Options
    run: Run

    @classmethod
    def of(cls, supervised: Supervised, options: Options, run: Run) -> Contrast:
        """The same rows as those of a supervised objective."""
        return cls(supervised.task, supervised.train, supervised.validation, supervised.budget, options, run)

    def batches(self, epoch: int) -> list[Ints]:
        strata, lengths = self.task.strata(self.train.golds), self.train.rows.lengths
        return balanced_batches(strata, lengths, self.budget, self.options.draws, self.run.seed, epoch)

    def loss(self, model: nn.Module, rows: Ints) -> torch.Tensor:
        (vectors,), _ = run_model(model, self.train.rows, rows)
        same = torch.from_numpy(alike(self.task, self.train.targets, rows)).to(vectors)
        unit = functional.normalize(vectors, dim=1)
        near = unit @ unit.T
        if self.options.pairs == "contrast":
            return contrast_loss(near / self.options.temperature, same)
        return cosine_loss(near, same)

    def score(self, model: nn.Module) -> dict[str, float]:
        train, validation = (predict(model, one.rows, self.budget) for one in (self.train, self.validation))
        if not (np.isfinite(train).all() and np.isfinite(validation).all()):
            lost = np.full((len(validation), sum(head.size for head in self.task.heads.values())), np.nan)
            return score_outputs(self.task, split_columns(lost, self.task.heads), self.validation)
        weight, bias = fitted_weights(train, self.task, self.train.golds, self.options.c, self.run)
        outputs = (validation @ weight.T + bias).astype(np.float32)
        return score_outputs(self.task, split_columns(outputs, self.task.heads), self.validation)


def alike(task: Task, targets: Mapping[str, Any], rows: Ints) -> Floats:
    """How alike the golds of each two of these rows are, (batch, batch) in [0, 1]; NaN where one has no target."""
    found = [_alike(head, np.asarray(targets[name]), rows) for name, head in task.heads.items()]
    stacked = np.stack(found)
    known = ~np.isnan(stacked)
    total = np.where(known, stacked, 0.0).sum(axis=0)
    mean: Floats = np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), np.nan).astype(np.float32)
    return mean


def _alike(head: Head, targets: Floats, rows: Ints) -> Floats:
    own = targets[rows].astype(np.float64)
    unknown = np.isnan(own) | (own < 0 if head.loss in ("cross_entropy", "ordinal") else False)
    if head.loss == "cross_entropy":
        found = (own[:, None] == own[None]).astype(np.float64)
    elif head.loss == "binary_cross_entropy":
        sets = np.nan_to_num(own.reshape(len(rows), -1))
        both, one = sets @ sets.T, sets.sum(axis=1)
        either = one[:, None] + one[None] - both
        found = np.where(either > 0, both / np.maximum(either, 1e-9), 1.0)
    else:
        spread = max(float(np.nanmax(targets) - np.nanmin(targets)), 1e-9)
        table = own.reshape(len(rows), -1)
        found = np.clip(1 - np.abs(table[:, None] - table[None]).mean(axis=2) / spread, 0, 1)
    lacks = unknown.reshape(len(rows), -1).any(axis=1)
    found[lacks] = np.nan
    found[:, lacks] = np.nan
    return np.asarray(found, dtype=np.float32)


def cosine_loss(near: torch.Tensor, same: torch.Tensor) -> torch.Tensor:
    """The loss `cosine` of cosines and likeness, both (batch, batch); each pair counts once, unknown ones not."""
    first, second = torch.triu_indices(len(near), len(near), 1, device=near.device)
    found, wanted = near[first, second], same[first, second]
    apart = (found - torch.nan_to_num(wanted)).square()
    sides = [apart[side].mean() for side in (wanted >= 0.5, wanted < 0.5) if side.any()]
    return torch.stack(sides).sum() if sides else near.sum() * 0.0


def contrast_loss(near: torch.Tensor, same: torch.Tensor) -> torch.Tensor:
    """The loss `contrast` of cosines divided by T and of likeness, both (batch, batch)."""
    own = torch.eye(len(near), dtype=torch.bool, device=near.device)
    log_share = functional.log_softmax(near.masked_fill(own, -1e4), dim=1)
    positive = (same >= 0.5) & ~own
    count = positive.sum(dim=1)
    if not count.any():
        return near.sum() * 0.0
    rows = count > 0
    return -((log_share * positive).sum(dim=1)[rows] / count[rows]).mean()
