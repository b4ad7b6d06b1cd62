"""Prototypes: a text has the label whose rows' mean state is nearest; by default nothing is trained at all.

    c_l = mean of the states h of the rows of label l,   z_l = -(h - c_l)' M (h - c_l) / 2,   as a linear head:
    w_l = M c_l,   b_l = -c_l' M c_l / 2

M is the inverse of (1 - a) S + a s I, with S the covariance of states around their prototypes, s = tr(S S) / tr(S) its
variance in the directions that have most of it, and a the option `shrinkage`. With a = 1 distances are Euclidean:
w_l = c_l / s, b_l = -|c_l|^2 / 2 s. Where a text may have several labels, each has a prototype of the rows with it and
one of the rows without it, and the output is the difference of the two.
On three sets (food reviews, news titles, intents; 2 to 20 labels, `penjing/nano`, eight draws of 4 to 64 rows a label)
a = 0.5 was 0.4 points of accuracy worse than a = 1 at most, and up to 2.2 points better with many labels or rows.
With `epochs` above 0 the encoder is trained first: half of the rows of each label of a batch give the prototypes
(Euclidean, s = 1), and cross entropy is that of the other half (tune/balanced).
Source: Snell, Swersky, Zemel, Prototypical Networks for Few-shot Learning, 2017; Bateni and others, Improved Few-Shot
Visual Classification, 2020 (a covariance that is shrunken, of all labels here); Friedman, Regularized Discriminant
Analysis, 1989.
When: 1 to 16 rows a label; labels that change often: the head takes seconds. When not: labels that a text's general
subject does not tell apart, such as a negation; some hundred rows, where `tune.full` is better.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import nn
from torch.nn import functional

from penjing.core.nouns import Artifact, Inputs, Run
from penjing.core.stop import check_stop
from penjing.core.task import IGNORED, Head, HeadKind, Loss
from penjing.model.encoder import Classifier
from penjing.train.batches import Ints
from penjing.train.loop import Outcome
from penjing.train.losses import hard_loss
from penjing.train.supervised import Supervised, predict, run_model, score_outputs
from penjing.tune.balanced import balanced_batches
from penjing.tune.fitting import TuningMethod, tune
from penjing.tune.job import Job, prepare_job, whole_model
from penjing.tune.options import Rate, rates_field
from penjing.tune.pooled import FittedHeadOptions, Floats, pooled_train, read_pooled, set_heads
from penjing.tune.writing import Files, Trained, no_files, write_tuned

METHOD = "tune.prototype"
HEADS: tuple[HeadKind, ...] = ("pooled",)
LOSSES: tuple[Loss, ...] = ("cross_entropy", "binary_cross_entropy")
PAIRS = True
CATALOGUE = False
# The output of a label without a row: never the answer, and finite.
_NEVER = -1e4
# Where every train row has a label or none has it: a probability of 5e-5, as in `train/linear.py`.
_SURE = 10.0


class Options(FittedHeadOptions):
    """The options of `tune.prototype`."""

    epochs: float = Field(0.0, ge=0, le=100, description="passes of training the encoder; 0: it stays as it is")
    learning_rate: tuple[Rate, ...] = rates_field(1e-4)
    shrinkage: float = Field(
        0.5,
        gt=0,
        le=1,
        description="1: Euclidean distances; less: directions in which rows of a label differ count less",
    )


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """The encoder `inputs.parent`, trained or as it is, with a head of prototypes of the train rows.

    Raises UsageError for a parent that is no encoder or takes fewer than `max_tokens`, DataError for tables without
    rows or labels, RunInterruptedError when stopped.
    """

    def objective(job: Job, model: nn.Module, supervised: Supervised) -> PrototypeEpisodes:  # noqa: ARG001
        return PrototypeEpisodes(**vars(supervised), options=options)

    def merge(classifier: Classifier, job: Job) -> Files:
        ((name, head),) = job.task.heads.items()
        targets = np.asarray(job.task.encode(job.golds[0], job.items[0])[name])
        set_heads(classifier, job.task, *prototypes(pooled_train(classifier, job), head, targets, options.shrinkage))
        return no_files(classifier, job)

    if options.epochs:
        return tune(inputs, options, run, TuningMethod(METHOD, prepare=read_pooled, objective=objective, merge=merge))
    run.scratch.mkdir(parents=True, exist_ok=True)
    check_stop(run.stop)
    job = prepare_job(METHOD, inputs, options, run)
    classifier, _ = whole_model(job)
    assert isinstance(classifier, Classifier)
    read_pooled(classifier, job)
    classifier.requires_grad_(False).to(run.device)
    untrained = Trained(classifier, options.learning_rate[0], Outcome(), [Outcome() for _ in options.learning_rate])
    return write_tuned(job, untrained, merge)


@dataclass(frozen=True)
class PrototypeEpisodes(Supervised):
    """An Objective over rows with gold; the model gives the pooled state of a text, (batch, width)."""

    options: Options = field(default_factory=Options)

    def batches(self, epoch: int) -> list[Ints]:
        strata, lengths = self.task.strata(self.train.golds), self.train.rows.lengths
        return balanced_batches(strata, lengths, self.budget, 1, self.seed, epoch)

    def loss(self, model: nn.Module, rows: Ints) -> torch.Tensor:
        ((name, head),) = self.task.heads.items()
        (vectors,), _ = run_model(model, self.train.rows, rows)
        targets = torch.as_tensor(np.asarray(self.train.targets[name])[rows], device=vectors.device)
        return episode_loss(head, vectors, targets)

    def score(self, model: nn.Module) -> dict[str, float]:
        ((name, head),) = self.task.heads.items()
        train, validation = (predict(model, one.rows, self.budget) for one in (self.train, self.validation))
        weight, bias = prototypes(train, head, np.asarray(self.train.targets[name]), self.options.shrinkage)
        return score_outputs(self.task, {name: validation @ weight.T + bias}, self.validation)


def episode_loss(head: Head, vectors: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The loss of a batch (batch, width): every second row of a label is compared with prototypes of the others.

    targets: labels (batch,) of cross entropy, else (batch, size) of 0 and 1.
    """
    labels = head.loss == "cross_entropy"
    sides = functional.one_hot(targets.clamp(min=0), head.size) if labels else targets.view(len(targets), -1)
    sides = sides.to(vectors) * ((targets >= 0).view(len(targets), -1)[:, :1] if labels else 1)
    order = torch.unique(sides, dim=0, return_inverse=True)[1]
    asked = torch.tensor([int((order[:place] == order[place]).sum()) % 2 == 1 for place in range(len(order))])
    if not asked.any():
        return vectors.sum() * 0.0
    given, queries = vectors[~asked], vectors[asked]
    there, lacks = sides[~asked], 1 - sides[~asked]
    with_it = there.T @ given / there.sum(dim=0).clamp(min=1)[:, None]
    outputs = queries @ with_it.T - with_it.square().sum(dim=1) / 2
    if labels:
        outputs = outputs.masked_fill(there.sum(dim=0) == 0, _NEVER)
        return hard_loss(head.loss, outputs, targets[asked])
    without = lacks.T @ given / lacks.sum(dim=0).clamp(min=1)[:, None]
    outputs = outputs - (queries @ without.T - without.square().sum(dim=1) / 2)
    both = (there.sum(dim=0) > 0) & (lacks.sum(dim=0) > 0)
    if not both.any():
        return vectors.sum() * 0.0
    return hard_loss(head.loss, outputs[:, both], sides[asked][:, both])


