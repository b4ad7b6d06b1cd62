"""Fine-tuning of an encoder: all of it, or its top layers over activations that are computed once.

    outputs = W mean_t h_t + b,   minimise the mean over rows of the task's loss (train/losses)   by AdamW

For labels the loss is -log softmax(outputs)[label]. Declared fields are joined before the head (model/fields).

Source: Devlin, Chang, Lee, Toutanova, BERT: Pre-training of Deep Bidirectional Transformers, 2019 (fine-tuning, and the
choice among a few learning rates on validation; how one is chosen early: `tune/rates.py`); Mosbach, Andriushchenko,
Klakow, On the Stability of Fine-tuning BERT, 2021 (warm-up, more than three epochs on small data).
When: the score of `tune.linear` is not enough, from some hundred rows on. `layers: auto` trains all but the lowest
quarter of the layers where rows are few (at most 10,000): embeddings and the lowest layers are computed once, and the
score is kept (`penjing/mini`, 2,000 rows of three sets, three draws each: mean macro-F1 0.901 with either on 3,000
other rows; half of the layers: 0.892; a quarter: 0.880). When not: labels that depend on single words, or fewer than
about ten rows a label; then `tune.linear` is as good, and smaller.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field, field_validator
from tokenizers import Tokenizer
from torch import nn

from penjing.core.artifact import write_artifact
from penjing.core.canon import digest
from penjing.core.errors import DataError, UsageError
from penjing.core.nouns import Artifact, Card, Curves, Inputs, Run
from penjing.core.options import Options as _Options
from penjing.core.task import HeadKind, Item, Outputs, Task
from penjing.data import mask
from penjing.data.features import FieldFeatures, features_for, rows_fingerprint, rows_of
from penjing.engines.fields import FieldsEngine, write_fields
from penjing.engines.protocol import Engine
from penjing.engines.torch import TorchEngine
from penjing.model.base import depth_of
from penjing.model.encoder import (
    Classifier,
    fit_vocabulary,
    load_encoder,
    longest_input,
    padding_id,
    save_classifier,
)
from penjing.model.fields import WithFields, inner
from penjing.model.layers import Lower, Upper, can_be_cut, layers_of
from penjing.runtime.session import Session
from penjing.tasks import card_fields, task_for
from penjing.tasks.measure import metric_names, validation_metrics
from penjing.text.tokens import Encoded, Tokens, open_tokenizer
from penjing.train.activations import hidden_rows
from penjing.train.batches import Budget, Ints
from penjing.train.hooks import ProgressHook
from penjing.train.loop import Outcome, Plan, count_steps, fit
from penjing.train.numerics import repeatable
from penjing.train.optim import Optimizing
from penjing.train.supervised import FieldRows, IdRows, Rows, Supervised, TargetRows
from penjing.tune.curves import round_scores, rounded, thinned
from penjing.tune.depth import auto_layers
from penjing.tune.entries import check_fields, entry_ids, over_entries, set_last_layer
from penjing.tune.rates import best_first, rung_of
from penjing.tune.rows import fit_tokenizer, read_rows, say_cut

Rate = Annotated[float, Field(gt=0, le=0.1)]
Numbers = npt.NDArray[np.float32]
CHECKPOINT_SECONDS = 30.0
HEADS: tuple[HeadKind, ...] = ("pooled", "token", "span")
PAIRS = True
JOINT = True
FEATURES = True


class Options(_Options):
    """How an encoder is fine-tuned."""

    epochs: float = Field(3.0, gt=0, le=100, description="passes over the train rows; may be a fraction")
    learning_rate: tuple[Rate, ...] = Field(
        (5e-5, 1e-4, 2e-4),
        min_length=1,
        max_length=5,
        description="one rate, or up to five of which validation chooses the best",
    )
    head_factor: float = Field(10.0, ge=1, le=1000, description="the new head learns at this multiple of the rate")
    layers: Literal["auto", "all"] | Annotated[int, Field(ge=0, le=100)] = Field(
        "auto",
        description="how many top layers are trained (those below are computed once), or all with embeddings; auto: "
        "the top three quarters with at most 10,000 train rows, else all",
    )
    max_tokens: int = Field(128, ge=8, le=8192, description="longest input in tokens; longer texts are cut in training")
    batch_rows: int = Field(16, ge=1, le=4096, description="most rows in a batch")
    batch_tokens: int = Field(2048, ge=8, le=1_000_000, description="most tokens in a batch, padding included")
    warmup: float = Field(0.1, ge=0, le=1, description="share of the steps in which the rate rises")
    weight_decay: float = Field(0.01, ge=0, le=1, description="decoupled weight decay of matrices")
    dropout: float = Field(0.1, ge=0, lt=1, description="dropout before the head")
    label_smoothing: float = Field(0.0, ge=0, lt=1, description="share of each label spread over all")
    patience: int = Field(3, ge=0, le=100, description="epochs without a better score before training stops")
    metric: Literal["macro_f1", "score", "loss"] = Field(
        "macro_f1",
        description="what chooses epoch and rate on validation: the task's first metric, which is macro-F1 for labels "
        "(`macro_f1` or `score`), or the loss",
    )

    @field_validator("learning_rate", mode="before")
    @classmethod
    def _one_or_more(cls, given: Any) -> Any:
        return (given,) if isinstance(given, int | float) and not isinstance(given, bool) else given


@dataclass(frozen=True)
class Job:
    """One fine-tuning: the inputs that all learning rates share."""

    parent: Artifact
    options: Options
    run: Run
    task: Task
    tokenizer: Tokenizer
    train: Encoded
    validation: Encoded
    golds: tuple[Sequence[str], Sequence[str]]
    items: tuple[Sequence[Item], Sequence[Item]]
    data: str
    layers: Literal["all"] | int
    fields: FieldFeatures | None = None
    numbers: tuple[Numbers | None, Numbers | None] = (None, None)
    entries: Sequence[Ints] = ()

    @property
    def metric(self) -> str:
        """The name of the score by which epochs and rates are compared."""
        return "loss" if self.options.metric == "loss" else metric_names(self.task)[0]

    @property
    def texts(self) -> tuple[Sequence[Ints], ...]:
        """The token ids of the train rows, of the validation rows, and of the entries of a catalogue."""
        return self.train.ids, self.validation.ids, self.entries

    @property
    def budget(self) -> Budget:
        return Budget(rows=self.options.batch_rows, tokens=self.options.batch_tokens)


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """Fine-tune `inputs.parent` (a base or a torch artifact) on `inputs.train`, choosing on `inputs.validation`.

    Raises UsageError for a parent that is no encoder or takes fewer than `max_tokens`, DataError for tables without
    rows or labels, RunInterruptedError when stopped.
    """
    run.scratch.mkdir(parents=True, exist_ok=True)
    job = prepare_job(inputs, options, run)
    rates = options.learning_rate
    tries = [_train(job, rate, to_rung=True)[1] for rate in rates] if len(rates) > 1 else []
    scores = [one.rung for one in tries] if tries else [{job.metric: 0.0, "loss": 0.0}]
    for place in best_first(rates, scores, job.metric, len(inputs.validation)):
        if tries:
            run.progress.say(f"learning rate {rates[place]:g} is chosen, {_in_words(tries[place].rung)}")
        model, outcome = _train(job, rates[place])
        if outcome.scores:
            return _write(job, inputs, model, rates[place], outcome, tries)
    raise DataError("no learning rate gave a finite loss", fix="give a lower `learning_rate`, such as 2e-5")


def prepare_job(inputs: Inputs, options: Options, run: Run) -> Job:
    """The inputs that all trainings share: tokens, targets, number of trained layers."""
    parent = inputs.parent
    if parent is None or parent.card.form != "torch":
        made = f"an artifact of form `{parent.card.form}`" if parent else "nothing"
        raise UsageError(f"tune.full starts from an encoder and was given {made}", fix="set `base: penjing/mini`")
    task = task_for(inputs)
    tokenizer = fit_tokenizer(open_tokenizer(parent.folder), task)
    train, validation = (
        read_rows(task, tokenizer, one, options.max_tokens) for one in (inputs.train, inputs.validation)
    )
    say_cut(train, len(inputs.train), options.max_tokens, run.progress)
    layers = _auto_layers(parent, len(inputs.train)) if options.layers == "auto" else options.layers
    fields = features_for(inputs)
    check_fields(task, fields)
    return Job(
        layers=layers,
        fields=fields,
        numbers=(None, None)
        if fields is None
        else (fields.of_table(inputs.train)[train.owners], fields.of_table(inputs.validation)[validation.owners]),
        parent=parent,
        options=options,
        run=run,
        task=task,
        tokenizer=tokenizer,
        train=train.encoded,
        validation=validation.encoded,
        golds=(train.golds, validation.golds),
        items=(train.items, validation.items),
        data=rows_fingerprint(inputs),
        entries=entry_ids(task, tokenizer, options.max_tokens),
    )


def _auto_layers(parent: Artifact, rows: int) -> Literal["all"] | int:
    """All if there are many rows or the family's layers cannot be separated, else the top three quarters."""
    total = depth_of(parent)
    top = auto_layers(total, rows)
    return "all" if top == total or not can_be_cut(parent) else top


