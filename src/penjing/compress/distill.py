"""Distillation: a small student learns its teacher's outputs on labelled texts and on many others.

    minimise  (1 - a) soft(student, teacher) + a hard(student, gold) + r relations + h hidden   (train/states)

soft and hard are the forms of the task's loss (train/losses): for labels T^2 KL(softmax(teacher / T) ||
softmax(student / T)) and -log softmax(student)[label]. a counts only where a text has gold (compress/parts/targets).
Source: Hinton, Vinyals, Dean, Distilling the Knowledge in a Neural Network, 2015; Jiao et al., TinyBERT, 2020
(augmented texts); Turc et al., Well-Read Students Learn Better, 2019 (unlabelled ones). The student is the step before
(such as `compress.layers`). The teacher is the tuned model from the recipe's first step.
When: after every step that removes weights. When not: with a few hundred rows and no unlabelled texts, the teacher adds
little to the labels. Weights that `compress.magnitude` made zero stay zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from pydantic import Field
from torch import nn

from penjing.compress.magnitude import keep_zeros
from penjing.compress.parts.augment import augment
from penjing.compress.parts.neighbours import REPLACED, replaced
from penjing.compress.parts.sealing import Compression, seal, torch_parent, whole
from penjing.compress.parts.targets import Targets
from penjing.compress.parts.teacher import teacher_outputs
from penjing.core.canon import digest, digest_lines
from penjing.core.errors import UsageError
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.core.options import Options as BaseOptions
from penjing.core.task import HeadKind, Item, Task
from penjing.engines.protocol import split_columns
from penjing.model.encoder import Classifier, load_classifier, padding_id, save_classifier
from penjing.tasks import task_of
from penjing.tasks.measure import metric_names
from penjing.text.tokens import encode, open_tokenizer
from penjing.train.batches import Budget, Ints, epoch_batches
from penjing.train.hooks import ProgressHook
from penjing.train.loop import Plan, fit
from penjing.train.optim import Optimizing
from penjing.train.states import hidden_loss, relation_loss, watching
from penjing.train.supervised import IdRows, Rows, TargetRows, forward, predict, score_outputs

TEACHER = "tuned"
HEADS: tuple[HeadKind, ...] = ("pooled",)


class Options(BaseOptions):
    """The options of `compress.distill`."""

    epochs: float = Field(4.0, gt=0, le=100, description="passes over all texts; may be a fraction")
    learning_rate: float = Field(2e-4, gt=0, le=0.1, description="the highest rate")
    copies: int = Field(1, ge=0, le=20, description="augmented texts for each train text, labelled by the teacher")
    replaced: int = Field(0, ge=0, le=20, description=REPLACED)
    temperature: float = Field(
        2.0, gt=0, le=20, description="temperature of the distillation loss; higher values give rare labels more weight"
    )
    gold: float = Field(0.3, ge=0, le=1, description="weight of the true label, where there is one")
    relations: float = Field(
        0.0,
        ge=0,
        le=100,
        description="weight of the last layer's attention relations; above 0 the teacher runs on every batch",
    )
    hidden: float = Field(
        0.0, ge=0, le=100, description="weight of the last layer's hidden states; above 0 the teacher runs too"
    )
    batch_rows: int = Field(16, ge=1, le=4096, description="most rows in a batch")
    batch_tokens: int = Field(2048, ge=8, le=1_000_000, description="most tokens in a batch, padding included")
    warmup: float = Field(0.1, ge=0, le=1, description="share of the steps in which the rate rises")
    patience: int = Field(3, ge=0, le=100, description="epochs without a better score before training stops")


@dataclass(frozen=True)
class _Distill:
    """An Objective: training rows with the teacher's outputs and the gold, and validation rows.

    wanted: the teacher's outputs on validation rows. inside: the teacher itself, if the student learns its states too.
    """

    task: Task
    rows: Rows
    targets: Targets
    validation: TargetRows
    wanted: Targets
    options: Options
    seed: int
    inside: Classifier | None = None

    @property
    def budget(self) -> Budget:
        return Budget(self.options.batch_rows, self.options.batch_tokens)

    def batches(self, epoch: int) -> list[Ints]:
        return epoch_batches(self.rows.lengths, self.budget, self.seed, epoch)

    def loss(self, model: nn.Module, rows: Ints) -> torch.Tensor:
        if self.inside is not None:
            return self._loss_with_states(model, self.inside, rows)
        return self._loss(forward(model, self.rows, rows), rows)

    def _loss(self, outputs: torch.Tensor, rows: Ints) -> torch.Tensor:
        return self.targets.loss(outputs, rows, self.options.temperature, self.options.gold)

    def _loss_with_states(self, model: nn.Module, inside: Classifier, rows: Ints) -> torch.Tensor:
        assert isinstance(model, Classifier)
        device = next(model.parameters()).device
        ids, mask = (each.to(device) for each in self.rows.load(rows))
        with watching(inside) as wanted, torch.no_grad():
            inside.to(device)(ids, mask)
        with watching(model) as found:
            loss = self._loss(forward(model, self.rows, rows), rows)
        if self.options.relations:
            loss = loss + self.options.relations * relation_loss(wanted, found, mask)
        if self.options.hidden:
            loss = loss + self.options.hidden * hidden_loss(wanted, found, mask)
        return loss

    def score(self, model: nn.Module) -> dict[str, float]:
        outputs = predict(model, self.validation.rows, self.budget)
        scores = score_outputs(self.task, split_columns(outputs, self.task.heads), self.validation)
        if np.isfinite(outputs).all():
            loss = self.wanted.loss(torch.from_numpy(outputs), np.arange(len(outputs)), 1.0, 0.0)
            scores["loss"] = round(loss.item(), 6)
        return scores


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """The parent, healed by its teacher. Raises UsageError for no teacher, or a parent that is no torch classifier."""
    parent = torch_parent(inputs, "compress.distill")
    teacher = inputs.teachers.get(TEACHER)
    if teacher is None or task_of(teacher.card) != task_of(parent.card):
        raise UsageError("`compress.distill` has no teacher with the same labels", fix="put `tune.full` before it")
    task = task_of(parent.card).with_rows({})
    train = list(inputs.train.texts)
    others = replaced(teacher, train, options.replaced, run.seed)
    parts = train, inputs.unlabelled, augment(train, options.copies, run.seed), others
    texts = [text for part in parts for text in part]
    classifier, tokenizer = load_classifier(parent), open_tokenizer(parent.folder)
    limit, padding = parent.card.max_tokens or 512, padding_id(classifier.encoder)
    validation = list(inputs.validation.texts)
    soft_targets = teacher_outputs(teacher, parts, run, "compress.distill: the teacher on all texts")
    before = teacher_outputs(teacher, [validation], run, "compress.distill: the teacher on validation")
    objective = _Distill(
        task=task,
        rows=IdRows(encode(tokenizer, texts, limit).ids, padding),
        targets=Targets.of(task, soft_targets, texts, inputs.train.labels or ()),
        validation=TargetRows.of(
            task,
            IdRows(encode(tokenizer, validation, limit).ids, padding),
            inputs.validation.labels or (),
            [Item(text) for text in validation],
        ),
        wanted=Targets.of(task, before, validation, ()),
        options=options,
        seed=run.seed,
        inside=_inside(teacher, parent, options),
    )
    plan = Plan(
        epochs=options.epochs,
        optimizing=Optimizing(options.learning_rate, 1.0, 0.01, options.warmup),
        metric=metric_names(task)[0],
        patience=options.patience,
    )
    about = [parent.id, teacher.id, digest_lines(texts), digest_lines(validation), options.model_dump(mode="json")]
    key = digest([*about, run.seed, run.threads, run.device, torch.__version__])
    if parent.card.sparsity is not None:
        keep_zeros(classifier, embeddings=parent.card.sparse_embeddings)
    fit(classifier, objective, plan, run, run.scratch / "training", key, [ProgressHook(run.progress)])
    folder = whole(run.scratch / "student", lambda target: save_classifier(target, classifier, tokenizer))
    return seal(
        Compression(inputs, options, run, parent, "compress.distill"),
        form="torch",
        folder=folder,
        notes={"texts": len(texts), "teacher": teacher.id},
        compare=before,
    )


def _inside(teacher: Artifact, parent: Artifact, options: Options) -> Classifier | None:
    """The teacher in torch, if its states are learned. Raises UsageError if they cannot be compared."""
    if not options.relations and not options.hidden:
        return None
    check_vocabularies(same=open_tokenizer(teacher.folder).get_vocab() == open_tokenizer(parent.folder).get_vocab())
    return load_classifier(teacher)


def check_vocabularies(*, same: bool) -> None:
    """Raise UsageError unless teacher and student have the same tokens, which a comparison of states needs."""
    if not same:
        raise UsageError(
            "the student cuts texts into other tokens than its teacher, so their states cannot be compared",
            fix="set `relations` and `hidden` to 0, or put `compress.vocabulary` after `compress.distill`",
        )
