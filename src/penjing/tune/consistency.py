"""Consistency training: the answer for a text without a label and for a changed copy of it shall be the same.

    minimise  L(labelled batch) + w * mean over texts u of the other batch of  [p(u) >= b] D(q(u), outputs(u'))

L is the loss of the task (train/supervised), u' a changed copy of u (tune/changed), q(u) the answer for u sharpened by
the temperature t and taken as given (no gradient), D the soft form of the loss (train/losses; for labels KL), and p(u)
the probability of the answer: of sets of labels that of the least sure label, of numbers and grades 1.

Source: Xie, Dai, Hovy, Luong, Le, Unsupervised Data Augmentation for Consistency Training, 2020 (UDA: the threshold b,
the temperature t). The source changes texts by back-translation, and lets the labelled rows in slowly; here copies are
made by leaving out and exchanging words, once before training, `copies` of each text.
When: tens of labelled rows and thousands of unlabelled texts from where these come. When not: labels that hang on one
word, which a changed copy may lose; no texts without labels. A step costs 1 + 2 * `ratio` times that of `tune.full`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from pydantic import Field
from torch import nn

from penjing.core.nouns import Artifact, Inputs, Run
from penjing.core.task import Head, HeadKind, Loss
from penjing.model.encoder import Classifier
from penjing.train.batches import Ints
from penjing.train.losses import soft_loss
from penjing.train.supervised import Rows, Supervised, run_model
from penjing.tune.changed import changed_copies
from penjing.tune.fitting import TuningMethod, tune
from penjing.tune.further import rows_of_texts, unlabelled_texts
from penjing.tune.job import Job
from penjing.tune.options import TrainingOptions

METHOD = "tune.consistency"
HEADS: tuple[HeadKind, ...] = ("pooled",)
PAIRS = True
JOINT = True
CATALOGUE = False
UNLABELLED = True


class Options(TrainingOptions):
    """The options of `tune.consistency`."""

    weight: float = Field(1.0, gt=0, le=100, description="weight w of the unlabelled texts")
    threshold: float = Field(0.8, ge=0, lt=1, description="least probability of an answer that a copy shall have too")
    temperature: float = Field(0.4, gt=0, le=10, description="temperature t of the answers: below 1 they are sharpened")
    ratio: int = Field(2, ge=1, le=100, description="unlabelled texts for each labelled row of a batch")
    change: float = Field(0.2, gt=0, le=0.9, description="share of the words of a copy that are changed")
    copies: int = Field(2, ge=1, le=100, description="changed copies of each unlabelled text")
    texts: int = Field(2000, ge=0, le=1_000_000, description="most texts without labels that are used (0: all)")


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """Tune `inputs.parent` on `inputs.train` and on `inputs.unlabelled`, choosing on `inputs.validation`.

    Raises UsageError for no texts without labels, or a parent that is no encoder or takes fewer than `max_tokens`,
    DataError for tables without rows or labels, RunInterruptedError when stopped.
    """
    texts = unlabelled_texts(METHOD, inputs, options.texts, run.seed)
    copies = changed_copies(texts, options.change, options.copies, run.seed)
    classifiers: list[Classifier] = []

    def objective(job: Job, model: nn.Module, supervised: Supervised) -> Consistency:  # noqa: ARG001
        rows = rows_of_texts([*texts, *copies], job, classifiers[-1])
        return Consistency(**vars(supervised), options=options, further=rows, texts=len(texts))

    method = TuningMethod(METHOD, prepare=lambda classifier, _: classifiers.append(classifier), objective=objective)
    return tune(inputs, options, run, method)


@dataclass(frozen=True, kw_only=True)
class Consistency(Supervised):
    """An Objective over rows with gold and rows without; further: texts without a label, then the copies of each.

    A batch has labelled rows, and after them unlabelled texts as their place behind the last labelled row.
    """

    options: Options
    further: Rows
    texts: int

    def batches(self, epoch: int) -> list[Ints]:
        draw = np.random.default_rng([self.seed, epoch, 1])
        labelled = super().batches(epoch)
        wanted = sum(map(len, labelled)) * self.options.ratio
        order = np.concatenate([draw.permutation(self.texts) for _ in range(-(-wanted // self.texts))])
        ends = np.cumsum([len(batch) * self.options.ratio for batch in labelled])
        rows = len(self.train.rows.lengths)
        return [
            np.concatenate([batch, rows + order[end - len(batch) * self.options.ratio : end]])
            for batch, end in zip(labelled, ends, strict=True)
        ]

    def loss(self, model: nn.Module, rows: Ints) -> torch.Tensor:
        count = len(self.train.rows.lengths)
        texts = rows[rows >= count] - count
        with torch.no_grad():
            given, _ = run_model(model, self.further, texts)
        # Which copy of a text is read depends on the batch alone, so that a resumed training reads the same.
        copy = 1 + np.random.default_rng([self.seed, *rows.tolist()]).integers(self.options.copies, size=len(texts))
        found, _ = run_model(model, self.further, texts + copy * self.texts)
        parts = [
            _weighed(head, one, other, self.options)
            for head, one, other in zip(self.task.heads.values(), given, found, strict=True)
        ]
        return super().loss(model, rows[rows < count]) + self.options.weight * torch.stack(parts).sum()


def _weighed(head: Head, given: torch.Tensor, found: torch.Tensor, options: Options) -> torch.Tensor:
    wanted = given / options.temperature if head.loss in ("cross_entropy", "binary_cross_entropy") else given
    apart = soft_loss(head.loss, found, wanted, reduction="none")
    return head.weight * (apart * (sureness(head.loss, given) >= options.threshold)).mean()


def sureness(loss: Loss, outputs: torch.Tensor) -> torch.Tensor:
    """The probability of each answer, (batch,), from outputs (batch, size); 1 where answers have none."""
    if loss == "cross_entropy":
        return outputs.softmax(dim=1).max(dim=1).values
    if loss == "binary_cross_entropy":
        return outputs.abs().sigmoid().min(dim=1).values
    return torch.ones_like(outputs[:, 0])
