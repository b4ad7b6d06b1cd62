"""Two passages in one row, as next-sentence and sentence-order prediction need them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from penjing.pretrain.parts.batch import TextBatch, TokenRow, stack_rows
from penjing.pretrain.parts.heads import PairHead
from penjing.pretrain.parts.marks import Marks
from penjing.pretrain.parts.network import Grown

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
    rows = []
    for (first, second), source in zip(pairs, sources, strict=True):
        room = length - marks.frame - len(marks.after) - len(first[0])
        second = second[0][: max(1, room)], second[1][: max(1, room)]
        parts = [marks.before, first, marks.after, second, marks.after]
        ids, words, content = [], [], []
        for part in parts:
            mark = len(part) != 2 or not isinstance(part[0], np.ndarray)
            found = np.array(part, dtype=np.int64) if mark else part[0]
            ids.append(found)
            words.append(np.zeros(len(found), dtype=np.bool_) if mark else np.asarray(part[1]))
            content.append(np.full(len(found), not mark))
        joined = np.concatenate(ids)
        types = np.zeros(len(joined), dtype=np.int64)
        types[len(ids[0]) + len(ids[1]) + len(ids[2]) :] = 1
        rows.append(
            TokenRow(
                joined, np.ones(len(joined), dtype=np.int64), np.concatenate(words), np.concatenate(content), types,
                int(source),
            )  # fmt: skip
        )
    return stack_rows(rows, marks.padding)


def pair_loss(network: Grown, name: str, states: torch.Tensor, labels: npt.NDArray[np.int64]) -> torch.Tensor:
    """The cross entropy of a pair head against labels (rows,) of 0 or 1."""
    head = network.heads[name]
    assert isinstance(head, PairHead)
    return functional.cross_entropy(head(states[:, 0]).float(), network.tensor(labels))
