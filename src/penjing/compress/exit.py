"""Dynamic depth: classifiers at several layers, trained together; a text exits at the first confident classifier.

    minimise  sum_k  d_k / (d_1 + ... + d_K) * L(head_k(mean of hidden states after layer d_k)),
    L as in compress.distill

Each exit's threshold is the lowest probability at which the held-out texts that exit there agree with the tuned model
often enough, by share and by macro-F1, as in `compress.cascade`. Source: Xin et al., DeeBERT, 2020; Kaya, Hong,
Dumitras, Shallow-Deep Networks, 2019 (the weights of the losses). When: many texts are easy and a few need every layer.
When not: `compress.static` or `compress.cascade`, which skip the encoder, hold the promise; or the worst case must be
fast too, because a text that takes no exit costs as much as before. It runs in ONNX Runtime.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch import nn

from penjing.compress.distill import TEACHER
from penjing.compress.parts.agreement import AGREEMENT, choose_threshold
from penjing.compress.parts.sealing import Compression, complete_folder, copy_tokenizer, seal, torch_parent
from penjing.compress.parts.targets import Targets
from penjing.compress.parts.teacher import teacher_outputs
from penjing.core.canon import canonical_json, digest, digest_lines, unit_hash
from penjing.core.errors import UsageError
from penjing.core.methods import check_heads
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.core.options import Options as BaseOptions
from penjing.core.stop import check_stop
from penjing.core.task import HeadKind, Loss, Task
from penjing.engines.early_exit import EXITS, ExitEngine, Exits, stage_files, sureness
from penjing.engines.protocol import split_columns
from penjing.model.encoder import Classifier, load_classifier, padding_id
from penjing.model.heads import mean_pool
from penjing.model.layers import layers_of
from penjing.model.prompt import check_no_prompt, prompt_length
from penjing.tasks import side_by_side, task_of
from penjing.tasks.calibrate import fit_temperature
from penjing.tasks.measure import measure_outputs, metric_names
from penjing.text.tokens import encode, open_tokenizer
from penjing.train.batches import Budget, Ints, epoch_batches
from penjing.train.hooks import ProgressHook
from penjing.train.loop import Plan, fit
from penjing.train.optim import Optimizing
from penjing.train.supervised import IdRows, predict

HELD_OUT = 0.2
HEADS: tuple[HeadKind, ...] = ("pooled",)
LOSSES: tuple[Loss, ...] = ("cross_entropy",)


class Options(BaseOptions):
    """The options of `compress.exit`."""

    after: list[Annotated[int, Field(ge=1, le=100)]] = Field(
        [], max_length=20, description="layers after which a text may exit; empty: after half of the layers"
    )
    agreement: float = Field(0.99, ge=0.5, lt=1, description=AGREEMENT)
    int8: bool = Field(True, description="whether the stages compute in INT8, as `compress.int8` does on onnx")
    epochs: float = Field(3.0, gt=0, le=100, description="passes over all texts; may be a fraction")
    learning_rate: float = Field(1e-4, gt=0, le=0.1, description="the highest rate")
    temperature: float = Field(
        2.0, gt=0, le=20, description="temperature of the distillation loss; higher values give rare labels more weight"
    )
    gold: float = Field(0.3, ge=0, le=1, description="weight of the true label, where there is one")
    batch_rows: int = Field(16, ge=1, le=4096, description="most rows in a batch")
    batch_tokens: int = Field(2048, ge=8, le=1_000_000, description="most tokens in a batch, padding included")
    warmup: float = Field(0.1, ge=0, le=1, description="share of the steps in which the rate rises")


class Exiting(nn.Module):
    """A classifier with heads at several depths; `forward` gives the logits of all heads, concatenated."""

    def __init__(self, classifier: Classifier, ends: list[int]) -> None:
        super().__init__()
        self.classifier, self.ends = classifier, ends
        # The lower heads start as copies of the top one, which is a better start than random weights.
        assert isinstance(classifier.head, nn.Linear)
        labels, width = classifier.head.weight.shape
        self.lower = nn.ModuleList(nn.Linear(width, labels) for _ in ends[:-1])
        for head in self.lower:
            head.load_state_dict(classifier.head.state_dict())

    @property
    def heads(self) -> list[nn.Linear]:
        """One head for each depth, the top one last."""
        return [*self.lower, self.classifier.head]

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Logits (batch, depths * labels)."""
        states = self.classifier.encoder(
            input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=True
        ).hidden_states
        found = [
            head(self.classifier.dropout(mean_pool(states[end], attention_mask)))
            for head, end in zip(self.heads, self.ends, strict=True)
        ]
        return torch.cat(found, dim=1)


