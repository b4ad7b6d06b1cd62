"""From text to logits without a transformer: a student of hashed n-grams that learns the outputs of its teacher.

    logits = W (sum_g E[g]) / sqrt(n) + b,   g: the n n-grams of the text, hashed into 2^bits rows of E
    minimise over E, W, b:  the loss of compress.distill;   each n-gram is left out with probability d

Source: Joulin, Grave, Bojanowski, Mikolov, Bag of Tricks for Efficient Text Classification, 2017 (the model); Hinton,
Vinyals, Dean, Distilling the Knowledge in a Neural Network, 2015 (the loss); Iyyer et al., Deep Unordered Composition
Rivals Syntactic Methods, 2015 (leaving out words). It learns from train, unlabelled and augmented texts; the last two
have only the teacher's labels. The train texts are divided into three parts, and each is augmented from its own texts
alone, so that `out_of_fold` can leave out a part completely.
When: labels depend on words and phrases, there are many unlabelled texts, and a text must take tens of microseconds.
When not: labels depend on word order, on negation over a distance, or on words not seen in training; or on text pairs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import nn

from penjing.compress.parts.near_tokens import REPLACED, replaced
from penjing.compress.parts.sealing import Compression, complete_folder, encoder_parent, seal
from penjing.compress.parts.targets import Targets
from penjing.compress.parts.teacher import teacher_outputs
from penjing.core.canon import unit_hash
from penjing.core.errors import UsageError
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.core.options import Options as BaseOptions
from penjing.core.stop import check_stop
from penjing.core.task import Head, HeadKind
from penjing.data.augment.clauses import augment
from penjing.engines.static import StaticEngine, unseen_share
from penjing.tasks import side_by_side, task_of
from penjing.tasks.measure import measure_outputs, metric_names
from penjing.text.ngrams import Grams
from penjing.train.numerics import repeatable

Floats = npt.NDArray[np.float32]
PARTS = 3
# A type that halves the memory of the buckets of all texts.
Rows = Sequence[npt.NDArray[np.int32]]
HEADS: tuple[HeadKind, ...] = ("pooled",)


class Options(BaseOptions):
    """The options of `compress.static`."""

    characters: int = Field(4, ge=1, le=6, description="longest n-gram of characters")
    words: int = Field(2, ge=0, le=3, description="longest n-gram of words; 0 for none")
    bits: int = Field(17, ge=10, le=20, description="the table has 2^bits rows")
    rank: int = Field(64, ge=1, le=256, description="width of the table; never more than there are labels")
    copies: int = Field(2, ge=0, le=20, description="augmented texts for each train text, labelled by the teacher")
    replaced: int = Field(0, ge=0, le=20, description=REPLACED)
    temperature: float = Field(
        2.0, gt=0, le=20, description="temperature of the distillation loss; higher values give rare labels more weight"
    )
    gold: float = Field(0.3, ge=0, le=1, description="weight of the true label, where there is one")
    epochs: int = Field(12, ge=1, le=200, description="passes over all texts")
    learning_rate: float = Field(0.02, gt=0, le=1, description="Adam's highest rate; it decreases linearly to zero")
    dropout: float = Field(0.2, ge=0, lt=1, description="share of the n-grams left out in training")
    batch_rows: int = Field(64, ge=1, le=4096, description="texts in a batch")


@dataclass(frozen=True)
class _Texts:
    """Texts for training: n-grams, targets from teacher and gold, and the part of the train texts of each text or of
    its source (-1: unlabelled)."""

    grams: Rows
    targets: Targets
    part: npt.NDArray[np.int64]

    def take(self, places: npt.NDArray[np.int64]) -> _Texts:
        grams = [self.grams[place] for place in places.tolist()]
        return _Texts(grams, self.targets.take(places), self.part[places])


class _Student(nn.Module):
    def __init__(self, rows: int, rank: int, labels: int) -> None:
        super().__init__()
        self.table = nn.EmbeddingBag(rows, rank, mode="sum", sparse=True)
        nn.init.zeros_(self.table.weight)
        self.head = nn.Linear(rank, labels)
        with torch.no_grad():
            nn.init.zeros_(self.head.bias)
            if rank == labels:
                self.head.weight.copy_(torch.eye(labels))

    def forward(self, flat: torch.Tensor, starts: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.head(self.table(flat, starts) * scale[:, None])
        return logits


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """A static student of the parent, which may be of any form that predicts. Raises UsageError for none."""
    parent = encoder_parent(inputs, "compress.static")
    if not len(inputs.train):
        raise UsageError("`compress.static` needs training texts to learn from", fix="give at least some rows")
    folder = complete_folder(run.scratch / "student", lambda target: _learn(parent, inputs, options, run).write(target))
    width = sum(head.size for head in task_of(parent.card).heads.values())
    return seal(
        Compression(inputs, options, run, parent, "compress.static"),
        form="static",
        folder=folder,
        notes={"precision": "float16", "parameters": (1 << options.bits) * min(options.rank, width)},
        compare=teacher_outputs(parent, [inputs.validation.texts], run, "compress.static: the teacher on validation"),
    )


def out_of_fold(inputs: Inputs, options: Options, run: Run) -> tuple[Floats, Floats]:
    """Logits (n, labels) of the train texts, each by a student trained without the text and without pieces of it, and
    the share (n,) of each text's n-grams that its student has not seen.

    Texts of one group are in one part. If all texts are in one part, no training texts are left: the logits are zeros,
    and no n-gram was seen.
    """
    parent = encoder_parent(inputs, "compress.static")
    rows = _texts(parent, inputs, options, run)
    found = np.zeros((len(inputs.train), rows.targets.teacher.shape[1]), dtype=np.float32)
    unseen = np.ones(len(found), dtype=np.float32)
    for part in range(PARTS):
        rest = np.flatnonzero(rows.part != part)
        left_out = np.flatnonzero(rows.part[: len(found)] == part)
        if len(rest) and len(left_out):
            student = _fit(rows.take(rest), inputs, parent, options, run)
            grams = [rows.grams[place].astype(np.int64) for place in left_out.tolist()]
            found[left_out] = side_by_side(task_of(parent.card), student.run(grams))
            seen = student.seen()
            unseen[left_out] = [unseen_share(seen, row) for row in grams]
    return found, unseen


def part_of(unit: str) -> int:
    """The part of a text or a group, by a hash that differs from those with which rows were chosen."""
    return int(unit_hash("compress.static: part", unit) * PARTS)


def _learn(parent: Artifact, inputs: Inputs, options: Options, run: Run) -> StaticEngine:
    return _fit(_texts(parent, inputs, options, run), inputs, parent, options, run)


def _texts(parent: Artifact, inputs: Inputs, options: Options, run: Run) -> _Texts:
    """The train texts, those without a label, and the copies of each part, in this order."""
    train = list(inputs.train.texts)
    part_numbers = np.array([part_of(unit) for unit in inputs.train.units], dtype=np.int64)
    copies = []
    for part in range(PARTS):
        own = [train[place] for place in np.flatnonzero(part_numbers == part)]
        others = replaced(parent, own, options.replaced, run.seed)
        copies.append([*augment(own, options.copies, run.seed), *others])
    parts = train, inputs.unlabelled, *copies
    texts = [text for part in parts for text in part]
    grams = _grams(options)
    numbers = np.repeat([-1, *range(PARTS)], [len(inputs.unlabelled), *map(len, copies)])
    logits = teacher_outputs(parent, parts, run, "compress.static: the teacher on all texts")
    rows = [grams.of(text).astype(np.int32) for text in texts]
    targets = Targets.of(task_of(parent.card), logits, texts, inputs.train.labels or ())
    return _Texts(rows, targets, np.concatenate([part_numbers, numbers]))


def _grams(options: Options) -> Grams:
    return Grams(options.characters, options.words, options.bits)


def _fit(rows: _Texts, inputs: Inputs, parent: Artifact, options: Options, run: Run) -> StaticEngine:
    """The student of the epoch with the best score on validation rows (without validation rows: of the last epoch)."""
    grams = _grams(options)
    watched = [grams.of(text) for text in inputs.validation.texts]
    task, golds = task_of(parent.card).with_rows({}), inputs.validation.labels or ()
    metric, width = metric_names(task)[0], rows.targets.teacher.shape[1]
    source = np.random.default_rng(run.seed)
    best: tuple[float, StaticEngine] | None = None
    with repeatable(run.seed, run.threads):
        student = _Student(1 << grams.bits, min(options.rank, width), width)
        optimizers = (
            torch.optim.SparseAdam([student.table.weight], lr=options.learning_rate),
            torch.optim.Adam(student.head.parameters(), lr=options.learning_rate / 10),
        )
        batches = -(-len(rows.grams) // options.batch_rows)
        total, step = batches * options.epochs, 0
        run.progress.start(f"compress.static: {options.epochs} passes over {len(rows.grams):,} texts", total)
        for epoch in range(options.epochs):
            for places in np.array_split(source.permutation(len(rows.grams)), batches):
                check_stop(run.stop)
                for optimizer in optimizers:
                    optimizer.zero_grad()
                    for group in optimizer.param_groups:
                        group["lr"] = group.setdefault("first", group["lr"]) * (1 - step / total)
                outputs = student(*_batch([rows.grams[i] for i in places], options.dropout, source))
                loss = rows.targets.loss(outputs, places, options.temperature, options.gold)
                loss.backward()  # type: ignore[no-untyped-call]
                for optimizer in optimizers:
                    optimizer.step()  # type: ignore[no-untyped-call]
                step += 1
                run.progress.advance()
            engine, score = _engine(student, grams, task.heads), float(epoch)
            if len(watched):
                found = engine.run(watched)
                finite = all(np.isfinite(values).all() for values in found.values())
                score = measure_outputs(task, found, task.plain(), golds)[metric] if finite else 0.0
            run.progress.advance(0, f"{metric.replace('_', ' ')} {score:.4f} on validation")
            if best is None or score > best[0]:
                best = score, engine
    assert best is not None  # there is at least one epoch
    return best[1]


def _batch(grams: Rows, dropout: float, source: np.random.Generator) -> tuple[torch.Tensor, ...]:
    """Concatenated n-grams, the start of each text, and 1 / sqrt(n) for the n n-grams kept of each text."""
    sizes = np.array([len(each) for each in grams])
    flat = np.concatenate(grams, dtype=np.int64)
    if dropout:
        kept = source.random(len(flat)) >= dropout
        owners = np.repeat(np.arange(len(grams)), sizes)
        flat, sizes = flat[kept], np.bincount(owners[kept], minlength=len(grams))
    starts = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    scale = 1 / np.sqrt(np.maximum(sizes, 1))
    return torch.from_numpy(flat), torch.from_numpy(starts), torch.from_numpy(scale.astype(np.float32))


def _engine(student: _Student, grams: Grams, heads: Mapping[str, Head]) -> StaticEngine:
    def array(tensor: torch.Tensor) -> npt.NDArray[Any]:
        return tensor.detach().numpy().copy()

    table = array(student.table.weight).astype(np.float16)
    return StaticEngine(grams, table, array(student.head.weight.T), array(student.head.bias), heads)
