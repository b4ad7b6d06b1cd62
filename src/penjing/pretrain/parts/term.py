"""What an objective of pre-training is: one term of the loss, over batches that it may arrange and change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn

from penjing.core.nouns import Family, Inputs, Run
from penjing.pretrain.parts.batch import TextBatch
from penjing.pretrain.parts.marks import Marks
from penjing.pretrain.parts.network import NetworkWithHeads
from penjing.pretrain.parts.perplexity import Perplexity


@dataclass(frozen=True)
class Kit:
    """What the terms of one training are built from. length: most tokens of a row; folder: that of the base."""

    inputs: Inputs
    run: Run
    family: Family
    model: nn.Module
    tokenizer: Tokenizer
    marks: Marks
    length: int
    folder: Path

    @property
    def config(self) -> Any:
        """The configuration of the network."""
        return self.model.config


class Term:
    """Base class of the terms: reads rows as they are, adds no head, and takes part in the common pass.

    families: the families of networks that it suits. packs: whether it can read rows of several documents. spare:
    tokens of a row that it needs for its own marks.
    arranges, changes: whether it makes other rows of a batch, or hides tokens in it; a training can have one term that
    does each. random_score: whether it needs dropout to be scored too. known: whether its head was read from the base,
    or it has none, so that it can be measured before a training.
    """

    families: ClassVar[tuple[Family, ...]] = ("encoder",)
    packs = True
    spare = 0
    arranges = False
    changes = False
    random_score = False
    known = True

    def head(self) -> nn.Module | None:
        """The parameters that the term adds to the network."""
        return None

    def arrange(self, batch: TextBatch, draw: np.random.Generator) -> TextBatch:  # noqa: ARG002
        """Other rows made of the documents of a batch."""
        return batch

    def change(self, batch: TextBatch, draw: np.random.Generator) -> TextBatch:  # noqa: ARG002
        """The batch with hidden tokens and their targets."""
        return batch

    def count(self, batch: TextBatch) -> int:
        """How many tokens, or rows, the loss of a batch is the mean of."""
        return len(batch)

    def loss(self, network: NetworkWithHeads, batch: TextBatch, states: Callable[[], torch.Tensor]) -> torch.Tensor:
        """The loss of a batch. states: the hidden states (rows, tokens, width) of its ids, computed once for all."""
        raise NotImplementedError

    def perplexity(self, network: NetworkWithHeads, batches: Sequence[TextBatch], positions: int) -> Perplexity | None:  # noqa: ARG002
        """Perplexity or pseudo-perplexity of held-out batches; None where the term has none.

        positions: tokens of a pseudo-perplexity.
        """
        return None
