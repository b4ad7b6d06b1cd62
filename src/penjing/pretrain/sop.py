"""Sentence-order prediction: are two neighbouring passages in their order, or were they exchanged?

    minimise  -log softmax(U tanh(W h_first + b) + c)[y],   y = 1 for exchanged passages, which are half of all

A document, or a piece of one, is cut in two before a word in its middle half.

Source: Lan and others, ALBERT: A Lite BERT for Self-supervised Learning of Language Representations, 2020.
When: beside `mlm`, with a small weight, for tasks about several sentences and their order. When not: alone, or for
short texts of one sentence; it teaches little about words.
"""

from __future__ import annotations

import numpy as np

from penjing.core.nouns import Artifact, Family, Inputs, Run
from penjing.pretrain.parts.batch import TextBatch
from penjing.pretrain.parts.grow import grow
from penjing.pretrain.parts.options import LoopOptions
from penjing.pretrain.parts.pairs import PairTerm, cut_row, join_pairs

FAMILIES: tuple[Family, ...] = ("encoder",)


class Options(LoopOptions):
    """The options of `pretrain.sop`."""


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """Train the encoder `inputs.parent` on `inputs.corpora`. Raises UsageError for another family, and as `grow`."""
    return grow("sop", inputs, options, run, [("sop", 1.0, options)], {"sop": SentenceOrder})


class SentenceOrder(PairTerm):
    """The term of the loss above."""

    name, target = "sop", "exchanged"

    def arrange(self, batch: TextBatch, draw: np.random.Generator) -> TextBatch:
        labels = (draw.random(len(batch)) < 0.5).astype(np.int64)
        pairs = [cut_row(row, draw) for row in batch.rows()]
        turned = [
            (second, first) if label else (first, second) for label, (first, second) in zip(labels, pairs, strict=True)
        ]
        return join_pairs(turned, batch.sources, self.marks, self.length).with_targets(exchanged=labels)
