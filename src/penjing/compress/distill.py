"""Distillation: a student learns its teacher's outputs on labelled texts and on many others.

    minimise  (1 - a) soft(student, teacher) + a hard(student, gold) + r relations + h hidden + p pooled

soft and hard are forms of the task's loss (train/losses): for labels T^2 KL(softmax(teacher / T) ||
softmax(student / T)) and -log softmax(student)[label]; with `loss: centred` soft is the squared difference of the
outputs less their mean. a counts only where a text has gold (compress/parts/targets). relations, hidden: train/states;
pooled: compress/parts/pooled_map. The texts: compress/parts/transfer. Where answers are about pieces of a text the same
is done for every token (compress/parts/by_token): no folds, no pooled states, and of questions no copies.
Source: Hinton, Vinyals, Dean, Distilling the Knowledge in a Neural Network, 2015; Jiao et al., TinyBERT, 2020
(augmented texts); Turc et al., Well-Read Students Learn Better, 2019 (unlabelled ones). The student is the step before
(such as `compress.layers`, or `compress.student` for a smaller base). The teacher is the tuned model from the recipe's
first step.
When: after every step that removes weights, and to teach a smaller base. When not: with a few hundred rows and no
unlabelled texts, the teacher adds little to the labels. Weights that `compress.magnitude` made zero stay zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from pydantic import Field
from tokenizers import Tokenizer
from torch import nn

from penjing.compress.magnitude import keep_zeros
from penjing.compress.parts.by_token import (
    Shares,
    TokenDistill,
    TokenTargets,
    check_same_tokens,
    check_several_texts,
    validation_rows,
)
from penjing.compress.parts.pooled import pooled_states
from penjing.compress.parts.pooled_map import PooledTargets, WithMap
from penjing.compress.parts.ridge import fit_ridge
from penjing.compress.parts.sealing import Compression, complete_folder, score, seal, torch_parent
from penjing.compress.parts.targets import Comparison, Targets
from penjing.compress.parts.teacher import teacher_outputs
from penjing.compress.parts.transfer import TransferOptions, transfer_set, unanswered_texts
from penjing.core.canon import digest, digest_lines
from penjing.core.errors import UsageError
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.core.task import HeadKind, Item, Task
from penjing.data.features import rows_fingerprint
from penjing.engines.protocol import split_columns
from penjing.model.base import config_of
from penjing.model.encoder import Classifier, load_classifier, padding_id, save_classifier
from penjing.model.prompt import PROMPT, check_no_prompt
from penjing.tasks import task_of
from penjing.tasks.measure import metric_names
from penjing.text.tokens import encode, open_tokenizer
from penjing.train.batches import Budget, Ints, epoch_batches
from penjing.train.hooks import ProgressHook
from penjing.train.loop import Objective, Plan, fit
from penjing.train.optim import Optimizing
from penjing.train.states import NO_STATES, STATES_FIX, hidden_loss, relation_loss, watching
from penjing.train.supervised import IdRows, Rows, TargetRows, forward, predict, score_outputs

TEACHER = "tuned"
HEADS: tuple[HeadKind, ...] = ("pooled", "token", "span")
PAIRS = True
_NAME = "compress.distill"
# Texts on which the map to the teacher's pooled states begins.
_MAP_TEXTS = 10_000


class Options(TransferOptions):
    """The options of `compress.distill`."""

    epochs: float = Field(4.0, gt=0, le=100, description="passes over all texts; may be a fraction")
    learning_rate: float = Field(2e-4, gt=0, le=0.1, description="the highest rate")
    loss: Comparison = Field(
        "kl",
        description="how outputs are compared with the teacher's: kl: probabilities at a temperature; centred: squared "
        "differences of the outputs less their mean",
    )
    temperature: float = Field(
        2.0, gt=0, le=20, description="temperature of the distillation loss; higher values give rare labels more weight"
    )
    gold: float = Field(0.3, ge=0, le=1, description="weight of the true label, where there is one")
    pooled: float = Field(
        0.0,
        ge=0,
        le=100,
        description="weight of the pooled states of whole texts, compared through a map that is thrown away: the "
        "teacher may have another width and other tokens",
    )
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
    pooled: the teacher's pooled states of the training rows, if the student learns those.
    """

    task: Task
    rows: Rows
    targets: Targets
    validation: TargetRows
    wanted: Targets
    options: Options
    seed: int
    inside: Classifier | None = None
    pooled: PooledTargets | None = None

    @property
    def budget(self) -> Budget:
        return Budget(self.options.batch_rows, self.options.batch_tokens)

    def batches(self, epoch: int) -> list[Ints]:
        return epoch_batches(self.rows.lengths, self.budget, self.seed, epoch)

    def loss(self, model: nn.Module, rows: Ints) -> torch.Tensor:
        if self.inside is None:
            return self._loss(model, rows)
        device = next(model.parameters()).device
        ids, mask = (each.to(device) for each in self.rows.load(rows))
        with watching(self.inside) as wanted, torch.no_grad():
            self.inside.to(device)(ids, mask)
        with watching(inner_classifier(model)) as found:
            loss = self._loss(model, rows)
        if self.options.relations:
            loss = loss + self.options.relations * relation_loss(wanted, found, mask)
        if self.options.hidden:
            loss = loss + self.options.hidden * hidden_loss(wanted, found, mask)
        return loss

    def _loss(self, model: nn.Module, rows: Ints) -> torch.Tensor:
        options = self.options
        if self.pooled is None:
            return self._against(forward(model, self.rows, rows), rows)
        assert isinstance(model, WithMap)
        device = next(model.parameters()).device
        outputs, mapped = model.both(*(each.to(device) for each in self.rows.load(rows)))
        side = outputs if isinstance(outputs, torch.Tensor) else torch.cat(list(outputs.values()), dim=1)
        return self._against(side, rows) + options.pooled * self.pooled.loss(mapped, rows)

    def _against(self, outputs: torch.Tensor, rows: Ints) -> torch.Tensor:
        return self.targets.loss(outputs, rows, self.options.temperature, self.options.gold, self.options.loss)

    def score(self, model: nn.Module) -> dict[str, float]:
        outputs = predict(model, self.validation.rows, self.budget)
        scores = score_outputs(self.task, split_columns(outputs, self.task.heads), self.validation)
        if np.isfinite(outputs).all():
            loss = self.wanted.loss(torch.from_numpy(outputs), np.arange(len(outputs)), 1.0, 0.0, self.options.loss)
            scores["loss"] = round(loss.item(), 6)
        return scores


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """The parent, taught by its teacher. Raises UsageError for no teacher, or a parent that is no torch classifier."""
    parent = torch_parent(inputs, _NAME)
    teacher = inputs.teachers.get(TEACHER)
    if teacher is None or task_of(teacher.card) != task_of(parent.card):
        raise UsageError("`compress.distill` has no teacher with the same labels", fix="put `tune.full` before it")
    task = task_of(parent.card).with_rows({})
    check_by_token(task, options)
    if any(head.kind != "pooled" for head in task.heads.values()):
        return _apply_by_token(inputs, parent, teacher, options, run)
    inside = _inside(teacher, parent, options)
    transfer = transfer_set(parent, teacher, inputs, options, run, _NAME)
    classifier, tokenizer = load_classifier(parent), open_tokenizer(parent.folder)
    limit, padding = parent.card.max_tokens or 512, padding_id(classifier.encoder)
    validation = list(inputs.validation.texts)
    before = teacher_outputs(teacher, [validation], run, "compress.distill: the teacher on validation")
    model, pooled = _with_map(classifier, parent, teacher, transfer.texts, options, run)
    objective = _Distill(
        task=task,
        rows=IdRows(encode(tokenizer, transfer.texts, limit).ids, padding),
        targets=Targets.of(task, transfer.outputs, transfer.texts, inputs.train.labels or ()),
        validation=TargetRows.of(
            task,
            IdRows(encode(tokenizer, validation, limit).ids, padding),
            inputs.validation.labels or (),
            [Item(text) for text in validation],
        ),
        wanted=Targets.of(task, before, validation, ()),
        options=options,
        seed=run.seed,
        inside=inside,
        pooled=pooled,
    )
    about = [parent.id, digest_lines(transfer.texts), digest_lines(validation), options.model_dump(mode="json")]
    about += [teacher.id, *(one.id for _, one in sorted(inputs.teachers.items()))]
    step = Compression(inputs, options, run, parent, _NAME)
    folder = _taught(step, model, objective, about, tokenizer)
    return seal(step, form="torch", folder=folder, notes=_notes(inputs, teacher, transfer.sizes), compare=before)


