"""Cloze: labels are words that the base would put into a gap; a classifier then learns what it says of many texts.

    text -> template, such as `{text}。这是[MASK]评。`;   s_l = mean over the words v of label l of the score of v
    cloze model:  minimise -log softmax(s)[label] over the train rows;  with `cloze_epochs: 0` it stays as it is, and
                  s_l is taken less its mean over the texts, because some words are likelier than others in any text
    classifier:   minimise (1 - a) T^2 KL(softmax(s / T) || softmax(outputs / T)) - a log softmax(outputs)[label]

The second sum is over train rows, whose label counts by a, and texts without labels (a = 0 there). The classifier is
an encoder with a pooled head as any other, and begins at the encoder of the cloze model. It is served, not the gap: the
head of a gap reads one token of a longer text, which no engine here does, and a template would change what is masked,
cut and explained. The source does the same, to make one classifier of several templates.
Source: Schick and Schütze, Exploiting Cloze Questions for Few Shot Text Classification and Natural Language Inference,
2021 (PET); Gao, Fisch, Chen, Making Pre-trained Language Models Better Few-shot Learners, 2021 (words and templates);
Zhao and others, Calibrate Before Use, 2021 (scores less those that a word has anyway).
When: labels that words name (sentiment, topics), up to 16 rows a label, unlabelled texts, and a base with the head that
predicts hidden tokens. When not: a base that was distilled without that head (those of Penjing): give one of
`penjing grow` with `pretrain.mlm`, or one with the weights of BertForMaskedLM; labels without words of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
import torch
from pydantic import Field, ValidationInfo, field_validator
from torch import nn

from penjing.core.canon import digest
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.core.options import WrongValueError
from penjing.core.task import IGNORED, HeadKind, Loss
from penjing.model.encoder import Classifier, fit_vocabulary, load_encoder, longest_input, padding_id
from penjing.model.layers import layers_of
from penjing.text.tokens import open_tokenizer
from penjing.train.batches import Ints, epoch_batches
from penjing.train.hooks import ProgressHook
from penjing.train.loop import Plan, fit
from penjing.train.losses import hard_loss, soft_loss
from penjing.train.numerics import repeatable
from penjing.train.optim import Optimizing
from penjing.train.supervised import IdRows, Rows, Supervised, TargetRows, predict, run_model
from penjing.tune.fitting import CHECKPOINT_SECONDS, TuningMethod, tune
from penjing.tune.further import rows_of_texts, unlabelled_texts
from penjing.tune.gap import GAP, TEXT, GapModel, Template, token_head_of, words_of_labels
from penjing.tune.job import Job, check_layers, check_tokens, prepare_job
from penjing.tune.options import Rate, TrainingOptions, rates_field, refuse_change
from penjing.tune.pooled import Floats

METHOD = "tune.cloze"
HEADS: tuple[HeadKind, ...] = ("pooled",)
LOSSES: tuple[Loss, ...] = ("cross_entropy",)
CATALOGUE = False
_TEMPLATES = {"zh": "{text}。这是[MASK]。", "en": "{text} It is [MASK].", "mixed": "{text} [MASK]"}
Word = Annotated[str, Field(min_length=1, max_length=40)]


class Options(TrainingOptions):
    """The options of `tune.cloze`."""

    template: str = Field(
        "",
        max_length=500,
        description="`{text}` and one gap `[MASK]` in words; empty: by the language",
    )
    words: dict[str, tuple[Word, ...]] = Field(
        {}, description="of each label the words that may fill the gap, each one token; else the label itself"
    )
    cloze_epochs: float = Field(
        10.0, ge=0, le=100, description="passes over the train rows that fill the gap; 0: the base as it is"
    )
    cloze_rate: Rate = Field(1e-4, description="the rate at which filling the gap is learned")
    epochs: float = Field(4.0, gt=0, le=100, description="passes of the classifier over train rows and other texts")
    learning_rate: tuple[Rate, ...] = rates_field(1e-4)
    temperature: float = Field(2.0, gt=0, le=20, description="temperature T at which the classifier learns scores")
    gold: float = Field(0.3, ge=0, le=1, description="weight a of the label, where there is one")
    texts: int = Field(2000, ge=0, le=1_000_000, description="most texts without labels that are used (0: all)")

    @field_validator("template")
    @classmethod
    def _one_gap(cls, given: str) -> str:
        if given and (given.count(TEXT) != 1 or given.count(GAP) != 1):
            raise WrongValueError("needs `{text}` once and `[MASK]` once", "write one such as `{text} It is [MASK].`")
        return given

    # The classifier learns scores and not by the loss of the task: options of such losses are refused.
    fixed_loss: ClassVar[bool] = True

    @field_validator("label_smoothing")
    @classmethod
    def _of_labels(cls, given: Any, about: ValidationInfo) -> Any:
        return refuse_change(cls, given, about, "the classifier learns scores")

    @field_validator("words")
    @classmethod
    def _some_words(cls, given: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for label, some in given.items():
            if not some:
                raise WrongValueError(f"has no word for `{label}`", "give one, or take the label out")
        return given


@dataclass(frozen=True)
class Filled:
    """What filling the gap gave: the weights of the encoder, and the scores of each text (n, labels)."""

    weights: Mapping[str, torch.Tensor]
    texts: Sequence[str]
    scores: Floats


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """Fill gaps by the head of `inputs.parent`, and teach a classifier its scores, choosing on `inputs.validation`.

    Raises UsageError for a base without that head, a template without room, words that are no tokens, or a parent that
    takes fewer than `max_tokens`; DataError for tables without rows or labels; RunInterruptedError when stopped.
    """
    run.scratch.mkdir(parents=True, exist_ok=True)
    if not inputs.unlabelled:
        run.progress.say("no texts without labels: the classifier learns from the train rows alone")
    filled = _fill(prepare_job(METHOD, inputs, options, run))
    classifiers: list[Classifier] = []

    def prepare(classifier: Classifier, job: Job) -> None:  # noqa: ARG001
        classifier.encoder.load_state_dict(filled.weights)
        classifiers.append(classifier)

    def objective(job: Job, model: nn.Module, supervised: Supervised) -> Taught:  # noqa: ARG001
        rows = rows_of_texts(filled.texts, job, classifiers[-1])
        return Taught(**vars(supervised), options=options, rows=rows, scores=filled.scores)

    return tune(inputs, options, run, TuningMethod(METHOD, prepare=prepare, objective=objective))


def check_gap(options: Options, base: Artifact, encoder: nn.Module) -> None:
    """Raise UsageError for a base without the head, a template without room, or words that are no tokens of it."""
    token_head_of(base, encoder)
    pattern = options.template or _TEMPLATES["mixed"]
    template = Template.of(pattern, open_tokenizer(base.folder), options.max_tokens)
    for word in [one for some in options.words.values() for one in some]:
        template.word_id(word)


def _fill(job: Job) -> Filled:
    """Train the cloze model, or read its training from an earlier call, and let it score all texts."""
    options, run, inputs = job.options, job.run, job.inputs
    assert isinstance(options, Options)
    encoder = load_encoder(job.parent)
    check_tokens(options.max_tokens, longest_input(encoder))
    fit_vocabulary(encoder, job.tokenizer)
    template = Template.of(options.template or _TEMPLATES[inputs.language], job.tokenizer, options.max_tokens)
    words = words_of_labels(job.task.scopes, options.words, template)
    model = GapModel(encoder, token_head_of(job.parent, encoder), template.mask, words)
    _freeze(model, job)
    padding = padding_id(encoder)
    if options.cloze_epochs:
        train, validation = (
            TargetRows.of(job.task, IdRows(template.ids(table.texts), padding), golds, items)
            for table, golds, items in zip((inputs.train, inputs.validation), job.golds, job.items, strict=True)
        )
        plan = Plan(
            epochs=options.cloze_epochs,
            optimizing=Optimizing(options.cloze_rate, 1.0, options.weight_decay, options.warmup),
            metric=job.metric,
            patience=options.patience,
            checkpoint_seconds=CHECKPOINT_SECONDS,
        )
        about = [METHOD, job.parent.id, job.data, options.model_dump(mode="json"), run.seed, run.threads, run.device]
        run.progress.say("learning to fill the gap")
        objective = Supervised(job.task, train, validation, job.budget, run.seed)
        key = digest([*about, torch.__version__])
        fit(model, objective, plan, run, run.scratch / "gap", key, [ProgressHook(run.progress)])
    return _scored(model, template, job, padding)


def _freeze(model: GapModel, job: Job) -> None:
    """Leave the layers as they are that the classifier does not train: its hidden states are those of the base."""
    if job.layers == "all":
        return
    layers = layers_of(model.encoder)
    check_layers(job.layers, len(layers))
    model.encoder.requires_grad_(False)
    for layer in layers[len(layers) - job.layers :]:
        layer.requires_grad_(True)


def _scored(model: GapModel, template: Template, job: Job, padding: int) -> Filled:
    """Scores of the train texts, then of those without labels."""
    options, run, inputs = job.options, job.run, job.inputs
    assert isinstance(options, Options)
    others = unlabelled_texts(METHOD, inputs, options.texts, run.seed) if inputs.unlabelled else []
    texts = [*inputs.train.texts, *others]
    run.progress.start("filling the gap in every text", None)
    model.to(run.device).eval()
    with repeatable(run.seed, run.threads, run.device):
        scores = predict(model, IdRows(template.ids(texts), padding), job.budget)
    if not options.cloze_epochs:
        scores = scores - scores.mean(axis=0)
    weights = {name: value.detach().cpu().clone() for name, value in model.encoder.state_dict().items()}
    return Filled(weights, texts, scores)


@dataclass(frozen=True, kw_only=True)
class Taught(Supervised):
    """An Objective over texts with scores (n, labels); the first of them are the train rows, which have gold."""

    options: Options
    rows: Rows
    scores: Floats

    def batches(self, epoch: int) -> list[Ints]:
        return epoch_batches(self.rows.lengths, self.budget, self.seed, epoch)

    def loss(self, model: nn.Module, rows: Ints) -> torch.Tensor:
        ((name, head),) = self.task.heads.items()
        (outputs,), _ = run_model(model, self.rows, rows)
        scores = torch.from_numpy(self.scores[rows]).to(outputs)
        targets = np.asarray(self.train.targets[name])
        known = rows < len(targets)
        own = torch.from_numpy(np.where(known, targets[np.where(known, rows, 0)], IGNORED)).to(outputs.device)
        share = torch.from_numpy(known * np.float32(self.options.gold)).to(outputs)
        soft = soft_loss(head.loss, outputs, scores, self.options.temperature, "none")
        return ((1 - share) * soft + share * hard_loss(head.loss, outputs, own, reduction="none")).mean()
