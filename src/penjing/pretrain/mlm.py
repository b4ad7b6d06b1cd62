"""Masked language modelling: hidden tokens are found from the text on both sides.

    minimise  mean over hidden tokens t of  -log softmax(E norm(gelu(W h_t + b)) + c)[t]

Of 100 tokens, 15 are chosen: 80 % of them become [MASK], 10 % another token, 10 % stay. They are chosen as whole words
(of several word pieces; of several characters in Chinese), as spans of words with a geometric length, or one by one.
The choice is new in each pass.

Source: Devlin, Chang, Lee, Toutanova, BERT, 2019; Cui and others, Pre-Training with Whole Word Masking for Chinese
BERT, 2021 (whole words); Joshi and others, SpanBERT, 2020 (spans: mean of 3.8 words, at most 10).
When: the first choice for an encoder, from scratch or for a new domain. Whole words suit Chinese and small
vocabularies; spans suit questions about passages. When not: `rtd` learns more from the same text where compute is short
(it learns from every token), and `contrastive` is better for comparing whole texts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import nn
from torch.nn import functional

from penjing.core.nouns import Artifact, Family, Inputs, Run
from penjing.model.token_head import TokenHead, load_token_head
from penjing.pretrain.parts.batch import TextBatch
from penjing.pretrain.parts.grow import grow
from penjing.pretrain.parts.marks import Marks
from penjing.pretrain.parts.network import NetworkWithHeads
from penjing.pretrain.parts.options import LoopOptions
from penjing.pretrain.parts.perplexity import Perplexity, pseudo_perplexity
from penjing.pretrain.parts.term import Kit, Term

FAMILIES: tuple[Family, ...] = ("encoder",)
Unit = Literal["word", "span", "token"]
Flags = npt.NDArray[np.bool_]
_LONGEST_SPAN = 10  # words


class Options(LoopOptions):
    """The options of `pretrain.mlm`."""

    share: float = Field(0.15, gt=0, le=0.9, description="share of the tokens that are hidden")
    unit: Unit = Field("word", description="what is hidden as a whole: a word, a span of words, or a token")
    span: float = Field(3.8, ge=1, le=10, description="with `unit: span`: mean length of a span in words")


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """Train the encoder `inputs.parent` on `inputs.corpora`. Raises UsageError for another family, and as `grow`."""
    return grow("mlm", inputs, options, run, [("mlm", 1.0, options)], {"mlm": MaskedTokens})


class MaskedTokens(Term):
    """The term of the loss above."""

    changes = True

    def __init__(self, kit: Kit, options: Options) -> None:
        self.options, self.marks = options, kit.marks
        table = kit.model.get_input_embeddings().weight  # type: ignore[operator]
        self._head, self.known = load_token_head(kit.folder, kit.config, table)

    def head(self) -> nn.Module:
        return self._head

    def change(self, batch: TextBatch, draw: np.random.Generator) -> TextBatch:
        return hide(batch, self.marks, self.options, draw)

    def count(self, batch: TextBatch) -> int:
        return int(batch.targets["hidden"].sum())

    def loss(self, network: NetworkWithHeads, batch: TextBatch, states: Callable[[], torch.Tensor]) -> torch.Tensor:
        return functional.cross_entropy(*hidden_scores(network, batch, states()))

    def perplexity(self, network: NetworkWithHeads, batches: Sequence[TextBatch], positions: int) -> Perplexity | None:
        return pseudo_perplexity(network, batches, hidden_scores, self.marks.mask, positions)


def hidden_scores(
    network: NetworkWithHeads, batch: TextBatch, states: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Scores (n, entries) of the hidden tokens of a batch, and their ids (n,)."""
    head = network.heads["mlm"]
    assert isinstance(head, TokenHead)
    hidden = network.tensor(batch.targets["hidden"])
    return head(states[hidden], network.embeddings).float(), network.tensor(batch.gold)[hidden]


def hide(batch: TextBatch, marks: Marks, options: Options, draw: np.random.Generator) -> TextBatch:
    """The batch with chosen tokens changed, and as the target `hidden`, (rows, tokens) bool, where they are."""
    hidden = choose_tokens(batch, options, draw)
    ids = batch.ids.copy()
    fate = draw.random(int(hidden.sum()))
    other = draw.choice(marks.ordinary, size=len(fate))
    ids[hidden] = np.where(fate < 0.8, marks.mask, np.where(fate < 0.9, other, batch.ids[hidden]))
    return replace(batch, ids=ids).with_targets(hidden=hidden)


def choose_tokens(batch: TextBatch, options: Options, draw: np.random.Generator) -> Flags:
    """Which tokens are hidden, (rows, tokens): the share of the batch's content, in whole units, at least one unit."""
    begins = np.ones_like(batch.words) if options.unit == "token" else batch.words
    begins = begins[batch.content]
    words = np.cumsum(begins) - 1
    sizes = np.bincount(words)
    budget = max(1, round(options.share * len(words)))
    if options.unit == "span":
        rows = np.arange(len(batch))[:, None] * (batch.documents.max() + 1) + batch.documents
        chosen = _spans(sizes, rows[batch.content][begins], budget, options.span, draw)
    else:
        order = draw.permutation(len(sizes))
        total = np.cumsum(sizes[order])
        # A word that would pass the budget is left out, so that the share is reached from below.
        chosen = np.zeros(len(sizes), dtype=np.bool_)
        chosen[order[: max(1, int(np.searchsorted(total, budget, side="right")))]] = True
    hidden = np.zeros(batch.ids.shape, dtype=np.bool_)
    hidden[batch.content] = chosen[words]
    return hidden


def _spans(
    sizes: npt.NDArray[np.int64], documents: npt.NDArray[np.int64], budget: int, mean: float, draw: np.random.Generator
) -> Flags:
    """Words in spans within their documents, until the budget of tokens is reached."""
    chosen = np.zeros(len(sizes), dtype=np.bool_)
    left = budget
    for first in draw.permutation(len(sizes)):
        length = min(int(draw.geometric(1 / mean)), _LONGEST_SPAN)
        for word in range(first, min(first + length, len(sizes))):
            if documents[word] != documents[first] or chosen[word]:
                break
            if sizes[word] > left and chosen.any():
                return chosen
            chosen[word] = True
            left -= int(sizes[word])
        if left <= 0:
            break
    return chosen