def whole_model(job: Job) -> tuple[nn.Module, Supervised]:
    """The model with all its layers, and what it learns."""
    classifier = _build(job)
    padding = padding_id(classifier.encoder)
    objective = _objective(job, *(IdRows(list(ids), padding) for ids in job.texts))
    if job.fields is None:
        return classifier, objective
    return WithFields(classifier, job.fields.size, [head.size for head in job.task.heads.values()]), objective


def _objective(job: Job, train: Rows, validation: Rows, entries: Rows) -> Supervised:
    if job.numbers[0] is not None and job.numbers[1] is not None:
        train, validation = FieldRows(train, job.numbers[0]), FieldRows(validation, job.numbers[1])
    objective = Supervised(
        task=job.task,
        train=TargetRows.of(job.task, train, job.golds[0], job.items[0]),
        validation=TargetRows.of(job.task, validation, job.golds[1], job.items[1]),
        budget=job.budget,
        seed=job.run.seed,
        smoothing=job.options.label_smoothing,
    )
    return over_entries(objective, entries)


def _train(job: Job, rate: float, *, to_rung: bool = False) -> tuple[nn.Module, Outcome]:
    """Train with one rate, or read the result of an earlier call; the whole model has the best weights.

    to_rung: only as far as the step at which the rates are compared.
    """
    options, run = job.options, job.run
    whole, objective = whole_model(job)
    model, classifier = whole, inner(whole)
    assert isinstance(classifier, Classifier)
    if job.layers != "all":
        upper = Upper(classifier, job.layers)
        model = whole.over(upper) if isinstance(whole, WithFields) else upper
        objective = _objective(job, *_hidden(job, classifier))
        classifier.requires_grad_(False)
        model.requires_grad_(True)
    rates, total = options.learning_rate, sum(count_steps(objective, options.epochs))
    plan = Plan(
        epochs=options.epochs,
        optimizing=Optimizing(rate, options.head_factor, options.weight_decay, options.warmup),
        metric=job.metric,
        patience=options.patience,
        checkpoint_seconds=CHECKPOINT_SECONDS,
        rung=rung_of(total, len(rates)),
        to_rung=to_rung,
    )
    if to_rung:
        number = rates.index(rate) + 1
        run.progress.say(f"learning rate {rate:g} ({number} of {len(rates)}), the first {plan.rung} of {total} steps")
    about = options.model_dump(mode="json") | {"learning_rate": rate}
    job_of = [job.parent.id, job.data, job.task.name, job.task.state, about]
    key = digest([*job_of, run.seed, run.threads, run.device, torch.__version__])
    scratch = run.scratch / f"rate-{rate:g}"
    outcome = fit(model, objective, plan, run, scratch, key, [ProgressHook(run.progress)])
    return whole, outcome


