"""Fine-tuning that goes on from an earlier model on new rows and is held to what that model knew.

    loss = L(new rows and replayed rows) + lwf * soft(z_old / T, z'_old / T) + ewc / 2 * sum_i F_i (w_i - w'_i)^2
           + orthogonal * sum over matrices of |A' A^T|^2

    z_old: the outputs of the labels that the earlier model had; z', w': the earlier model's outputs and weights;
    F_i: the mean over replayed rows of (d log p(gold) / d w_i)^2;  with `rank` only products B A of low rank learn, as
    in `tune.lora`, and A' are those of the earlier model, where it has some

The head begins with the earlier model's rows for the labels that both have. The earlier rows that are learned again are
chosen by the recipe's `continues:` (make/continuing.py).

Source: Li, Hoiem, Learning without Forgetting, 2016 (`lwf`; T = 2); Kirkpatrick and others, Overcoming Catastrophic
Forgetting in Neural Networks, 2017 (`ewc`, the diagonal of the Fisher information); Robins, Catastrophic Forgetting,
Rehearsal and Pseudorehearsal, 1995, and Chaudhry and others, On Tiny Episodic Memories in Continual Learning, 2019
(replay); Wang and others, Orthogonal Subspace Learning for Language Model Continual Learning, 2023 (`rank`,
`orthogonal`: O-LoRA). When: a release is in service, new rows or labels have come, and what it knew must stay. Replay
keeps most where the earlier rows are at hand, and `lwf` or `ewc` beside it change little (docs/bench/tune.md). When
not: the earlier rows are all at hand and few: then `tune.full` on all rows is as good, and simpler.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import torch
from pydantic import Field
from torch import nn

from penjing.core.errors import UsageError
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.core.task import HeadKind
from penjing.model.adapters import FOLDER, A, read_adapter
from penjing.model.encoder import HEAD, Classifier
from penjing.model.heads import load_heads
from penjing.tasks import task_of
from penjing.train.apart import ApartHook
from penjing.train.hooks import Hook
from penjing.train.numerics import repeatable
from penjing.train.soft_targets import SoftTargets
from penjing.train.stay import StayHook, fisher_of
from penjing.train.supervised import Supervised, predict_outputs
from penjing.tune import lora
from penjing.tune.fitting import TuningMethod, tune
from penjing.tune.job import Job
from penjing.tune.options import TrainingOptions
from penjing.tune.writing import Files, no_files

METHOD = "tune.continual"
HEADS: tuple[HeadKind, ...] = ("pooled", "token")
PAIRS = True


class Options(TrainingOptions):
    """How an earlier model goes on."""

    keeps_base: ClassVar[bool] = True

    lwf: float = Field(0.0, ge=0, le=100, description="weight of the earlier model's own answers on every train row")
    temperature: float = Field(2.0, gt=0, le=20, description="temperature of these answers")
    ewc: float = Field(
        0.0, ge=0, le=1e6, description="weight of staying near the earlier weights, each by how much it mattered there"
    )
    ewc_rows: int = Field(200, ge=1, le=10_000, description="replayed rows from which that is estimated")
    rank: int = Field(0, ge=0, le=256, description="only products of this rank learn, and the head; 0: all weights")
    orthogonal: float = Field(
        0.5, ge=0, le=1000, description="with `rank`: weight of keeping them apart from the earlier model's products"
    )


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """Tune `inputs.parent`, a tuned torch artifact, further on `inputs.train`, choosing on `inputs.validation`.

    Raises UsageError for a parent without a head or with another task, and what `tune.full` raises.
    """
    parent = inputs.parent
    if parent is None or parent.card.form != "torch" or not (parent.folder / HEAD).is_file():
        raise UsageError(
            "tune.continual goes on from a tuned model, and was given none", fix="add `continues: RELEASE`"
        )
    if options.ewc and not inputs.replayed:
        what = "`ewc` is estimated from earlier rows, and none are learned again"
        raise UsageError(what, where="ewc", fix="name the earlier recipe under `continues:`, or write `ewc: 0`")
    merge = _merge if options.rank else no_files
    return tune(inputs, options, run, TuningMethod(METHOD, _begin, merge, _remember, _hooks))


def _begin(classifier: Classifier, job: Job) -> None:
    """The earlier head, and with `rank` products, each beside that of the earlier model."""
    _take_over(classifier, job)
    if (inside := _as_lora(job)) is None:
        return
    lora.put_in(classifier, inside)
    folder = job.parent.folder / FOLDER
    changes = read_adapter(folder).changes if folder.is_dir() else {}
    for name, layer in lora.adapted(classifier.encoder):
        layer.earlier = changes.get(f"{name}.weight:{A}")


def _merge(classifier: Classifier, job: Job) -> Files:
    inside = _as_lora(job)
    assert inside is not None
    return lora.merge_in(classifier, inside)


def _as_lora(job: Job) -> Job | None:
    """The job as one of `tune.lora`; None where all weights learn."""
    assert isinstance(job.options, Options)
    rank = job.options.rank
    return replace(job, options=lora.Options(rank=rank, alpha=2.0 * rank, targets="all")) if rank else None


def _take_over(classifier: Classifier, job: Job) -> None:
    """Give the new head the earlier rows for the labels that both have."""
    earlier = load_heads(job.parent.folder / HEAD)
    pairs = _common(job)
    with torch.no_grad():
        for name, value in classifier.head.state_dict().items():
            old = earlier.state_dict()[name]
            if pairs is None:
                value.copy_(old)
            else:
                value[[new for new, _ in pairs]] = old[[place for _, place in pairs]]


def _common(job: Job) -> list[tuple[int, int]] | None:
    """The columns of labels that both heads have, as (new, earlier); None where the heads are equal.

    Raises UsageError where the earlier model has another task, or the outputs of both are no labels.
    """
    card, task = job.parent.card, job.task
    fix = "go on from a release of the same task, or use `tune.full`"
    if card.task != task.name:
        raise UsageError(f"the earlier model has the task {card.task}, and the rows the task {task.name}", fix=fix)
    before = task_of(card)
    if before.state == task.state:
        return None
    old, new = before.state.get("labels"), task.state.get("labels")
    sizes = [head.size for head in task.heads.values()], [head.size for head in before.heads.values()]
    if old is None or new is None or sizes != ([len(new)], [len(old)]):
        raise UsageError(f"the rows change what the task {task.name} learned, not only its labels", fix=fix)
    return [(place, list(old).index(label)) for place, label in enumerate(new) if label in old]


def _remember(job: Job, model: nn.Module, objective: Supervised) -> Supervised:
    options = job.options
    assert isinstance(options, Options)
    if not options.lwf:
        return objective
    pairs = _common(job)
    # Before the first step the model is the earlier one, with new columns that are left out.
    with repeatable(job.run.seed, job.run.threads, job.run.device):
        earlier = predict_outputs(model.to(job.run.device).eval(), objective.train.rows, job.task.heads, job.budget)
    places = None if pairs is None else [new for new, _ in pairs]
    return SoftTargets.of(objective, earlier, options.lwf, options.temperature, places)


def _hooks(job: Job, model: nn.Module, objective: Supervised) -> Sequence[Hook]:
    options = job.options
    assert isinstance(options, Options)
    apart = (ApartHook(model, options.orthogonal),) if options.rank and options.orthogonal else ()
    if not options.ewc:
        return apart
    rows = job.inputs.replayed[: options.ewc_rows]
    with repeatable(job.run.seed, job.run.threads, job.run.device):
        fisher = fisher_of(model.to(job.run.device), objective, rows)
    return (StayHook(model, fisher, options.ewc), *apart)
