"""Contrastive learning: a text is nearer to itself, or to a text that means the same, than to the others of the batch.

    h = mean over tokens of the last states,   s(a, b) = cos(a, b) / T
    minimise  mean over rows i of  -log( exp s(h_i, g_i) / sum over j of exp s(h_i, g_j) )

Without pairs, g_i is the same text read a second time with other dropout. With pairs from a file, g_i is its partner,
and texts that do not mean the same, where the file has them, are among the g_j.

Source: Gao, Yao, Chen, SimCSE: Simple Contrastive Learning of Sentence Embeddings, 2021; van den Oord, Li, Vinyals,
Representation Learning with Contrastive Predictive Coding, 2018 (the loss).
When: after `mlm`, for comparing whole texts (search, neighbours, few labels); batches of 64 texts and more. When not:
from scratch, or for labels on single words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from pydantic import Field
from torch import nn
from torch.nn import functional

from penjing.core.errors import UsageError
from penjing.core.nouns import Artifact, Family, Inputs, Run
from penjing.model.heads import mean_pool
from penjing.pretrain.parts.batch import TextBatch, TokenRow, stack_rows
from penjing.pretrain.parts.grow import grow
from penjing.pretrain.parts.network import NetworkWithHeads
from penjing.pretrain.parts.options import LoopOptions
from penjing.pretrain.parts.term import Kit, Term

FAMILIES: tuple[Family, ...] = ("encoder",)


class Options(LoopOptions):
    """The options of `pretrain.contrastive`."""

    temperature: float = Field(0.05, gt=0, le=10, description="temperature T of the similarities")


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """Train the encoder `inputs.parent` on `inputs.corpora`, or on `inputs.pairs` where there are any.

    Raises UsageError for another family, or without pairs for a network without dropout, and as `grow`.
    """
    return grow("contrastive", inputs, options, run, [("contrastive", 1.0, options)], {"contrastive": NearTexts})


class NearTexts(Term):
    """The term of the loss above."""

    packs = False
    random_score = True

    def __init__(self, kit: Kit, options: Options) -> None:
        self.kit, self.options = kit, options
        self.pairs = kit.inputs.pairs
        drops = any(isinstance(part, nn.Dropout) and part.p > 0 for part in kit.model.modules())
        if not self.pairs and not drops:
            raise UsageError(
                "this network has no dropout, so that a text read twice gives the same states",
                fix="give `pairs:` to the recipe, or set the dropout in the config.json of the base to 0.1",
            )

    def change(self, batch: TextBatch, draw: np.random.Generator) -> TextBatch:
        if not self.pairs:
            return batch
        chosen = draw.choice(len(self.pairs), size=len(batch), replace=len(self.pairs) < len(batch))
        return batch.with_targets(pairs=chosen)

    def loss(self, network: NetworkWithHeads, batch: TextBatch, states: Callable[[], torch.Tensor]) -> torch.Tensor:  # noqa: ARG002
        if self.pairs:
            columns = list(zip(*(self.pairs[number] for number in batch.targets["pairs"]), strict=True))
            first, second = (self._pooled(network, column) for column in columns[:2])
            others = [text for text in columns[2] if text]
            if others:
                second = torch.cat([second, self._pooled(network, others)])
        else:
            mask = network.tensor((batch.documents > 0).astype(np.int64))
            first, second = (mean_pool(network.states(batch, gold=True), mask) for _ in range(2))
        return info_nce(first.float(), second.float(), self.options.temperature)

    def _pooled(self, network: NetworkWithHeads, texts: Sequence[str]) -> torch.Tensor:
        marks, room = self.kit.marks, self.kit.length - self.kit.marks.frame
        rows = []
        for encoding in self.kit.tokenizer.encode_batch(list(texts), add_special_tokens=False):
            ids = np.array([*marks.before, *encoding.ids[:room], *marks.after], dtype=np.int64)
            ones = np.ones(len(ids), dtype=np.int64)
            rows.append(TokenRow(ids, ones, ones > 0, ones > 0, ones * 0))
        batch = stack_rows(rows, marks.padding)
        return mean_pool(network.states(batch), network.tensor(batch.documents))


def info_nce(first: torch.Tensor, second: torch.Tensor, temperature: float) -> torch.Tensor:
    """The loss above of h (n, width) and g (m, width), m >= n; g_i belongs to h_i, the rest to none."""
    nearness = functional.normalize(first, dim=1) @ functional.normalize(second, dim=1).T / temperature
    return functional.cross_entropy(nearness, torch.arange(len(first), device=first.device))