def _hidden(job: Job, classifier: Classifier) -> list[Rows]:
    """Hidden states below the trained layers, of each of `Job.texts`."""
    assert job.layers != "all"
    about = [job.parent.id, job.data, *([job.task.state] if job.entries else [])]
    run, ends = job.run, np.cumsum([0, *map(len, job.texts)]).tolist()
    every = hidden_rows(
        Lower(classifier, job.layers),
        [ids for texts in job.texts for ids in texts],
        padding_id(classifier.encoder),
        int(classifier.encoder.config.hidden_size),  # type: ignore[union-attr, arg-type]
        Budget(rows=64, tokens=4096),
        run,
        digest([*about, job.layers, job.options.max_tokens, run.threads, mask.VERSION]),
    )
    return [every.part(first, last) for first, last in pairwise(ends)]


def check_tokens(tokens: int, limit: int) -> None:
    """Raise UsageError for longer texts than the base takes."""
    if tokens > limit:
        fix = f"set `max_tokens: {limit}` or less"
        raise UsageError(f"this base takes at most {limit} tokens", where="max_tokens", fix=fix)


def check_layers(layers: int | str, total: int) -> None:
    """Raise UsageError for more layers than the base has."""
    if isinstance(layers, int) and layers > total:
        fix = f"set `layers` to at most {total}, or to `all`"
        raise UsageError(f"this base has {total} layers", where="layers", fix=fix)


