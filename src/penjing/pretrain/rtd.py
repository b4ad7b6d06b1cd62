"""Replaced-token detection: a small generator fills hidden tokens, and the network says which tokens are replaced.

    minimise  MLM(generator)  +  w  mean over all tokens t of  BCE(v . gelu(W h_t + b) + c,  y_t)
    y_t = 1 where the token that the generator drew differs from the true one

MLM(generator) is a mean over the hidden tokens of the batch. A part of a batch counts by all of its tokens, and gets
the share of hidden ones in the whole batch, so that the parts of a step add up to its loss.

The generator is thrown away. It reads the network's own token embeddings through a linear map, and has the type and the
depth of the network at a part of its width.

Source: Clark, Luong, Le, Manning, ELECTRA: Pre-training Text Encoders as Discriminators Rather Than Generators, 2020.
When: for an encoder from scratch where compute is short: the network learns from every token, not from 15 % of them.
When not: for a base that must fill in hidden words afterwards, or together with `mlm`, which the generator learns.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import torch
from pydantic import Field
from torch import nn
from torch.nn import functional

from penjing.core.nouns import Artifact, Family, Inputs, Run
from penjing.model.pretrained import build_network
from penjing.model.token_head import TokenHead
from penjing.pretrain.mlm import Options as MaskOptions
from penjing.pretrain.mlm import hide
from penjing.pretrain.parts.batch import TextBatch
from penjing.pretrain.parts.grow import grow
from penjing.pretrain.parts.network import NetworkWithHeads
from penjing.pretrain.parts.options import LoopOptions
from penjing.pretrain.parts.term import Kit, Term

FAMILIES: tuple[Family, ...] = ("encoder",)


class Options(LoopOptions):
    """The options of `pretrain.rtd`."""

    share: float = Field(0.15, gt=0, le=0.9, description="share of the tokens that the generator fills in")
    generator: float = Field(0.5, gt=0, le=1, description="width of the generator as a share of that of the network")
    weight: float = Field(50.0, gt=0, le=1000, description="weight of the detection beside the generator's loss")


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """Train the encoder `inputs.parent` on `inputs.corpora`. Raises UsageError for another family, and as `grow`."""
    return grow("rtd", inputs, options, run, [("rtd", 1.0, options)], {"rtd": ReplacedTokens})


class Generator(nn.Module):
    """The small network with its head, and the head that detects: all that `rtd` adds."""

    def __init__(self, kit: Kit, share: float) -> None:
        super().__init__()
        config = copy.deepcopy(kit.config)
        table = kit.model.get_input_embeddings().weight  # type: ignore[operator]
        width, embedded = int(config.hidden_size), table.shape[1]
        heads = max(1, round(int(config.num_attention_heads) * share))
        small = width // int(config.num_attention_heads) * heads
        config.hidden_size, config.num_attention_heads = small, heads
        config.intermediate_size = max(1, int(config.intermediate_size) * small // width)
        if hasattr(config, "embedding_size"):
            config.embedding_size = small
        self.network = build_network(config)
        # The network's own table is read instead; this one would be trained for nothing.
        self.network.set_input_embeddings(nn.Embedding(1, small))  # type: ignore[operator]
        self.network.get_input_embeddings().requires_grad_(False)  # type: ignore[operator]
        self.narrow = nn.Linear(embedded, small, bias=False)
        self.head = TokenHead(small, embedded, int(config.vocab_size))
        self.head.limit_scores(table)
        self.dense, self.detect = nn.Linear(width, width), nn.Linear(width, 1)
        for layer in (self.narrow, self.dense, self.detect):
            nn.init.normal_(layer.weight, std=0.02)
        for layer in (self.dense, self.detect):
            nn.init.zeros_(layer.bias)


class ReplacedTokens(Term):
    """The term of the loss above."""

    changes = True
    random_score = True

    def __init__(self, kit: Kit, options: Options) -> None:
        self.marks, self.options = kit.marks, options
        self.masks = MaskOptions(share=options.share, unit="token")
        self._head = Generator(kit, options.generator)

    def head(self) -> nn.Module:
        return self._head

    def change(self, batch: TextBatch, draw: np.random.Generator) -> TextBatch:
        changed = hide(batch, self.marks, self.masks, draw)
        share = changed.targets["hidden"].sum() / max(1, batch.content.sum())
        return changed.with_targets(share=np.full(len(batch), share))

    def count(self, batch: TextBatch) -> int:
        return int(batch.content.sum())

    def loss(self, network: NetworkWithHeads, batch: TextBatch, states: Callable[[], torch.Tensor]) -> torch.Tensor:  # noqa: ARG002
        part = network.heads["rtd"]
        assert isinstance(part, Generator)
        gold, hidden = network.tensor(batch.gold), network.tensor(batch.targets["hidden"])
        table = network.embeddings
        read = part.narrow(functional.embedding(network.tensor(batch.ids), table))
        found = part.network(inputs_embeds=read, **network.places(batch)).last_hidden_state
        scores = part.head(found[hidden], table).float()
        filled, replaced = fill(gold, hidden, scores)
        real = network.tensor(batch.content)
        inside = network.read(filled, batch)[real]
        logits = part.detect(functional.gelu(part.dense(inside))).squeeze(1).float()
        # As many hidden tokens as a part of this size has in the whole batch.
        expected = float(batch.targets["share"][0]) * len(logits)
        guessing = functional.cross_entropy(scores, gold[hidden], reduction="sum") / expected
        detecting = functional.binary_cross_entropy_with_logits(logits, replaced[real].float())
        return guessing + self.options.weight * detecting


def fill(gold: torch.Tensor, hidden: torch.Tensor, scores: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw a token for each hidden place from the scores (hidden tokens, entries).

    Returns the ids and which of them differ from the true ones, both (rows, tokens).
    """
    drawn = torch.multinomial(functional.softmax(scores.detach(), dim=1), 1).squeeze(1)
    filled = gold.clone()
    filled[hidden] = drawn
    return filled, filled != gold
