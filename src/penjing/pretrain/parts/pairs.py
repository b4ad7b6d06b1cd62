"""Two passages in one row, as next-sentence and sentence-order prediction need them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from penjing.pretrain.parts.batch import TextBatch, TokenRow, stack_rows
from penjing.pretrain.parts.heads import PairHead
from penjing.pretrain.parts.marks import Marks
from penjing.pretrain.parts.network import NetworkWithHeads
from penjing.pretrain.parts.options import LoopOptions
from penjing.pretrain.parts.term import Kit, Term

Passage = tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]


def cut_row(row: TokenRow, draw: np.random.Generator) -> tuple[Passage, Passage]:
    """The content of a row of one document in two, cut before a word in its middle half; neither part is empty."""
    ids, words = row.ids[row.content], row.words[row.content].copy()
    places = np.flatnonzero(words)
    middle = places[(places >= max(1, len(ids) // 4)) & (places <= max(1, 3 * len(ids) // 4))]
    cut = int(draw.choice(middle)) if len(middle) else max(1, len(ids) // 2)
    words[min(cut, len(words) - 1)] = True
    return (ids[:cut], words[:cut]), (ids[cut:], words[cut:])


def join_pairs(
    pairs: Sequence[tuple[Passage, Passage]], sources: npt.NDArray[np.int64], marks: Marks, length: int
) -> TextBatch:
    """Rows `before A after B after`, the second passage with segment 1 and cut where the row would be too long."""
    before, after = _marks(marks.before), _marks(marks.after)
    rows = []
    for (first, second), source in zip(pairs, sources, strict=True):
        room = max(1, length - marks.frame - len(marks.after) - len(first[0]))
        parts = [before, first, after, (second[0][:room], second[1][:room]), after]
        ids, words = [part[0] for part in parts], [part[1] for part in parts]
        content = [np.full(len(part[0]), place in (1, 3)) for place, part in enumerate(parts)]
        joined = np.concatenate(ids)
        types = np.zeros(len(joined), dtype=np.int64)
        types[len(ids[0]) + len(ids[1]) + len(ids[2]) :] = 1
        ones = np.ones(len(joined), dtype=np.int64)
        rows.append(TokenRow(joined, ones, np.concatenate(words), np.concatenate(content), types, int(source)))
    return stack_rows(rows, marks.padding)


def _marks(ids: Sequence[int]) -> Passage:
    """Special tokens as a passage in which no word begins."""
    return np.array(ids, dtype=np.int64), np.zeros(len(ids), dtype=np.bool_)


def pair_loss(
    network: NetworkWithHeads, name: str, states: torch.Tensor, labels: npt.NDArray[np.int64]
) -> torch.Tensor:
    """The cross entropy of a pair head against labels (rows,) of 0 or 1. states: (rows, tokens, width)."""
    head = network.heads[name]
    assert isinstance(head, PairHead)
    return functional.cross_entropy(head(states[:, 0]).float(), network.tensor(labels))


class PairTerm(Term):
    """Base class of the terms about two passages: a head on the first token says what was done to the pair.

    name: that of the objective. target: that of the target which `arrange` gives to a batch.
    """

    name: ClassVar[str]
    target: ClassVar[str]
    packs = False
    arranges = True

    def __init__(self, kit: Kit, _options: LoopOptions) -> None:
        self.marks, self.length = kit.marks, kit.length
        self.spare = len(kit.marks.after)
        self._head = PairHead(int(kit.config.hidden_size))

    def head(self) -> nn.Module:
        """The head of the pair."""
        return self._head

    def loss(self, network: NetworkWithHeads, batch: TextBatch, states: Callable[[], torch.Tensor]) -> torch.Tensor:
        """The cross entropy of the head against the target."""
        return pair_loss(network, self.name, states(), batch.targets[self.target])
