"""Several models from one start, made one again before anything is served: a soup of weights, or a student of all.

    soup    w = mean of the members' weights; members by their score on validation, each one kept if the mean with it
            scores at least as well (greedy)
    distil  loss = (1 - soft) L(gold) + soft KL(mean_m t_m / T || z / T),   t_m: the outputs of member m

Members differ in the order of rows, in dropout, and in the learning rate where several are given; they begin from the
same head, without which weights cannot be averaged. The student has the learning rate of the best member.

Source: Wortsman and others, Model Soups, 2022 (greedy soup); Izmailov and others, Averaging Weights Leads to Wider
Optima, 2018; Hinton, Vinyals, Dean, Distilling the Knowledge in a Neural Network, 2015; Lakshminarayanan, Pritzel,
Blundell, Simple and Scalable Predictive Uncertainty Estimation using Deep Ensembles, 2017. When: scores vary from seed
to seed, which is so with few rows, and training may take several times as long; the service costs nothing more. When
not: thousands of rows a label, where members hardly differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field
from torch import nn

from penjing.core.nouns import Artifact, Inputs, Run
from penjing.core.task import HeadKind
from penjing.model.encoder import Classifier
from penjing.model.heads import build_heads
from penjing.train.loop import Objective, Outcome
from penjing.train.numerics import repeatable
from penjing.train.soft_targets import SoftTargets
from penjing.train.supervised import Supervised, predict_outputs
from penjing.tune.fitting import TuningMethod, not_finite, prepared, train_with
from penjing.tune.job import Job, prepare_job
from penjing.tune.options import TrainingOptions
from penjing.tune.rates import rank
from penjing.tune.writing import Trained, write_tuned

METHOD = "tune.ensemble"
HEADS: tuple[HeadKind, ...] = ("pooled", "token")
PAIRS = True


class Options(TrainingOptions):
    """How several models are trained and made one."""

    members: int = Field(3, ge=2, le=20, description="models that are trained")
    kind: Literal["soup", "distil"] = Field("soup", description="the mean of weights, or a student of their answers")
    soft: float = Field(0.7, ge=0, le=1, description="with `distil`: share of the loss that is about the answers")
    temperature: float = Field(2.0, gt=0, le=20, description="with `distil`: temperature of the answers")


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """Tune `inputs.parent` several times and make one torch artifact. Raises what `tune.full` raises."""
    run.scratch.mkdir(parents=True, exist_ok=True)
    job = prepare_job(METHOD, inputs, options, run)
    method = TuningMethod(METHOD, prepare=partial(_same_head, seed=run.seed))
    tried = [(_rate_of(job, number), _member(job, method, number)) for number in range(options.members)]
    finite = sorted(
        (one for one in tried if one[1].scores), key=lambda one: rank(one[1].scores, job.metric), reverse=True
    )
    if not finite:
        raise not_finite(job)
    rate, members = finite[0][0], [one for _, one in finite]
    whole, model, objective = prepared(job, method)
    model.to(run.device).eval()
    with repeatable(run.seed, run.threads, run.device):
        if options.kind == "soup":
            made, used = _soup(members, model, objective, job)
            run.progress.say(f"the mean of {used} of {len(members)} models is kept")
            return write_tuned(job, Trained(whole, rate, made), method.merge)
        targets = _answers(members, model, objective, job)
    student = replace(method, objective=partial(_follow, targets=targets))
    inside = replace(job, run=replace(run, scratch=run.scratch / "student"))
    whole, outcome = train_with(inside, student, rate)
    if not outcome.scores:
        raise not_finite(job)
    return write_tuned(job, Trained(whole, rate, outcome), method.merge)


def _same_head(classifier: Classifier, job: Job, seed: int) -> None:
    """The head with which every member begins."""
    if not isinstance(classifier.head, nn.Identity):
        with repeatable(seed, job.run.threads, job.run.device):
            classifier.head = build_heads(job.task.heads, int(classifier.encoder.config.hidden_size))  # type: ignore[union-attr, arg-type]


def _member(job: Job, method: TuningMethod, number: int) -> Outcome:
    """A training with a seed of its own, and one of the learning rates in turn."""
    rate = _rate_of(job, number)
    run = replace(job.run, seed=job.run.seed + number, scratch=job.run.scratch / f"member-{number}")
    options = job.options.model_copy(update={"learning_rate": (rate,)})
    job.run.progress.say(f"model {number + 1} of {_members(job)}")
    return train_with(replace(job, run=run, options=options), method, rate)[1]


def _rate_of(job: Job, number: int) -> float:
    rates = job.options.learning_rate
    return rates[number % len(rates)]


def _members(job: Job) -> int:
    assert isinstance(job.options, Options)
    return job.options.members


def _soup(members: Sequence[Outcome], model: nn.Module, objective: Supervised, job: Job) -> tuple[Outcome, int]:
    """The greedy mean of weights, which the model has afterwards, and of how many members. members: the best first."""
    kept, mean, scores = 1, members[0].weights, members[0].scores
    for one in members[1:]:
        tried = {name: value + (one.weights[name] - value) / (kept + 1) for name, value in mean.items()}
        found = _score(model, tried, objective)
        if rank(found, job.metric) >= rank(scores, job.metric):
            kept, mean, scores = kept + 1, tried, found
    _load(model, mean)
    return replace(members[0], weights=mean, scores=scores), kept


def _score(model: nn.Module, weights: Mapping[str, torch.Tensor], objective: Supervised) -> dict[str, float]:
    _load(model, weights)
    with torch.no_grad():
        return objective.score(model)


def _load(model: nn.Module, weights: Mapping[str, torch.Tensor]) -> None:
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name in weights:
                parameter.copy_(weights[name])


def _answers(members: Sequence[Outcome], model: nn.Module, objective: Supervised, job: Job) -> dict[str, Any]:
    """The mean outputs of the members on the train rows, by head."""
    found: list[dict[str, Any]] = []
    for one in members:
        _load(model, one.weights)
        found.append(predict_outputs(model, objective.train.rows, job.task.heads, job.budget))
    return {
        name: [np.mean([each[name][row] for each in found], axis=0) for row in range(len(found[0][name]))]
        for name in found[0]
    }


def _follow(job: Job, model: nn.Module, objective: Supervised, targets: Mapping[str, Any]) -> Objective:  # noqa: ARG001
    options = job.options
    assert isinstance(options, Options)
    return SoftTargets.of(objective, targets, options.soft, options.temperature, hard=1 - options.soft)
