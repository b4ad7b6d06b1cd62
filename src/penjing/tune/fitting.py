"""Tunes an encoder by a `TuningMethod`: tries the learning rates, trains with the best one, writes the artifact."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from penjing.core.canon import digest
from penjing.core.errors import DataError, PenjingError, UsageError
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.model.encoder import Classifier
from penjing.model.fields import WithFields, inner
from penjing.model.layers import Upper
from penjing.train.hooks import Hook, ProgressHook
from penjing.train.loop import Objective, Outcome, Plan, count_steps, fit
from penjing.train.numerics import repeatable
from penjing.train.supervised import Supervised
from penjing.tune.job import Job, hidden_texts, objective_over, prepare_job, whole_model
from penjing.tune.options import TrainingOptions
from penjing.tune.rates import best_first, rung_of
from penjing.tune.switches import begin, hooks_of, in_steps, optimizing_of
from penjing.tune.writing import Merge, Trained, no_files, write_tuned

CHECKPOINT_SECONDS = 30.0


def _as_it_is(classifier: Classifier, job: Job) -> None:
    """All parameters are trained."""


def _no_hooks(job: Job, model: nn.Module, objective: Supervised) -> Sequence[Hook]:  # noqa: ARG001
    return ()


def _the_same(job: Job, model: nn.Module, objective: Supervised) -> Objective:  # noqa: ARG001
    return objective


@dataclass(frozen=True)
class TuningMethod:
    """What a method changes in fine-tuning; by default nothing.

    prepare: changes the classifier in place before it is trained, as by putting adapters into it; of the trained
    layers, those parameters learn that require a gradient afterwards. merge: makes it a plain classifier again, in
    place, and gives what writes further files of the artifact. objective: what is learned, made of the supervised one
    for the model that is trained. hooks: of the training; their options are among those of the method.
    """

    name: str
    prepare: Callable[[Classifier, Job], None] = _as_it_is
    merge: Merge = no_files
    objective: Callable[[Job, nn.Module, Supervised], Objective] = _the_same
    hooks: Callable[[Job, nn.Module, Supervised], Sequence[Hook]] = _no_hooks


def tune(inputs: Inputs, options: TrainingOptions, run: Run, method: TuningMethod) -> Artifact:
    """Tune `inputs.parent` (a base or a torch artifact) on `inputs.train`, choosing on `inputs.validation`.

    Raises UsageError for a parent that is no encoder or takes fewer than `max_tokens`, or a loss of the team's own that
    is not finite; DataError for tables without rows or labels, or learning rates of which none gives a finite loss;
    RunInterruptedError when stopped.
    """
    run.scratch.mkdir(parents=True, exist_ok=True)
    job = prepare_job(method.name, inputs, options, run)
    rates = options.learning_rate
    tries = [train_with(job, method, rate, to_rung=True)[1] for rate in rates] if len(rates) > 1 else []
    scores = [one.rung for one in tries] if tries else [{job.metric: 0.0, "loss": 0.0}]
    for place in best_first(rates, scores, job.metric, len(inputs.validation)):
        if tries:
            run.progress.say(f"learning rate {rates[place]:g} is chosen, {_in_words(tries[place].rung)}")
        model, outcome = train_with(job, method, rates[place])
        if outcome.scores:
            return write_tuned(job, Trained(model, rates[place], outcome, tries), method.merge)
    raise not_finite(job)


def not_finite(job: Job) -> PenjingError:
    """The error for a job of which no training had a finite loss. A loss of the team's own may itself be the cause."""
    code = job.inputs.code
    if code is None or not job.code_id:
        return DataError("no learning rate gave a finite loss", fix="give a lower `learning_rate`, such as 2e-5")
    what = f"the loss `{code.name}` was not finite in training, with any learning rate"
    fix = (
        "keep it finite for all outputs, such as by `clamp` before `log` or a division; or give a lower `learning_rate`"
    )
    return UsageError(what, where=code.file, fix=fix)


def train_with(job: Job, method: TuningMethod, rate: float, *, to_rung: bool = False) -> tuple[nn.Module, Outcome]:
    """Train with one rate, or read the result of an earlier call; the whole model has the best weights.

    to_rung: only as far as the step at which the rates are compared.
    """
    options, run = job.options, job.run
    whole, model, supervised = prepared(job, method)
    objective = in_steps(method.objective(job, model, supervised), options)
    rates, total = options.learning_rate, sum(count_steps(objective, options.epochs))
    plan = Plan(
        epochs=options.epochs,
        optimizing=optimizing_of(options, rate),
        metric=job.metric,
        patience=options.patience,
        checkpoint_seconds=CHECKPOINT_SECONDS,
        rung=rung_of(total, len(rates)),
        to_rung=to_rung,
        precision=options.precision,
    )
    if to_rung:
        number = rates.index(rate) + 1
        run.progress.say(f"learning rate {rate:g} ({number} of {len(rates)}), the first {plan.rung} of {total} steps")
    about = options.model_dump(mode="json") | {"learning_rate": rate}
    job_of = [method.name, job.parent.id, job.data, job.task.name, job.task.state, about, job.code_id]
    key = digest([*job_of, run.seed, run.threads, run.device, torch.__version__])
    scratch = run.scratch / f"rate-{rate:g}"
    switched = hooks_of(options, model, total, run.device)
    hooks = [*switched, *method.hooks(job, model, supervised), ProgressHook(run.progress)]
    outcome = fit(model, objective, plan, run, scratch, key, hooks)
    return whole, outcome


def prepared(job: Job, method: TuningMethod) -> tuple[nn.Module, nn.Module, Supervised]:
    """The whole model, the part of it that is trained, and what that learns; only what learns requires a gradient."""
    whole, objective = whole_model(job)
    classifier = inner(whole)
    assert isinstance(classifier, Classifier)
    with repeatable(job.run.seed, job.run.threads, job.run.device):
        begin(classifier, job.options, job.layers)
        method.prepare(classifier, job)
    if job.layers == "all":
        return whole, whole, objective
    learns = {parameter for parameter in whole.parameters() if parameter.requires_grad}
    hidden = hidden_texts(job, classifier)
    upper = Upper(classifier, job.layers)
    model = whole.over(upper) if isinstance(whole, WithFields) else upper
    whole.requires_grad_(False)
    for parameter in model.parameters():
        parameter.requires_grad_(parameter in learns)
    return whole, model, objective_over(job, *hidden)


def _in_words(scores: Mapping[str, float]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in scores.items())