def _apply_by_token(inputs: Inputs, parent: Artifact, teacher: Artifact, options: Options, run: Run) -> Artifact:
    """The parent, taught token by token. Raises UsageError for other tokens than the teacher's."""
    task = task_of(parent.card).with_rows({})
    check_same_tokens(same=open_tokenizer(teacher.folder).get_vocab() == open_tokenizer(parent.folder).get_vocab())
    inside = _inside(teacher, parent, options) or load_classifier(teacher)
    groups = unanswered_texts(parent, teacher, inputs, options, run, _NAME) if not _spans(task) else {}
    further = [text for texts in groups.values() for text in texts]
    classifier, tokenizer = load_classifier(parent), open_tokenizer(parent.folder)
    limit, padding = parent.card.max_tokens or 512, padding_id(classifier.encoder)
    objective = TokenDistill(
        task=task,
        train=TokenTargets.of(task, tokenizer, inputs.train, further, limit, padding),
        validation=validation_rows(task, tokenizer, inputs.validation, limit, padding),
        teacher=inside,
        shares=Shares(options.temperature, options.gold, options.loss, options.relations, options.hidden),
        budget=Budget(options.batch_rows, options.batch_tokens),
        seed=run.seed,
    )
    about = [parent.id, teacher.id, rows_fingerprint(inputs), digest_lines(further), options.model_dump(mode="json")]
    step = Compression(inputs, options, run, parent, _NAME)
    folder = _taught(step, classifier, objective, about, tokenizer)
    sizes = {"train": len(inputs.train)} | {name: len(texts) for name, texts in groups.items()}
    before = score(teacher.folder, teacher.card, inputs.validation, run, f"{_NAME}: the teacher on validation")
    return seal(step, form="torch", folder=folder, notes=_notes(inputs, teacher, sizes), compare=before)


