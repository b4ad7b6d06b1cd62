"""Sketches: of each document the least hashes of its runs of tokens, which decide most comparisons without its text.

    J(A, B)  is estimated by  |A' n B'| / |A' u B'|,   A', B': the hashes of both up to the smaller of their bounds

A document of fewer than `SKETCH` runs has all of them in its sketch, and no bound: between two of these the estimate is
the Jaccard similarity itself. Source: Broder, On the resemblance and containment of documents, 1997 (bottom-k samples);
Cohen and Kaplan, Summarizing data using bottom-k sketches, 2007.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType

import numpy as np

from penjing.data.corpus.characters import Array

SKETCH = 128  # hashes of four bytes: at most 512 bytes a document
_NONE = np.uint32(0xFFFFFFFF)  # fills the rows of shorter sketches; no hash
_GAP = 1 << 12  # bytes between two sketches that are rather read than passed over
_DEVIATIONS = 4.0  # of an estimate: a document that is similar enough is missed once in 30,000


def sketch_of(shingled: Array) -> Array:
    """(at most SKETCH,) uint32: the upper halves of the least of the sorted hashes (s,) uint64."""
    return np.minimum((shingled[:SKETCH] >> np.uint64(32)).astype(np.uint32), _NONE - np.uint32(1))


class Sketches:
    """The sketches of all documents, in a file one after another. sizes: (n,) uint8; eight bytes a document are held.

    The file is read where it is asked for, and not mapped: mapped pages count as memory of the process.
    """

    def __init__(self, path: Path, sizes: Array) -> None:
        self._file = os.open(path, os.O_RDONLY)
        self._sizes = sizes
        self._starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes, dtype=np.int64)])

    def __enter__(self) -> Sketches:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)

    def compare(self, one: Array, other: Array, similarity: float) -> tuple[Array, Array]:
        """For pairs of documents (p,) and (p,): which may be that similar (p,), and of which this is certain (p,)."""
        documents, places = np.unique(np.concatenate([one, other]), return_inverse=True)
        rows, whole = self._rows(documents), self._sizes[documents] < SKETCH
        left, right = places[: len(one)], places[len(one) :]
        both = np.concatenate([rows[left], rows[right]], axis=1)
        if not whole.all():
            bounds = np.where(whole, _NONE, rows[:, -1])
            both[both > np.minimum(bounds[left], bounds[right])[:, None]] = _NONE
        both.sort(axis=1)
        filled = both != _NONE
        shared = ((both[:, 1:] == both[:, :-1]) & filled[:, 1:]).sum(axis=1)
        union = np.maximum(filled.sum(axis=1) - shared, 1)
        certain = whole[left] & whole[right]
        deviation = np.sqrt(similarity * (1 - similarity) / union)
        found = shared / union
        return found >= np.where(certain, similarity, similarity - _DEVIATIONS * deviation), certain

    def _rows(self, documents: Array) -> Array:
        """(d, w) sketches of sorted documents, w: the size of the longest, shorter ones filled with `_NONE`."""
        sizes, starts = self._sizes[documents].astype(np.int64), 4 * self._starts[documents]
        ends = starts + 4 * sizes
        parts = []
        breaks = np.flatnonzero(starts[1:] - ends[:-1] > _GAP) + 1
        for first, last in zip([0, *breaks.tolist()], [*breaks.tolist(), len(documents)], strict=True):
            begin = int(starts[first])
            read = np.frombuffer(os.pread(self._file, int(ends[last - 1]) - begin, begin), dtype="<u4")
            wanted = sizes[first:last]
            skipped = (starts[first:last] - begin) // 4 - (np.cumsum(wanted) - wanted)
            parts.append(read[np.arange(int(wanted.sum())) + np.repeat(skipped, wanted)])
        width = max(1, int(sizes.max()))
        rows = np.full((len(documents), width), _NONE)
        rows[np.arange(width) < sizes[:, None]] = np.concatenate(parts)
        return rows
