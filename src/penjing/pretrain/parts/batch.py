"""A batch of token rows as numpy arrays, before it becomes the input of a network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class TokenRow:
    """One row before padding; all (tokens,): ids, number of the document in the row from 1 on, word starts, content.

    content: false for the special tokens around a document. types: segment of a token in a pair. source: the document
    in the corpus that the row begins with.
    """

    ids: Ints
    documents: Ints
    words: Flags
    content: Flags
    types: Ints
    source: int = -1


@dataclass(frozen=True)
class TextBatch:
    """Rows of one length, all (rows, tokens); documents is 0 where padded. `ids` is what the network reads.

    gold: the ids before an objective changed them; targets: what objectives have to find, by name, one entry per row.
    """

    ids: Ints
    gold: Ints
    documents: Ints
    words: Flags
    content: Flags
    types: Ints
    sources: Ints
    targets: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def tokens(self) -> int:
        """Tokens without padding."""
        return int((self.documents > 0).sum())

    def rows(self) -> Iterator[TokenRow]:
        """The rows without padding and as they were before an objective changed them."""
        for row in range(len(self)):
            real = self.documents[row] > 0
            yield TokenRow(
                self.gold[row][real], self.documents[row][real], self.words[row][real], self.content[row][real],
                self.types[row][real], int(self.sources[row]),
            )  # fmt: skip

    def with_targets(self, **targets: npt.NDArray[Any]) -> TextBatch:
        """The batch with more targets."""
        return replace(self, targets={**self.targets, **targets})

    def split(self, count: int) -> list[TextBatch]:
        """The rows in at most `count` parts of nearly equal size, none of them empty."""
        parts = np.array_split(np.arange(len(self)), min(count, len(self)))
        return [self.take(part) for part in parts]

    def take(self, rows: Ints) -> TextBatch:
        """Those rows, in that order."""
        return TextBatch(
            self.ids[rows], self.gold[rows], self.documents[rows], self.words[rows], self.content[rows],
            self.types[rows], self.sources[rows], {name: values[rows] for name, values in self.targets.items()},
        )  # fmt: skip


def stack_rows(rows: Sequence[TokenRow], padding: int) -> TextBatch:
    """Rows of any lengths as one batch, padded on the right."""
    wide = max(len(row.ids) for row in rows)
    shape = len(rows), wide
    ids = np.full(shape, padding, dtype=np.int64)
    documents, types = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    words, content = np.zeros(shape, dtype=np.bool_), np.zeros(shape, dtype=np.bool_)
    for place, row in enumerate(rows):
        end = len(row.ids)
        ids[place, :end], documents[place, :end], types[place, :end] = row.ids, row.documents, row.types
        words[place, :end], content[place, :end] = row.words, row.content
    sources = np.array([row.source for row in rows], dtype=np.int64)
    return TextBatch(ids, ids, documents, words, content, types, sources)