def prototypes(states: Floats, head: Head, targets: npt.NDArray[Any], shrinkage: float) -> tuple[Floats, Floats]:
    """Weights (outputs, width) and bias (outputs,) of a head, for states (n, width) and targets as `Task.encode` has
    them; rows without a target count nothing."""
    middle = states.astype(np.float64).mean(axis=0)
    centred = states - middle
    if head.loss == "cross_entropy":
        weight, bias = _nearest(centred, targets, head.size, shrinkage)
    else:
        table = targets.reshape(len(targets), -1)
        columns = [_with_or_without(centred, column, shrinkage) for column in table.T]
        weight, bias = (np.stack(part) for part in zip(*columns, strict=True))
    return weight.astype(np.float32), (bias - weight @ middle).astype(np.float32)


def _with_or_without(
    states: npt.NDArray[np.float64], column: npt.NDArray[Any], shrinkage: float
) -> tuple[npt.NDArray[np.float64], np.float64]:
    """w (width,) and b of one label of sets; column: 1 for a row with it, 0 without, NaN where it is not known."""
    sides = np.where(np.isnan(column.astype(np.float64)), IGNORED, column > 0.5).astype(np.int64)
    if len(np.unique(sides[sides >= 0])) < 2:
        return np.zeros(states.shape[1]), np.float64(_SURE if (sides == 1).any() else -_SURE)
    weight, bias = _nearest(states, sides, 2, shrinkage)
    return weight[1] - weight[0], bias[1] - bias[0]


def _nearest(
    states: npt.NDArray[np.float64], labels: npt.NDArray[Any], size: int, shrinkage: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """w (size, width) and b (size,) of the formula above."""
    known = labels >= 0
    states, labels = states[known], labels[known]
    counts = np.bincount(labels, minlength=size)
    centres = np.zeros((size, states.shape[1]))
    np.add.at(centres, labels, states)
    centres /= np.maximum(counts, 1)[:, None]
    apart = states - centres[labels]
    # With one row a label there is nothing around a prototype: the prototypes themselves say how large distances are.
    apart = apart if len(states) > (counts > 0).sum() else states - states.mean(axis=0)
    freedom = max(1, len(apart) - int((counts > 0).sum()))
    # Of the two products the smaller one has the same trace and the same sum of squares.
    within = (apart @ apart.T if shrinkage == 1 and len(apart) < apart.shape[1] else apart.T @ apart) / freedom
    variance = (within**2).sum() / trace if (trace := float(np.trace(within))) > 0 else 1.0
    if shrinkage == 1:
        weight = centres / variance
    else:
        weight = np.linalg.solve((1 - shrinkage) * within + shrinkage * variance * np.eye(len(within)), centres.T).T
    bias = np.where(counts > 0, -(weight * centres).sum(axis=1) / 2, _NEVER)
    return weight, bias
