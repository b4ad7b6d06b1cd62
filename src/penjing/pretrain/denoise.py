"""Span denoising: a text with hidden spans becomes the spans, each after the sentinel that stands for it.

    read   "Thank you <extra_id_0> me to your party <extra_id_1> week"
    write  "<extra_id_0> for inviting <extra_id_1> last"
    minimise  mean over written tokens of  -log softmax(W d_t)[y_t],   d: states of the decoder

15 % of the tokens are hidden, in spans of three tokens on average; spans and the text between them are a random
partition.

Source: Raffel and others, Exploring the Limits of Transfer Learning with a Unified Text-to-Text Transformer, 2020
(section 3.1.4).
When: for a network that writes a text from a text, such as a summary or a rewriting. When not: for labels, where the
decoder is half of the weights and of no use.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch.nn import functional

from penjing.core.nouns import Artifact, Family, Inputs, Run
from penjing.pretrain.parts.batch import TextBatch, TokenRow, stack_rows
from penjing.pretrain.parts.grow import grow
from penjing.pretrain.parts.marks import Marks
from penjing.pretrain.parts.network import NetworkWithHeads
from penjing.pretrain.parts.options import LoopOptions
from penjing.pretrain.parts.term import Kit, Term

FAMILIES: tuple[Family, ...] = ("encoder-decoder",)
Ints = npt.NDArray[np.int64]
NOTHING = -100


class Options(LoopOptions):
    """The options of `pretrain.denoise`."""

    share: float = Field(0.15, gt=0, lt=0.9, description="share of the tokens that are hidden")
    span: float = Field(3.0, ge=1, le=20, description="mean length of a hidden span in tokens")


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """Train the encoder-decoder `inputs.parent` on `inputs.corpora`. Raises UsageError for another family."""
    return grow("denoise", inputs, options, run, [("denoise", 1.0, options)], {"denoise": HiddenSpans})


class HiddenSpans(Term):
    """The term of the loss above."""

    families = FAMILIES
    packs = False
    changes = True

    def __init__(self, kit: Kit, options: Options) -> None:
        self.marks, self.options = kit.marks, options
        self.start = int(kit.config.decoder_start_token_id or 0)

    def change(self, batch: TextBatch, draw: np.random.Generator) -> TextBatch:
        read, written = [], []
        for row in batch.rows():
            left, spans = hide_spans(row.ids[row.content], self.marks, self.options, draw)
            ones = np.ones(len(left), dtype=np.int64)
            read.append(TokenRow(left, ones, ones > 0, ones > 0, ones * 0, row.source))
            written.append(spans)
        target = np.full((len(written), max(map(len, written))), NOTHING, dtype=np.int64)
        for place, spans in enumerate(written):
            target[place, : len(spans)] = spans
        changed = stack_rows(read, self.marks.padding)
        return replace(changed, targets=batch.targets).with_targets(written=target)

    def count(self, batch: TextBatch) -> int:
        return int((batch.targets["written"] != NOTHING).sum())

    def loss(self, network: NetworkWithHeads, batch: TextBatch, states: Callable[[], torch.Tensor]) -> torch.Tensor:  # noqa: ARG002
        wanted = network.tensor(batch.targets["written"])
        before = torch.roll(wanted, 1, dims=1)
        before[:, 0] = self.start
        before = before.masked_fill(before == NOTHING, self.marks.padding)
        scores = network.model(
            input_ids=network.tensor(batch.ids), decoder_input_ids=before, **network.places(batch)
        ).logits
        return functional.cross_entropy(scores.flatten(0, 1).float(), wanted.flatten(), ignore_index=NOTHING)


def hide_spans(ids: Ints, marks: Marks, options: Options, draw: np.random.Generator) -> tuple[Ints, Ints]:
    """(what is read, what is written) for the tokens of a document, both with the mark of the end."""
    hidden = min(max(1, round(options.share * len(ids))), len(ids) - 1)
    most = min(hidden, len(ids) - hidden, len(marks.sentinels))
    spans = min(max(1, round(hidden / options.span)), most)
    lengths = _partition(hidden, spans, draw), _partition(len(ids) - hidden, spans, draw)
    read, written, place = [], [], 0
    for number in range(spans):
        kept, cut = place + int(lengths[1][number]), place + int(lengths[1][number] + lengths[0][number])
        read += [ids[place:kept], [marks.sentinels[number]]]
        written += [[marks.sentinels[number]], ids[kept:cut]]
        place = cut
    return np.concatenate([*read, marks.after]).astype(np.int64), np.concatenate([*written, marks.after]).astype(
        np.int64
    )


def _partition(total: int, parts: int, draw: np.random.Generator) -> Ints:
    """Random lengths of at least 1 that add up to `total`, every partition equally likely."""
    cuts = np.sort(draw.choice(np.arange(1, total), size=parts - 1, replace=False)) if parts > 1 else np.zeros(0)
    return np.diff(np.concatenate([[0], cuts, [total]])).astype(np.int64)
