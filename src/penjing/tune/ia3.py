"""IA3: of each layer only three vectors learn, which scale keys, values and feed-forward neurons.

    K' = l_K * (W_K x + b_K),   V' = l_V * (W_V x + b_V),   out = W_2 (l_F * f(W_1 x + b_1)) + b_2,   l = 1 at the start

Source: Liu, Tam, Muqeet, Mohta, Huang, Bansal, Raffel, Few-Shot Parameter-Efficient Fine-Tuning is Better and Cheaper
than In-Context Learning, 2022; carried out by peft. The vectors are merged into the matrices: the result is a plain
encoder of the same size and speed. Their paper adds two losses for models that write text, which have no meaning here.
When: very few rows, or many models of one base: fewest parameters of all methods that change every layer. When not:
labels that the base cannot tell apart yet, because scaling what is there adds nothing new; then `tune.adalora` or
`tune.full`.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field
from torch import nn

from penjing.core.nouns import Artifact, Inputs, Run
from penjing.core.task import HeadKind
from penjing.model.adapters import COLUMNS, ROWS, apply_changes
from penjing.model.encoder import Classifier
from penjing.model.inserted import check_plain
from penjing.model.layers import heads_of, neurons_of
from penjing.tune.fitting import TuningMethod, tune
from penjing.tune.injected import ADAPTER, inject, names_of, require_peft, take_out
from penjing.tune.job import Job
from penjing.tune.kept_apart import keep_apart
from penjing.tune.options import Rate, TrainingOptions, head_factor_field, rates_field
from penjing.tune.trained import known_layers, trained_layers
from penjing.tune.writing import Files

METHOD = "tune.ia3"
HEADS: tuple[HeadKind, ...] = ("pooled", "token", "span")
PAIRS = True
JOINT = True
FEATURES = True


class Options(TrainingOptions):
    """How the scales of IA3 are trained."""

    keeps_base: ClassVar[bool] = True

    learning_rate: tuple[Rate, ...] = rates_field(1e-2)
    head_factor: float = head_factor_field(1.0)
    weight_decay: float = Field(0.0, ge=0, le=1, description="decoupled weight decay; of a scale, towards 0, not 1")

    def check_encoder(self, encoder: nn.Module) -> None:
        """Raise UsageError for a family whose matrices are not known, or an encoder that has adapters or the like."""
        check_plain(encoder, METHOD)
        for layer in known_layers(encoder, METHOD):
            heads_of(layer)
            neurons_of(layer)


def _prepare(classifier: Classifier, job: Job) -> None:
    encoder = classifier.encoder
    job.options.check_encoder(encoder)
    encoder.requires_grad_(False)
    layers = trained_layers(classifier, job)
    if not layers:
        return
    outs = [neurons_of(layer)[1] for layer in layers]
    scaled = [matrix for layer in layers for matrix in heads_of(layer)[1][1:]]
    forward = names_of(encoder, outs)
    config = require_peft(METHOD).IA3Config(
        target_modules=[*names_of(encoder, scaled), *forward], feedforward_modules=forward
    )
    inject(encoder, config, METHOD)


def _merge(classifier: Classifier, job: Job) -> Files:
    encoder = classifier.encoder
    changes: dict[str, torch.Tensor] = {}
    for name, layer in take_out(encoder):
        scales = layer.ia3_l[ADAPTER].detach().flatten()
        changes |= {f"{name}.weight:{COLUMNS if layer.is_feedforward else ROWS}": scales}
        if not layer.is_feedforward:
            changes[f"{name}.bias:{ROWS}"] = scales.clone()
    apply_changes(encoder, changes)
    return keep_apart("ia3", classifier, job, changes)


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """Train the scales of `inputs.parent` (a base or a torch artifact) on `inputs.train`, choosing on validation.

    Raises UsageError for a parent that is no encoder, of a family whose matrices are not known, with adapters or with
    fewer tokens than `max_tokens`, DataError for tables without rows or labels, RunInterruptedError when stopped,
    MissingPackageError without peft.
    """
    return tune(inputs, options, run, TuningMethod(METHOD, prepare=_prepare, merge=_merge))
