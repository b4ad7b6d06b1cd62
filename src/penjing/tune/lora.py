"""Adapters of low rank: the base stays as it is, and every chosen matrix gets a product of two thin ones.

    W' = W + s B A,   A (rank, in) random, B (out, rank) zero at first
    s = alpha / rank, or with rslora alpha / sqrt(rank)
    kind dora:  W' = m (W + s B A) / |W + s B A| for each row, with a learned magnitude m
    kind pissa: A and B begin as the largest singular values and vectors of W, and W without them stays fixed

Only A, B (and m) and the head learn: some hundredth of the parameters. After training the products are added to the
weights, so that the model serves as any other; `adapter/` keeps them apart, a few hundred kilobytes of which and the
base the same model is made again (`penjing export adapter`). Many services on one base: `compress.tenant`.

Source: Hu, Shen, Wallis and others, LoRA: Low-Rank Adaptation of Large Language Models, 2021; Kalajdzievski, A Rank
Stabilization Scaling Factor for Fine-Tuning with LoRA, 2023 (rslora); Liu, Wang, Yin and others, DoRA:
Weight-Decomposed Low-Rank Adaptation, 2024; Meng, Wang, Zhang, PiSSA, 2024.
When: many tasks or customers on one base; few rows, where all weights would follow the noise; a model that is sent as a
small file. When not: one task with many rows, where `tune.full` is as quick (the time of a step is hardly less) and
often better; a base far from the texts, where low rank is too little. Rates are about ten times those of `tune.full`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import nn

from penjing.core.nouns import Artifact, Inputs, Run
from penjing.core.task import HeadKind
from penjing.model.adapters import FOLDER, MAGNITUDE, A, B, adapter_info, apply_changes, check_untouched, save_adapter
from penjing.model.encoder import Classifier
from penjing.model.inserted import check_plain
from penjing.model.matrices import Targets, matrices
from penjing.tune.fitting import TuningMethod, tune
from penjing.tune.job import Job
from penjing.tune.options import Rate, TrainingOptions, head_factor_field, rates_field
from penjing.tune.writing import Files

METHOD = "tune.lora"
HEADS: tuple[HeadKind, ...] = ("pooled", "token", "span")
PAIRS = True
JOINT = True
FEATURES = True

_NAME = "default"


class Options(TrainingOptions):
    """How adapters of low rank are trained."""

    keeps_base: ClassVar[bool] = True

    learning_rate: tuple[Rate, ...] = rates_field(5e-4, 1e-3, 2e-3)
    head_factor: float = head_factor_field(2.0)
    rank: int = Field(8, ge=1, le=256, description="rank of the products")
    alpha: float = Field(16.0, gt=0, le=1024, description="the products are scaled by alpha / rank")
    rslora: bool = Field(False, description="scale by alpha / sqrt(rank) instead, for ranks of 32 and more")
    kind: Literal["lora", "dora", "pissa"] = Field(
        "lora", description="plain products; with a magnitude for each row; or begun at the largest singular values"
    )
    targets: Targets = Field(
        "query_value", description="the matrices that get a product: those of queries and values, or all of a layer"
    )
    adapter_dropout: float = Field(0.0, ge=0, lt=1, description="dropout before the products")


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """Train adapters on `inputs.parent` (a base or a torch artifact), choosing on `inputs.validation`, and merge them.

    Raises UsageError for a parent that is no encoder, takes fewer than `max_tokens`, or has no such matrices, DataError
    for tables without rows or labels, RunInterruptedError when stopped.
    """
    return tune(inputs, options, run, TuningMethod(METHOD, prepare=put_in, merge=merge_in))


def put_in(classifier: Classifier, job: Job) -> None:
    """Put products into the chosen matrices; `job.options` are those of this method."""
    from peft import LoraConfig, inject_adapter_in_model

    options = job.options
    assert isinstance(options, Options)
    encoder = classifier.encoder
    check_plain(encoder, METHOD)
    config = LoraConfig(
        r=options.rank,
        lora_alpha=options.alpha,
        lora_dropout=options.adapter_dropout,
        use_rslora=options.rslora,
        use_dora=options.kind == "dora",
        target_modules=matrices(encoder, job.layers, options.targets),
        init_lora_weights="pissa" if options.kind == "pissa" else True,
    )
    before = {name: module.weight.detach().clone() for name, module in _linear(encoder, config.target_modules)}
    check_untouched(encoder, job.parent)
    inject_adapter_in_model(config, encoder)
    for name, layer in adapted(encoder):
        # PiSSA moves what its products begin with out of the weights: both are needed to tell what was learned.
        moved = options.kind == "pissa"
        layer.start = (_pair(layer)[0].clone(), _pair(layer)[1].clone(), before[name]) if moved else None


def merge_in(classifier: Classifier, job: Job) -> Files:
    """Add the products to the weights; gives what writes them apart."""
    options, encoder = job.options, classifier.encoder
    assert isinstance(options, Options)
    changes: dict[str, torch.Tensor] = {}
    scale = 1.0
    for name, layer in list(adapted(encoder)):
        down, up = _pair(layer)
        scale = float(layer.scaling[_NAME])
        plain = layer.base_layer
        if layer.start is not None:
            first_down, first_up, weight = layer.start
            down, up = torch.cat((down, first_down.to(down))), torch.cat((up, -first_up.to(up)), dim=1)
            with torch.no_grad():
                plain.weight.copy_(weight)
        changes[f"{name}.weight:{A}"], changes[f"{name}.weight:{B}"] = down, up * scale
        if options.kind == "dora":
            changes[f"{name}.weight:{MAGNITUDE}"] = layer.lora_magnitude_vector[_NAME].weight.detach().clone()
        path, _, last = name.rpartition(".")
        setattr(encoder.get_submodule(path), last, plain)
    encoder.__dict__.pop("peft_config", None)
    before = apply_changes(encoder, changes)
    labels = tuple(getattr(job.task, "labels", ()))
    rank = options.rank * (2 if options.kind == "pissa" else 1)

    def write(folder: Path) -> None:
        about = {"rank": rank, "scale": scale, "task": job.task.name, "labels": labels}
        info = adapter_info(options.kind, classifier, job.parent, changes, **about)
        save_adapter(folder / FOLDER, info, changes, classifier, before)

    return write


def adapted(encoder: nn.Module) -> Iterator[tuple[str, Any]]:
    """Names and modules of the matrices that have a product."""
    return ((name, module) for name, module in encoder.named_modules() if hasattr(module, "lora_A"))


def _linear(encoder: nn.Module, names: Any) -> list[tuple[str, nn.Linear]]:
    return [(name, module) for name, module in encoder.named_modules() if name in names]


def _pair(layer: Any) -> tuple[torch.Tensor, torch.Tensor]:
    return layer.lora_A[_NAME].weight.detach(), layer.lora_B[_NAME].weight.detach()
