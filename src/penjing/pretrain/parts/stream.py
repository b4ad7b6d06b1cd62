"""The order in which a training reads a corpus: passes of shuffled rows, cut into batches, up to a number of tokens.

The number of a row contains its pass, so that whatever is drawn at random for a batch depends on the seed and on the
place in the training alone: a resumed training meets the same masks, and each pass has new ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from penjing.core.errors import DataError
from penjing.data.corpus.pack import cut_documents, pack
from penjing.data.corpus.tokens import TokenStore
from penjing.pretrain.parts.batch import TextBatch, TokenRow, stack_rows
from penjing.pretrain.parts.marks import Marks
from penjing.train.batches import Budget, epoch_batches

Ints = npt.NDArray[np.int64]
_PASS = 40  # bits of a row's number below that of its pass
SHORTEST_PIECE = 2  # tokens of the shortest piece of a document that is read


@dataclass(frozen=True)
class RowShape:
    """length: most tokens of a row; tokens: of a batch; packed: whether a row may have several documents.

    spare: tokens of a row that are left free for the marks of an objective.
    """

    length: int
    tokens: int
    packed: bool
    spare: int = 0


class Stream:
    """Rows of a store in batches, pass after pass, until `tokens` tokens were read (special tokens included)."""

    def __init__(
        self, store: TokenStore, marks: Marks, shape: RowShape, seed: int, tokens: int, domain: int | None = None
    ) -> None:
        """domain: the only domain whose documents are read (None: all). Raises DataError where there are none."""
        self.store, self.marks, self.shape, self.seed, self.tokens = store, marks, shape, seed, tokens
        room = shape.length - marks.frame - shape.spare
        lengths, domains = store.lengths, store.domains
        if domain is not None:
            lengths = np.where(domains == domain, lengths, 0)
        self.pieces = cut_documents(lengths, domains, room, SHORTEST_PIECE)
        if not len(self.pieces):
            raise DataError("the corpus has no document of two tokens or more", fix="give it more texts")
        self._lengths = self.pieces.lengths + marks.frame
        self._read_pass = lru_cache(maxsize=2)(self._make_pass)

    @cached_property
    def ends(self) -> list[int]:
        """The number of steps until the end of each pass; the last one may be partial."""
        ends, left, number = [0], self.tokens, 0
        while left > 0:
            rows, batches = self._read_pass(number)
            sums = np.cumsum([sum(int(self._lengths[rows[row]].sum()) for row in batch) for batch in batches])
            count = min(len(batches), int(np.searchsorted(sums, left)) + 1)
            ends.append(ends[-1] + count)
            left -= int(sums[count - 1])
            number += 1
        return ends[1:]

    @property
    def pass_tokens(self) -> int:
        """Tokens of one pass, special tokens included."""
        return int(self._lengths.sum())

    @property
    def steps(self) -> int:
        """Batches of the whole training."""
        return self.ends[-1]

    def batches(self, first: int, end: int) -> Iterator[Ints]:
        """The row numbers of the batches from step `first` to below `end`."""
        begin = 0
        for number, last in enumerate(self.ends):
            if first < last and end > begin:
                _, batches = self._read_pass(number)
                for batch in batches[max(0, first - begin) : end - begin]:
                    yield batch + (number << _PASS)
            begin = last

    def read(self, numbers: Ints) -> TextBatch:
        """The tokens of a batch."""
        return stack_rows([self._row(pieces) for pieces in self._chosen(numbers)], self.marks.padding)

    def count(self, numbers: Ints) -> int:
        """The tokens of a batch without padding."""
        return sum(int(self._lengths[pieces].sum()) for pieces in self._chosen(numbers))

    def _chosen(self, numbers: Ints) -> list[Ints]:
        rows, _ = self._read_pass(int(numbers[0]) >> _PASS)
        return [rows[int(number) & ((1 << _PASS) - 1)] for number in numbers]

    def draw(self, numbers: Ints) -> np.random.Generator:
        """The random numbers of a batch: the same for the same seed and place."""
        return np.random.default_rng([self.seed, int(numbers[0]) >> _PASS, int(numbers[0]) & ((1 << _PASS) - 1)])

    def _make_pass(self, number: int) -> tuple[Sequence[Ints], list[Ints]]:
        """The rows of a pass, each the numbers of its pieces, and its batches of rows."""
        if not self.shape.packed:
            rows: Sequence[Ints] = list(np.arange(len(self.pieces), dtype=np.int64)[:, None])
            # The tokens decide how many rows a batch has; this bounds batches of rows shorter than 8 tokens alone.
            budget = Budget(max(1, self.shape.tokens // 8), self.shape.tokens)
            return rows, epoch_batches(self._lengths + self.shape.spare, budget, self.seed, number)
        draw = np.random.default_rng([self.seed, number])
        rows = pack(self._lengths, draw.permutation(len(self.pieces)), self.shape.length)
        count = max(1, self.shape.tokens // self.shape.length)
        order = draw.permutation(len(rows))
        return rows, [order[start : start + count] for start in range(0, len(order), count)]

    def _row(self, pieces: Ints) -> TokenRow:
        before, after = self.marks.before, self.marks.after
        ids, documents, words, content = [], [], [], []
        for place, piece in enumerate(pieces, 1):
            document, start = int(self.pieces.documents[piece]), int(self.pieces.starts[piece])
            found, begins = self.store.read(document, start, start + int(self.pieces.lengths[piece]))
            frame = np.zeros(len(before), dtype=np.bool_), np.zeros(len(after), dtype=np.bool_)
            first = begins.copy()
            first[0] = True
            ids += [np.array(before, dtype=np.int64), found, np.array(after, dtype=np.int64)]
            words += [frame[0], first, frame[1]]
            content += [frame[0], np.ones(len(found), dtype=np.bool_), frame[1]]
            documents.append(np.full(len(before) + len(found) + len(after), place, dtype=np.int64))
        joined = np.concatenate(ids)
        return TokenRow(
            joined, np.concatenate(documents), np.concatenate(words), np.concatenate(content),
            np.zeros(len(joined), dtype=np.int64), int(self.pieces.documents[pieces[0]]),
        )  # fmt: skip
