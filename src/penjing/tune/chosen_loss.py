"""The loss that the options of a training choose, with the weights of its labels."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch

from penjing.core.errors import UsageError
from penjing.core.own_code import OwnCode
from penjing.core.task import Loss, Task
from penjing.train.costs import cost_loss
from penjing.train.criteria import Criterion, Formula, PlainFormula, balanced_weights
from penjing.train.focal import asymmetric_loss, focal_of_one, focal_of_several
from penjing.train.own_loss import OwnLoss
from penjing.tune.fits import label_place
from penjing.tune.options import TrainingOptions


def criterion_for(
    options: TrainingOptions, task: Task, targets: Mapping[str, Any], code: OwnCode | None
) -> Criterion | None:
    """What the heads minimise; None: the loss of the task, every row counting the same.

    targets: of the train rows by head; code: the function that `loss: FILE.py:NAME` names. Raises UsageError where
    that function cannot be used.
    """
    if options.loss == "auto" and options.class_weights == "none":
        return None
    return Criterion(_formula(options, task, code), _weights(options, task, targets))


def _formula(options: TrainingOptions, task: Task, code: OwnCode | None) -> Formula:
    smoothing = options.label_smoothing
    if options.loss == "focal":
        return partial(_focal, gamma=options.focal_gamma, smoothing=smoothing)
    if options.loss == "asymmetric":
        return partial(_asymmetric, gamma=options.asymmetric_gamma, margin=options.asymmetric_margin)
    if options.loss == "cost":
        return partial(_costly, costs=_costs(options, task), smoothing=smoothing)
    if options.loss == "auto":
        return PlainFormula(smoothing)
    if code is None:
        fix = "run it by `penjing make`, or give it in `Inputs.code`"
        raise UsageError(f"the function of `loss: {options.loss}` was not read", where="loss", fix=fix)
    own = OwnLoss(code)
    own.try_on(list(task.heads.values()))
    return own


def _focal(loss: Loss, outputs: torch.Tensor, targets: torch.Tensor, gamma: float, smoothing: float) -> torch.Tensor:
    if loss == "binary_cross_entropy":
        return focal_of_several(outputs, targets.view(outputs.shape), gamma)
    return focal_of_one(outputs, targets, gamma, smoothing)


def _asymmetric(
    loss: Loss,  # noqa: ARG001 (one kind of head has it)
    outputs: torch.Tensor,
    targets: torch.Tensor,
    gamma: float,
    margin: float,
) -> torch.Tensor:
    return asymmetric_loss(outputs, targets.view(outputs.shape), gamma, margin)


def _costly(
    loss: Loss,  # noqa: ARG001 (one kind of head has it)
    outputs: torch.Tensor,
    targets: torch.Tensor,
    costs: torch.Tensor,
    smoothing: float,
) -> torch.Tensor:
    return cost_loss(outputs, targets, costs, smoothing)


def _costs(options: TrainingOptions, task: Task) -> torch.Tensor:
    """(C, C) float32, true by said: 1 where none is named, 0 for a right answer."""
    ((_, head),) = task.heads.items()
    costs = 1 - torch.eye(head.size)
    for label, row in options.costs.items():
        for said, cost in row.items():
            costs[label_place(task, label, "costs"), label_place(task, said, "costs")] = cost
    return costs


def _weights(options: TrainingOptions, task: Task, targets: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    if options.class_weights == "none":
        return {}
    if options.class_weights == "balanced":
        return {name: balanced_weights(head.loss, targets[name], head.size) for name, head in task.heads.items()}
    ((name, head),) = task.heads.items()
    weights = torch.ones(head.size)
    for label, weight in options.class_weights.items():
        weights[label_place(task, label, "class_weights")] = weight
    several = head.loss == "binary_cross_entropy"
    return {name: torch.stack([torch.ones(head.size), weights]) if several else weights}