def _build(job: Job) -> Classifier:
    encoder = load_encoder(job.parent)
    check_tokens(job.options.max_tokens, longest_input(encoder))
    if job.layers != "all":
        check_layers(job.layers, len(layers_of(encoder)))
    fit_vocabulary(encoder, job.tokenizer)
    with repeatable(job.run.seed, job.run.threads, job.run.device):
        classifier = Classifier(encoder, job.task.heads, job.options.dropout)
    if job.entries:
        classifier.head = nn.Identity()  # type: ignore[assignment]  # vectors are learned, the last layer is made of them
    return classifier


def _write(
    job: Job, inputs: Inputs, model: nn.Module, rate: float, outcome: Outcome, tries: Sequence[Outcome]
) -> Artifact:
    run, options, task, golds = job.run, job.options, job.task, inputs.validation.labels or ()
    classifier, fields = inner(model), model.weights() if isinstance(model, WithFields) else None
    assert isinstance(classifier, Classifier)
    set_last_layer(classifier, job.entries, job.budget)
    outputs, items = _validation_outputs(job, inputs, classifier, fields)
    calibration = task.fit(outputs, golds, items)
    card = Card(
        **card_fields(task, calibration),
        form="torch",
        method="tune.full",
        language=inputs.language,
        max_tokens=options.max_tokens,
        masking=mask.VERSION,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        data=job.data,
        lineage=(
            *job.parent.card.lineage,
            {"method": "tune.full", "options": options.model_dump(mode="json"), "parent": job.parent.id},
        ),
        metrics=validation_metrics(task, outputs, calibration, golds, items),
        base=job.parent.card.base,
        padding_id=padding_id(classifier.encoder),
        features={} if job.fields is None else job.fields.to_json(),
        curves=Curves.model_validate({"loss": thinned(outcome.losses), "validation": rounded(outcome.evaluations)}),
        notes={
            "learning_rate": rate,
            "learning_rates": _rate_results(options.learning_rate, tries, rate, outcome),
            "layers": job.layers,
            "train_texts_cut": job.train.cut,
            "validation_texts_cut": job.validation.cut,
            "train_tokens": int(job.train.lengths.sum()),
        },
    )

    def fill(folder: Path) -> None:
        save_classifier(folder, classifier, job.tokenizer)
        if fields is not None:
            write_fields(folder, fields)

    return write_artifact(run.out, card, fill)


def _validation_outputs(
    job: Job, inputs: Inputs, classifier: Classifier, fields: Numbers | None
) -> tuple[Outputs, list[Item]]:
    """Outputs as a session gives them, with long texts in windows, as they are served; and the texts beside them."""
    options, run = job.options, job.run
    read = {} if job.fields is None else job.fields.to_json()
    card = Card(form="torch", method="tune.full", max_tokens=options.max_tokens, features=read, **card_fields(job.task))
    with repeatable(run.seed, run.threads):
        tokens = Tokens(job.tokenizer, options.max_tokens)
        engine: Engine = TorchEngine(classifier.cpu(), tokens, torch.get_num_threads(), tuple(job.task.heads))
        if fields is not None:
            engine = FieldsEngine(engine, fields, {name: head.size for name, head in job.task.heads.items()})
        made = Artifact(run.out, "", card)
        session, rows = Session(made, engine), inputs.validation
        return session.outputs(rows.texts, rows_of(rows)), session.items(rows.texts)


def _rate_results(rates: Sequence[float], tries: Sequence[Outcome], rate: float, outcome: Outcome) -> list[Any]:
    """The result of each rate: of the chosen one at its end, of the others where they were compared."""
    first = {value: one.rung for value, one in zip(rates, tries, strict=True)} if tries else {}
    found = []
    for place, value in enumerate(rates):
        one = outcome if value == rate else tries[place]
        scores = one.scores if value == rate else one.rung
        row = {"learning_rate": value, "steps": len(one.losses), "diverged": one.diverged, **round_scores(scores)}
        found.append(row | ({"rung": round_scores(first[value])} if value in first else {}))
    return found


def _in_words(scores: Mapping[str, float]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in scores.items())