@dataclass(frozen=True)
class _Joint:
    """An Objective: the weighted sum of the distillation losses of all depths; deeper ones have more weight."""

    task: Task
    rows: IdRows
    targets: Targets
    validation: IdRows
    golds: Sequence[str]
    ends: list[int]
    options: Options
    seed: int

    @property
    def budget(self) -> Budget:
        return Budget(self.options.batch_rows, self.options.batch_tokens)

    def batches(self, epoch: int) -> list[Ints]:
        return epoch_batches(self.rows.lengths, self.budget, self.seed, epoch)

    def loss(self, model: nn.Module, rows: Ints) -> torch.Tensor:
        device = next(model.parameters()).device
        ids, mask = (each.to(device) for each in self.rows.load(rows))
        losses = [
            end * self.targets.loss(logits, rows, self.options.temperature, self.options.gold)
            for end, logits in zip(self.ends, model(ids, mask).chunk(len(self.ends), dim=1), strict=True)
        ]
        return torch.stack(losses).sum() / sum(self.ends)

    def score(self, model: nn.Module) -> dict[str, float]:
        metric, scores = metric_names(self.task)[0], []
        for each in np.split(predict(model, self.validation, self.budget), len(self.ends), axis=1):
            outputs = split_columns(each, self.task.heads)
            if not np.isfinite(each).all():
                scores.append(0.0)
                continue
            scores.append(measure_outputs(self.task, outputs, self.task.plain(), self.golds)[metric])
        return {metric: float(np.mean(scores)), "loss": round(1 - float(np.mean(scores)), 6)}


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """The parent in stages. Raises UsageError for a parent that is no torch encoder, or for layers that it lacks."""
    parent = torch_parent(inputs, "compress.exit")
    check_heads("compress.exit", HEADS, LOSSES, task_of(parent.card))
    teacher = inputs.teachers.get(TEACHER, parent)
    if not len(inputs.validation):
        raise UsageError("`compress.exit` sets its thresholds on validation rows, and there are none")
    classifier = load_classifier(parent)
    check_prompt(prompt_length(classifier.encoder.config))
    ends = ends_of(options.after, len(layers_of(classifier.encoder)))
    model = Exiting(classifier, ends)
    _train(model, parent, teacher, inputs, options, run)
    folder = complete_folder(run.scratch / "stages", lambda target: _write(model, parent, inputs, options, run, target))
    exits, about = _thresholds(folder, parent, teacher, inputs, options, run)

    def fill(target: Path) -> None:
        for path in stage_files(folder):
            shutil.copyfile(path, target / path.name)
        copy_tokenizer(parent, target)
        (target / EXITS).write_bytes(canonical_json(exits.model_dump(mode="json")))

    return seal(
        Compression(inputs, options, run, parent, "compress.exit"),
        form="exit",
        folder=complete_folder(run.scratch / "exit", fill),
        notes={"engine": "onnx", "precision": "int8" if options.int8 else "float32", "exits_after": ends[:-1], **about},
        compare=teacher_outputs(
            teacher, [list(inputs.validation.texts)], run, "compress.exit: the teacher on validation"
        ),
    )


def check_prompt(tokens: int) -> None:
    """Raise UsageError for an encoder with a soft prompt of that many tokens."""
    check_no_prompt(tokens, "the stages of `compress.exit` read the text's tokens alone", "leave the step out")