def _taught(
    step: Compression, model: nn.Module, objective: Objective, about: Sequence[object], tokenizer: Tokenizer
) -> Path:
    """Train the model, and write its classifier and the tokenizer into a scratch folder.

    model: the classifier, or what holds it and a map. about: what the training depends on beside the run, as JSON
    values.
    """
    run, card, classifier = step.run, step.parent.card, inner_classifier(model)
    assert isinstance(step.options, Options)
    key = digest([*about, run.seed, run.threads, run.device, torch.__version__])
    if card.sparsity is not None:
        keep_zeros(classifier, embeddings=card.sparse_embeddings)
    plan = _plan(task_of(card).with_rows({}), step.options)
    fit(model, objective, plan, run, run.scratch / "training", key, [ProgressHook(run.progress)])
    return complete_folder(run.scratch / "student", lambda target: save_classifier(target, classifier, tokenizer))


def _notes(inputs: Inputs, teacher: Artifact, sizes: Mapping[str, int]) -> dict[str, object]:
    """What the card says of the texts, by origin, and of the teacher."""
    corpora = {"corpora": [corpus.id for corpus in inputs.corpora]} if inputs.corpora else {}
    return {"texts": sum(sizes.values()), "origins": dict(sizes), "teacher": teacher.id, **corpora}


