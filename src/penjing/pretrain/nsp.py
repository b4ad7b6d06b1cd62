"""Next-sentence prediction: does the second passage follow the first one, or is it from another document?

    minimise  -log softmax(U tanh(W h_first + b) + c)[y],   y = 1 for a passage of another document, about half of all

A document, or a piece of one, is cut in two before a word in its middle half; the other passage is the second part of
another document of the same batch.

Source: Devlin, Chang, Lee, Toutanova, BERT, 2019.
When: beside `mlm`, where a task asks whether two texts are about the same matter. When not: alone; and Liu and others,
RoBERTa, 2019, found no gain over `mlm` alone on most tasks: it can be solved by topic. `sop` is harder.
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
    """The options of `pretrain.nsp`."""


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """Train the encoder `inputs.parent` on `inputs.corpora`. Raises UsageError for another family, and as `grow`."""
    return grow("nsp", inputs, options, run, [("nsp", 1.0, options)], {"nsp": NextSentence})


class NextSentence(PairTerm):
    """The term of the loss above."""

    name, target = "nsp", "other"

    def arrange(self, batch: TextBatch, draw: np.random.Generator) -> TextBatch:
        pairs = [cut_row(row, draw) for row in batch.rows()]
        labels = np.zeros(len(pairs), dtype=np.int64)
        joined = []
        for row, (first, second) in enumerate(pairs):
            others = np.flatnonzero(batch.sources != batch.sources[row])
            if len(others) and draw.random() < 0.5:
                labels[row], second = 1, pairs[int(draw.choice(others))][1]
            joined.append((first, second))
        return join_pairs(joined, batch.sources, self.marks, self.length).with_targets(other=labels)
