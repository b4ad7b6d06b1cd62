"""Meta-learning before fine-tuning: the encoder first learns to learn, on many small tasks made of the train rows.

    1. for every episode of N of the labels with K rows: a few steps on them, and a step of the start towards where they
       lead (train/meta: Reptile or FOMAML)
    2. fine-tuning on all rows from that start, as `tune.full`

Source: Nichol, Achiam, Schulman, On First-Order Meta-Learning Algorithms, 2018; Finn, Abbeel, Levine, Model-Agnostic
Meta-Learning, 2017. When: many labels (fifty and more) of few rows each, and more labels of the same kind will come:
then start the next model from this one's artifact. When not: few labels, of which no small tasks can be made that
differ; and before `tune.fewshot` was tried, which takes less time. The two are not compared here yet: one run on two
labels (docs/bench/tune.md) says only that it is no worse than `tune.full` there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import torch
from pydantic import Field

from penjing.core.canon import digest
from penjing.core.errors import DataError
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.core.task import HeadKind, Loss
from penjing.model.encoder import Classifier
from penjing.tasks.metrics import encode_labels
from penjing.train.hooks import ProgressHook
from penjing.train.loop import Plan, fit
from penjing.train.meta import Episodes, Kind
from penjing.train.optim import Optimizing
from penjing.tune.fitting import CHECKPOINT_SECONDS, TuningMethod, prepared, tune
from penjing.tune.job import Job, prepare_job
from penjing.tune.options import TrainingOptions
from penjing.tune.pooled import read_pooled

METHOD = "tune.maml"
HEADS: tuple[HeadKind, ...] = ("pooled",)
LOSSES: tuple[Loss, ...] = ("cross_entropy",)
PAIRS = True


class Options(TrainingOptions):
    """How the start is learned; the other options are those of the fine-tuning from it."""

    kind: Kind = Field(
        "reptile", description="where the start moves: towards the adapted weights, or by their gradient"
    )
    episodes: int = Field(200, ge=1, le=100_000, description="small tasks from which the start is learned")
    ways: int = Field(5, ge=2, le=100, description="labels of a small task")
    shots: int = Field(
        4, ge=1, le=100, description="rows of each of its labels to learn from, and as many that are asked"
    )
    inner_steps: int = Field(3, ge=1, le=50, description="steps on a small task")
    inner_rate: float = Field(0.05, gt=0, le=1, description="learning rate of these steps")
    outer_rate: float = Field(1e-4, gt=0, le=0.1, description="learning rate of the start")


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """Tune `inputs.parent` as `tune.full` does, from a start that was learned on small tasks of the train rows.

    Raises what `tune.full` raises, and DataError where fewer than two labels have two rows.
    """
    run.scratch.mkdir(parents=True, exist_ok=True)
    job = prepare_job(METHOD, inputs, options, run)
    start = _learn_start(job, options)
    return tune(inputs, options, run, TuningMethod(METHOD, prepare=partial(_begin, start=start)))


def _begin(classifier: Classifier, job: Job, start: Mapping[str, torch.Tensor]) -> None:  # noqa: ARG001
    with torch.no_grad():
        for name, parameter in classifier.encoder.named_parameters():
            if name in start:
                parameter.copy_(start[name])


def _learn_start(job: Job, options: Options) -> dict[str, torch.Tensor]:
    """The encoder's weights after the episodes, by name."""
    labels = list(job.task.state["labels"])
    known, asked = (encode_labels(list(golds), labels).tolist() for golds in job.golds)
    if sum(known.count(label) >= 2 for label in set(known)) < 2:
        raise DataError("small tasks need two labels of two rows", fix="use `tune.full`, or add rows")
    plain = replace(job, fields=None, numbers=(None, None))
    whole, model, objective = prepared(plain, TuningMethod(METHOD, prepare=read_pooled))
    episodes = Episodes(
        objective.train.rows, known, (objective.validation.rows, asked), job.budget, job.run.seed, options.kind,
        options.episodes, options.ways, options.shots, options.inner_steps, options.inner_rate,
    )  # fmt: skip
    plan = Plan(
        epochs=1,
        optimizing=Optimizing(options.outer_rate, 1.0, options.weight_decay, options.warmup),
        metric="accuracy",
        checkpoint_seconds=CHECKPOINT_SECONDS,
    )
    run = job.run
    about = [job.parent.id, job.data, job.task.state, options.model_dump(mode="json"), run.seed, run.threads]
    key = digest(["meta", *about, run.device, torch.__version__])
    run.progress.say(f"a start is learned on {options.episodes} small tasks")
    fit(model, episodes, plan, run, run.scratch / "meta", key, [ProgressHook(run.progress)])
    assert isinstance(whole, Classifier)
    return {name: value.detach().cpu().clone() for name, value in whole.encoder.named_parameters()}
