"""Prefixes: keys and values before those of the text learn in every layer, and the whole encoder stays as it is.

    attention(Q, [P_K ; K], [P_V ; V]),   P_K, P_V: (tokens, width) of each trained layer

They begin as the keys and values that the base itself computes of the most frequent train tokens.

Source: Li and Liang, Prefix-Tuning: Optimizing Continuous Prompts for Generation, 2021 (and words as their start); Liu,
Ji, Fu, Tam, Du, Yang, Tang, P-Tuning v2: Prompt Tuning Can Be Comparable to Fine-tuning Universally Across Scales and
Tasks, 2022 (for classification and tagging; without the network that the first paper puts before them). The prefixes
stay in the model. They take no places of the input; attention sees `tokens` more of them. All steps of `compress` may
follow. For encoders whose attention is like BERT's.
When: a base that must not change, and a task that a prompt before the first layer alone does not reach. When not: a
plain encoder is wanted; `tune.adalora` and `tune.bitfit` give one, with as many parameters or fewer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from pydantic import Field
from torch import nn

from penjing.core.nouns import Artifact, Inputs, Run
from penjing.core.task import HeadKind
from penjing.model.encoder import Classifier, longest_input
from penjing.model.inserted import check_plain
from penjing.model.layers import FAMILIES, heads_of, layers_of
from penjing.model.prefix import put_prefixes
from penjing.tune.fitting import TuningMethod, tune
from penjing.tune.frequent import frequent_tokens
from penjing.tune.job import Job
from penjing.tune.kept_apart import keep_learned
from penjing.tune.options import Rate, TrainingOptions, head_factor_field, rates_field
from penjing.tune.trained import known_layers, learn_only, trained_layers

METHOD = "tune.prefix"
HEADS: tuple[HeadKind, ...] = ("pooled", "token", "span")
PAIRS = True
JOINT = True
FEATURES = True


class Options(TrainingOptions):
    """How prefixes are trained."""

    keeps_base: ClassVar[bool] = True

    learning_rate: tuple[Rate, ...] = rates_field(3e-2)
    head_factor: float = head_factor_field(1.0)
    tokens: int = Field(16, ge=1, le=512, description="keys and values before those of the text, in each trained layer")

    def check_encoder(self, encoder: nn.Module) -> None:
        """Raise UsageError for attention that is not like BERT's, or an encoder that has a prefix or the like."""
        check_plain(encoder, METHOD)
        for layer in known_layers(encoder, METHOD):
            heads_of(layer)


def _prepare(classifier: Classifier, job: Job) -> None:
    options, encoder = job.options, classifier.encoder
    assert isinstance(options, Options)
    options.check_encoder(encoder)
    trained = trained_layers(classifier, job)
    ids = frequent_tokens(job.train.ids, options.tokens)
    found = keys_and_values(encoder, trained, torch.from_numpy(ids))
    below = len(layers_of(encoder)) - len(trained)
    path = FAMILIES[str(encoder.config.model_type)]  # type: ignore[union-attr]
    put_prefixes(encoder, {"layers": path, "counts": [0] * below + [options.tokens] * len(trained)})
    with torch.no_grad():
        for layer, (keys, values) in zip(trained, found, strict=True):
            layer.attention.self.prefix_keys.copy_(keys)  # type: ignore[union-attr, operator]
            layer.attention.self.prefix_values.copy_(values)  # type: ignore[union-attr, operator]
    learn_only(encoder, lambda name: name.rpartition(".")[2] in ("prefix_keys", "prefix_values"))


def keys_and_values(
    encoder: nn.Module, layers: Sequence[nn.Module], ids: torch.Tensor
) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Keys and values (tokens, width) that an encoder computes in those layers of one row of ids, (tokens,) int64.

    More ids than the encoder takes are read in several rows.
    """
    seen: dict[int, list[torch.Tensor]] = {}
    matrices = [matrix for layer in layers for matrix in heads_of(layer)[1][1:]]
    handles = [
        matrix.register_forward_hook(
            lambda _module, _given, out, place=place: seen.setdefault(place, []).append(out[0])
        )
        for place, matrix in enumerate(matrices)
    ]
    try:
        with torch.no_grad():
            for row in torch.split(ids, longest_input(encoder)):
                encoder(input_ids=row[None, :], attention_mask=torch.ones_like(row)[None, :])
    finally:
        for handle in handles:
            handle.remove()
    flat = [torch.cat(seen[place]) for place in range(len(matrices))]
    return list(zip(flat[::2], flat[1::2], strict=True))


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """Train prefixes of `inputs.parent` (a base or a torch artifact) on `inputs.train`, choosing on validation.

    Raises UsageError for a parent that is no encoder, of a family whose attention is not like BERT's, with adapters or
    the like already, or with fewer tokens than `max_tokens`, DataError for tables without rows or labels,
    RunInterruptedError when stopped.
    """
    return tune(inputs, options, run, TuningMethod(METHOD, prepare=_prepare, merge=keep_learned("prefix")))
