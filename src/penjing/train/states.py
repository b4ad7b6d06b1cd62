"""Internal states of an encoder as distillation targets: the last layer's hidden states and attention relations.

    relations:  mean over X in {queries, keys, values}, relation heads r and tokens i of
                KL( softmax_j(X_r^T(i) . X_r^T(j) / sqrt(d)) || the same of the student ),   T: teacher
    hidden:     mean over tokens and dimensions of (h_teacher - h_student)^2

Source: Wang et al., MiniLMv2: Multi-Head Self-Attention Relation Distillation for Compressing Pretrained Transformers,
2021 (relations need no equal number of heads); Jiao et al., TinyBERT, 2020 (hidden states, which must be of one width).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import nn
from torch.nn import functional

from penjing.model.layers import heads_of, layers_of
from penjing.model.prompt import check_no_prompt, prompt_length

RELATION_HEADS = 12
NO_STATES = "its states are not those of the text's tokens alone, so that `relations` and `hidden` cannot compare them"
STATES_FIX = "set both to 0, and `pooled` to the weight of the states of whole texts"


class HasEncoder(Protocol):
    """A classifier, or whatever else has an encoder."""

    @property
    def encoder(self) -> nn.Module: ...


@dataclass
class States:
    """States of the last forward pass: queries, keys, values, each (batch, tokens, width), and the hidden states."""

    relations: list[torch.Tensor] = field(default_factory=lambda: [torch.empty(0)] * 3)
    hidden: torch.Tensor = field(default_factory=lambda: torch.empty(0))


@contextmanager
def watching(classifier: HasEncoder) -> Iterator[States]:
    """Inside the block, keep the last layer's states of every forward pass.

    Raises UsageError for an unknown family, or an encoder with a prompt.
    """
    check_no_prompt(prompt_length(classifier.encoder.config), NO_STATES, STATES_FIX)
    states, last = States(), layers_of(classifier.encoder)[-1]

    def keep_relation(place: int, output: torch.Tensor) -> None:
        states.relations[place] = output

    def keep_hidden(_module: nn.Module, _given: object, output: torch.Tensor | tuple[torch.Tensor, ...]) -> None:
        states.hidden = output[0] if isinstance(output, tuple) else output

    handles = [
        matrix.register_forward_hook(lambda _module, _given, output, place=place: keep_relation(place, output))
        for place, matrix in enumerate(heads_of(last)[1])
    ]
    handles.append(last.register_forward_hook(keep_hidden))
    try:
        yield states
    finally:
        for handle in handles:
            handle.remove()


def relation_loss(teacher: States, student: States, mask: torch.Tensor) -> torch.Tensor:
    """The relation loss above; mask (batch, tokens) is 1 for tokens. Padding is excluded on both sides."""
    parts = []
    for wanted, found in zip(teacher.relations, student.relations, strict=True):
        heads = math.gcd(RELATION_HEADS, wanted.shape[2], found.shape[2])
        pair = _relations(found, mask, heads), _relations(wanted, mask, heads)
        apart = functional.kl_div(*pair, log_target=True, reduction="none")
        real = mask[:, None, :, None] * mask[:, None, None, :]
        parts.append((apart * real).sum() / (mask.sum() * heads))
    return torch.stack(parts).mean()


def hidden_loss(teacher: States, student: States, mask: torch.Tensor) -> torch.Tensor:
    """The hidden loss above; both hidden states (batch, tokens, width)."""
    apart = ((teacher.hidden - student.hidden) ** 2).mean(dim=2)
    return (apart * mask).sum() / mask.sum()


def _relations(states: torch.Tensor, mask: torch.Tensor, heads: int) -> torch.Tensor:
    """Log probabilities (batch, relation heads, tokens, tokens) of a token's relations to the others."""
    batch, tokens, width = states.shape
    split = states.view(batch, tokens, heads, width // heads).transpose(1, 2)
    scores = split @ split.transpose(2, 3) / math.sqrt(width // heads)
    # A finite number, so that entries masked on both sides do not become a difference of infinities.
    return functional.log_softmax(scores.masked_fill(mask[:, None, None, :] == 0, -1e4), dim=3)