def _spans(task: Task) -> bool:
    return any(head.kind == "span" for head in task.heads.values())


def check_by_token(task: Task, options: Options) -> None:
    """Raise UsageError for an option that says nothing where answers are about pieces of a text.

    Raises it too for two texts that are compared as a whole.
    """
    check_several_texts(_NAME, task)
    if all(head.kind == "pooled" for head in task.heads.values()):
        return
    wrong = [name for name in ("pooled", "out_of_fold") if getattr(options, name)]
    if _spans(task):
        wrong += [name for name in ("replaced", "neighbours") if getattr(options, name)]
        wrong += ["loss"] if options.loss == "centred" else []
    if wrong:
        raise UsageError(
            f"`{wrong[0]}` of `{_NAME}` is for answers about whole texts, and the task {task.name} has pieces of them",
            where=wrong[0],
            fix=f"take `{wrong[0]}` out",
        )


def _plan(task: Task, options: Options) -> Plan:
    return Plan(
        epochs=options.epochs,
        optimizing=Optimizing(options.learning_rate, 1.0, 0.01, options.warmup),
        metric=metric_names(task)[0],
        patience=options.patience,
    )


def _with_map(
    classifier: Classifier, parent: Artifact, teacher: Artifact, texts: Sequence[str], options: Options, run: Run
) -> tuple[nn.Module, PooledTargets | None]:
    """What is trained, and the teacher's pooled states of the texts; the classifier alone where they do not count."""
    if not options.pooled:
        return classifier, None
    limits = [one.card.max_tokens or 512 for one in (teacher, parent)]
    wanted = PooledTargets.of(pooled_states(teacher, texts, limits[0], run, "compress.distill: states of the teacher"))
    places = np.sort(np.random.default_rng(run.seed).permutation(len(texts))[:_MAP_TEXTS])
    some = [texts[place] for place in places.tolist()]
    mine = pooled_states(parent, some, limits[1], run, "compress.distill: states of the student")
    return WithMap(classifier, fit_ridge(mine, wanted.states[places], run)), wanted


def inner_classifier(model: nn.Module) -> Classifier:
    """The classifier that is trained, without the map beside it."""
    found = model.classifier if isinstance(model, WithMap) else model
    assert isinstance(found, Classifier)
    return found


def _inside(teacher: Artifact, parent: Artifact, options: Options) -> Classifier | None:
    """The teacher in torch, if its states are learned. Raises UsageError if they cannot be compared."""
    if not options.relations and not options.hidden:
        return None
    for one in (teacher, parent):
        check_states(int(config_of(one).get(PROMPT, 0)), options)
    check_vocabularies(same=open_tokenizer(teacher.folder).get_vocab() == open_tokenizer(parent.folder).get_vocab())
    widths = {config_of(one).get("hidden_size") for one in (teacher, parent)}
    check_widths(same=len(widths) == 1 or not options.hidden)
    return load_classifier(teacher)


def check_states(prompt: int, options: Options) -> None:
    """Raise UsageError where states of tokens are compared and an encoder has a prompt of that many tokens."""
    if options.relations or options.hidden:
        check_no_prompt(prompt, NO_STATES, STATES_FIX)


def check_vocabularies(*, same: bool) -> None:
    """Raise UsageError unless teacher and student have the same tokens, which a comparison of states needs."""
    if not same:
        raise UsageError(
            "the student cuts texts into other tokens than its teacher, so their states cannot be compared",
            fix="set `relations` and `hidden` to 0, or put `compress.vocabulary` after `compress.distill`",
        )


def check_widths(*, same: bool) -> None:
    """Raise UsageError unless teacher and student have states of one width, which `hidden` compares."""
    if not same:
        raise UsageError(
            "the student's states have another width than its teacher's, so they cannot be compared token by token",
            where="hidden",
            fix="set `hidden: 0`, and `pooled` to the weight of the states of whole texts",
        )
