"""Pooled states of the rows that are tuned on, and linear heads that are fitted to them instead of trained.

    x = (h - m) / s,   z = W x + b fitted as in `train/linear.py`,   as a head over h:  W / s and b - W m / s

m is the mean of the states h over the train rows, and s the root of the mean of |h - m|^2, so that rows have a norm
near 1. All heads of a task are fitted side by side, each column by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from pydantic import ValidationInfo, field_validator
from torch import nn

from penjing.core.nouns import Run, Silent
from penjing.core.task import Task
from penjing.engines.linear import outputs_of
from penjing.model.encoder import Classifier, padding_id
from penjing.model.heads import Heads, build_heads
from penjing.tasks import side_by_side
from penjing.train.linear import SparseRows, fit_rows
from penjing.train.numerics import repeatable
from penjing.train.supervised import IdRows, predict
from penjing.tune.job import Job
from penjing.tune.options import TrainingOptions, refuse_change

Floats = npt.NDArray[np.float32]


class FittedHeadOptions(TrainingOptions):
    """The options of a method whose head is made of states and not trained."""

    # What is learned is no loss of the task, so that options of such losses are refused.
    fixed_loss: ClassVar[bool] = True

    @field_validator("head_factor", "label_smoothing")
    @classmethod
    def _of_a_trained_head(cls, given: Any, about: ValidationInfo) -> Any:
        return refuse_change(cls, given, about, "the head is fitted, not trained")


def read_pooled(classifier: Classifier, job: Job) -> None:  # noqa: ARG001
    """Take the head off, in place, so that the classifier gives the pooled state of a text, (batch, width)."""
    classifier.head = nn.Identity()  # type: ignore[assignment]


def pooled_train(classifier: Classifier, job: Job) -> Floats:
    """The pooled states of the train rows, (n, width), by a classifier without a head."""
    classifier.eval()
    with repeatable(job.run.seed, job.run.threads, job.run.device):
        return predict(classifier, IdRows(list(job.train.ids), padding_id(classifier.encoder)), job.budget)


def fitted_weights(states: Floats, task: Task, golds: Sequence[str], c: float, run: Run) -> tuple[Floats, Floats]:
    """Weights (outputs, width) and bias (outputs,) of all heads of the task side by side, for these states (n, width).

    c: the strength C of `train/linear.py`; every loss of a pooled head is served.
    """
    centre = states.astype(np.float64).mean(axis=0)
    centred = states - centre
    spread = max(float(np.sqrt((centred**2).sum(axis=1).mean())), 1e-9)
    every = np.arange(len(states))
    quiet = replace(run, progress=Silent(), stop=lambda: False)
    coef, bias = fit_rows(SparseRows(centred / spread, golds, every, every), task, c, quiet)
    coef = coef / spread
    # Outputs are linear in the columns, so that of two labels the one column becomes both.
    weight = side_by_side(task, outputs_of(coef, task.heads)).T
    shift = side_by_side(task, outputs_of((bias - centre @ coef)[None], task.heads))[0]
    return np.ascontiguousarray(weight, dtype=np.float32), shift.astype(np.float32)


def set_heads(classifier: Classifier, task: Task, weight: Floats, bias: Floats) -> None:
    """Give a classifier the heads of a task with these weights (outputs, width) and bias (outputs,), in place."""
    made = build_heads(task.heads, weight.shape[1])
    layers = [made[name] for name in task.heads] if isinstance(made, Heads) else [made]
    start = 0
    with torch.no_grad():
        for layer in layers:
            assert isinstance(layer, nn.Linear)
            end = start + layer.out_features
            layer.weight.copy_(torch.from_numpy(weight[start:end]))
            layer.bias.copy_(torch.from_numpy(bias[start:end]))
            start = end
    classifier.head = made.to(next(classifier.parameters()).device)
