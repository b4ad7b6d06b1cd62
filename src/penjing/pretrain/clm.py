"""Causal language modelling: each token is found from those before it in its document.

    minimise  mean over tokens t > 1 of every document of  -log softmax(E h_(t-1))[x_t]

The end of a document is a token too; the first token of a document is not found from the one before it.

Source: Radford, Narasimhan, Salimans, Sutskever, Improving Language Understanding by Generative Pre-Training, 2018;
Touvron and others, LLaMA, 2023 (the network).
When: for a network that writes text. When not: for one that labels texts; an encoder of the same size, with `mlm` or
`rtd`, reads both sides and does better.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from penjing.core.nouns import Artifact, Family, Inputs, Run
from penjing.pretrain.parts.batch import TextBatch
from penjing.pretrain.parts.grow import grow
from penjing.pretrain.parts.network import NetworkWithHeads
from penjing.pretrain.parts.options import LoopOptions
from penjing.pretrain.parts.perplexity import Perplexity, perplexity
from penjing.pretrain.parts.term import Kit, Term

FAMILIES: tuple[Family, ...] = ("decoder",)


class Options(LoopOptions):
    """The options of `pretrain.clm`."""


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """Train the decoder `inputs.parent` on `inputs.corpora`. Raises UsageError for another family, and as `grow`."""
    return grow("clm", inputs, options, run, [("clm", 1.0, options)], {"clm": NextToken})


class NextToken(Term):
    """The term of the loss above."""

    families = FAMILIES

    def __init__(self, _kit: Kit, _options: Options) -> None:
        pass

    def count(self, batch: TextBatch) -> int:
        return int(followed(batch).sum())

    def loss(self, network: NetworkWithHeads, batch: TextBatch, states: Callable[[], torch.Tensor]) -> torch.Tensor:
        return functional.cross_entropy(*next_scores(network, batch, states()))

    def perplexity(self, network: NetworkWithHeads, batches: Sequence[TextBatch], positions: int) -> Perplexity | None:  # noqa: ARG002
        return perplexity(network, batches, next_scores)


def next_scores(network: NetworkWithHeads, batch: TextBatch, states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Scores (n, entries) of the tokens that follow another of their document, and their ids (n,)."""
    here = network.tensor(followed(batch))
    output = network.model.get_output_embeddings()  # type: ignore[operator]
    return output(states[:, :-1][here]).float(), network.tensor(batch.gold)[:, 1:][here]


def followed(batch: TextBatch) -> npt.NDArray[np.bool_]:
    """Which tokens, the last column aside, have a next token in the same document, (rows, tokens - 1)."""
    documents = batch.documents
    same: npt.NDArray[np.bool_] = (documents[:, :-1] == documents[:, 1:]) & (documents[:, 1:] > 0)
    return same