def ends_of(after: list[int], total: int) -> list[int]:
    """The layers after which a text may exit, with the last layer added. Raises UsageError for a missing layer."""
    chosen = sorted(set(after)) or [max(1, total // 2)]
    if chosen[0] < 1 or chosen[-1] >= total:
        raise UsageError(
            f"this model has {total} layers, and a text cannot exit early after {chosen}",
            where="after",
            fix=f"give numbers from 1 to {total - 1}" if total > 1 else "leave the step out",
        )
    return [*chosen, total]


def _train(model: Exiting, parent: Artifact, teacher: Artifact, inputs: Inputs, options: Options, run: Run) -> None:
    train, validation = list(inputs.train.texts), list(inputs.validation.texts)
    spare, _ = _held_out(inputs)
    parts = train, spare
    texts = [text for part in parts for text in part]
    task = task_of(parent.card).with_rows({})
    soft_targets = teacher_outputs(teacher, parts, run, "compress.exit: the teacher on all texts")
    tokenizer, limit = open_tokenizer(parent.folder), parent.card.max_tokens or 512
    padding = padding_id(model.classifier.encoder)
    objective = _Joint(
        task=task,
        rows=IdRows(encode(tokenizer, texts, limit).ids, padding),
        targets=Targets.of(task, soft_targets, texts, inputs.train.labels or ()),
        validation=IdRows(encode(tokenizer, validation, limit).ids, padding),
        golds=inputs.validation.labels or (),
        ends=model.ends,
        options=options,
        seed=run.seed,
    )
    plan = Plan(
        epochs=options.epochs,
        optimizing=Optimizing(options.learning_rate, 1.0, 0.01, options.warmup),
        metric=metric_names(task)[0],
        patience=3,
    )
    about = [parent.id, teacher.id, digest_lines(texts), digest_lines(validation), options.model_dump(mode="json")]
    key = digest([*about, model.ends, run.seed, run.threads, run.device, torch.__version__])
    fit(model, objective, plan, run, run.scratch / "training", key, [ProgressHook(run.progress)])


def _write(model: Exiting, parent: Artifact, inputs: Inputs, options: Options, run: Run, target: Path) -> None:
    """Write the stages, each calibrated on validation rows by itself: its head is divided by its temperature."""
    from penjing.engines.export import export_stages, onnx_half, onnx_int8

    model.eval()
    rows = IdRows(
        encode(open_tokenizer(parent.folder), list(inputs.validation.texts), parent.card.max_tokens or 512).ids,
        padding_id(model.classifier.encoder),
    )
    (truth,) = task_of(parent.card).encode(inputs.validation.labels or (), ()).values()
    logits = np.split(predict(model, rows, Budget(rows=32, tokens=4096)), len(model.ends), axis=1)
    heads = []
    for head, each in zip(model.heads, logits, strict=True):
        scaled = nn.Linear(head.in_features, head.out_features)
        temperature = fit_temperature(each, truth)
        scaled.load_state_dict({name: value / temperature for name, value in head.state_dict().items()})
        heads.append(scaled)
    run.progress.start("compress.exit: the stages", None)
    export_stages(model.classifier, model.ends, heads, target)
    for path in stage_files(target):
        if options.int8:
            onnx_int8(path, path)
        else:
            onnx_half(path)
    copy_tokenizer(parent, target)
    # Until thresholds are set, no text exits early.
    closed = Exits(thresholds=(2.0,) * (len(model.ends) - 1))
    (target / EXITS).write_bytes(canonical_json(closed.model_dump(mode="json")))
    check_stop(run.stop)


def _thresholds(
    folder: Path, parent: Artifact, teacher: Artifact, inputs: Inputs, options: Options, run: Run
) -> tuple[Exits, dict[str, object]]:
    """The thresholds of the stages in their served form, from validation and held-out unlabelled texts, with figures.

    For a text in several windows, the first window counts.
    """
    _, held_out = _held_out(inputs)
    parts = list(inputs.validation.texts), held_out
    wanted = teacher_outputs(teacher, parts, run, "compress.exit: the teacher on held-out texts").argmax(axis=1)
    engine = ExitEngine.load(Artifact(folder=folder, id="", card=parent.card), run.threads)
    rows = [engine.tokens.windows(row)[0].ids for row in engine.encode([text for part in parts for text in part])]
    run.progress.start("compress.exit: thresholds", len(rows))
    found = []
    for row in rows:
        check_stop(run.stop)
        found.append(side_by_side(task_of(parent.card), engine.every([row])))
        run.progress.advance()
    stages = np.split(np.concatenate(found), len(stage_files(folder)), axis=1)
    inside, thresholds, shares, agreed = np.ones(len(rows), dtype=bool), [], [], []
    for logits in stages[:-1]:
        confidence, predicted = sureness(logits), logits.argmax(axis=1)
        thresholds.append(choose_threshold(confidence[inside], predicted[inside], wanted[inside], options.agreement))
        exiting = inside & (confidence >= thresholds[-1])
        shares.append(round(float(exiting.mean()), 6))
        agreed.append(round(float((predicted == wanted)[exiting].mean()), 6) if exiting.any() else 1.0)
        inside &= ~exiting
    return Exits(thresholds=tuple(thresholds)), {"exit_share": shares, "exit_agreement": agreed}


def _held_out(inputs: Inputs) -> tuple[list[str], list[str]]:
    """Unlabelled texts for training, and those for setting thresholds, split by a hash of the text."""
    held_out = sorted(text for text in inputs.unlabelled if unit_hash(text) < HELD_OUT)
    return [text for text in inputs.unlabelled if unit_hash(text) >= HELD_OUT], held_out
