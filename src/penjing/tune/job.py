"""One fine-tuning: the inputs that all learning rates share, and the model and objective made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer
from torch import nn

from penjing.core.canon import digest
from penjing.core.errors import UsageError
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.core.task import Item, Task
from penjing.data import mask
from penjing.data.features import FieldFeatures, features_for, rows_fingerprint
from penjing.model.base import depth_of
from penjing.model.encoder import Classifier, fit_vocabulary, load_encoder, longest_input, padding_id
from penjing.model.fields import WithFields
from penjing.model.layers import Lower, can_be_cut, layers_of
from penjing.tasks import task_for
from penjing.tasks.measure import metric_names
from penjing.text.tokens import Encoded, open_tokenizer
from penjing.train.activations import hidden_rows
from penjing.train.batches import Budget, Ints
from penjing.train.numerics import repeatable
from penjing.train.rows import fit_tokenizer, read_rows, say_cut
from penjing.train.supervised import FieldRows, IdRows, Rows, Supervised, TargetRows
from penjing.tune.augmented import with_copies
from penjing.tune.chosen_loss import criterion_for
from penjing.tune.depth import auto_layers
from penjing.tune.entries import check_fields, entry_ids, over_entries
from penjing.tune.fits import check_fits
from penjing.tune.options import TrainingOptions
from penjing.tune.switches import through_of

Numbers = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Job:
    """The inputs that all learning rates share. method: its name in a recipe; inputs: as the method got them."""

    method: str
    inputs: Inputs
    parent: Artifact
    options: TrainingOptions
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
    def code_id(self) -> str:
        """The hash of a loss of the team's own; empty if there is none."""
        return self.inputs.code.id if self.inputs.code is not None and ":" in self.options.loss else ""

    @property
    def budget(self) -> Budget:
        return Budget(rows=self.options.batch_rows, tokens=self.options.batch_tokens)


def prepare_job(method: str, inputs: Inputs, options: TrainingOptions, run: Run) -> Job:
    """The inputs that all trainings share: tokens, targets, number of trained layers; with the copies of train rows."""
    parent = inputs.parent
    if parent is None or parent.card.form != "torch":
        made = f"an artifact of form `{parent.card.form}`" if parent else "nothing"
        raise UsageError(f"{method} starts from an encoder and was given {made}", fix="set `base: penjing/mini`")
    task = task_for(inputs)
    check_fits(options, task)
    inputs = with_copies(inputs, options.augment, run)
    tokenizer = fit_tokenizer(open_tokenizer(parent.folder), task)
    train, validation = (
        read_rows(task, tokenizer, one, options.max_tokens) for one in (inputs.train, inputs.validation)
    )
    say_cut(train, len(inputs.train), options.max_tokens, run.progress)
    layers = _auto_layers(parent, options, len(inputs.train)) if options.layers == "auto" else options.layers
    fields = features_for(inputs)
    check_fields(task, fields, method)
    return Job(
        method=method,
        inputs=inputs,
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


def _auto_layers(parent: Artifact, options: TrainingOptions, rows: int) -> Literal["all"] | int:
    """All if there are many rows or the family's layers cannot be separated, else the top three quarters."""
    total = depth_of(parent)
    top = auto_layers(total, rows)
    return "all" if top == total or options.whole or not can_be_cut(parent) else top


def whole_model(job: Job) -> tuple[nn.Module, Supervised]:
    """The model with all its layers, and what it learns."""
    classifier = _build(job)
    padding = padding_id(classifier.encoder)
    objective = objective_over(job, *(IdRows(list(ids), padding) for ids in job.texts))
    if job.fields is None:
        return classifier, objective
    return WithFields(classifier, job.fields.size, [head.size for head in job.task.heads.values()]), objective


def objective_over(job: Job, train: Rows, validation: Rows, entries: Rows) -> Supervised:
    if job.numbers[0] is not None and job.numbers[1] is not None:
        train, validation = FieldRows(train, job.numbers[0]), FieldRows(validation, job.numbers[1])
    labelled = TargetRows.of(job.task, train, job.golds[0], job.items[0])
    objective = Supervised(
        task=job.task,
        train=labelled,
        validation=TargetRows.of(job.task, validation, job.golds[1], job.items[1]),
        budget=job.budget,
        seed=job.run.seed,
        smoothing=job.options.label_smoothing,
        criterion=criterion_for(job.options, job.task, labelled.targets, job.inputs.code),
        through=through_of(job.options),
    )
    return over_entries(objective, entries)


def hidden_texts(job: Job, classifier: Classifier) -> list[Rows]:
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
    check_tokens(job.options.max_tokens, longest_input(encoder) - job.options.further_tokens)
    if job.layers != "all":
        check_layers(job.layers, len(layers_of(encoder)))
    fit_vocabulary(encoder, job.tokenizer)
    with repeatable(job.run.seed, job.run.threads, job.run.device):
        classifier = Classifier(encoder, job.task.heads, job.options.dropout)
    if job.entries:
        classifier.head = nn.Identity()  # type: ignore[assignment]  # vectors are learned, the last layer is made of them
    return classifier
