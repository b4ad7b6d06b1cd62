"""Documents cut into pieces, and pieces packed into rows of a fixed length: little padding, no further cuts.

Best fit, decreasing: within a pool of shuffled pieces, the longest first, each goes into the fullest row that still has
room for it. Source: Ding and others, Fewer Truncations Improve Language Modeling, 2024 (packing by best fit instead of
cutting a stream of concatenated documents).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
# Pieces that are packed together: more fill the rows better, fewer keep the order closer to the shuffled one.
_POOL = 4096


@dataclass(frozen=True)
class Pieces:
    """Parts of documents, none longer than a limit: document, first token, number of tokens, domain; each (pieces,)."""

    documents: Ints
    starts: Ints
    lengths: Ints
    domains: Ints

    def __len__(self) -> int:
        return len(self.documents)


def cut_documents(lengths: Ints, domains: Ints, room: int, least: int = 2) -> Pieces:
    """Every document in pieces of nearly equal length, at most `room` tokens; pieces below `least` are left out."""
    counts = np.maximum(1, -(-lengths // room))
    documents = np.repeat(np.arange(len(lengths)), counts)
    first = np.cumsum(counts) - counts
    number = np.arange(len(documents)) - first[documents]
    starts = number * lengths[documents] // counts[documents]
    ends = (number + 1) * lengths[documents] // counts[documents]
    kept = ends - starts >= least
    return Pieces(documents[kept], starts[kept], (ends - starts)[kept], domains[documents[kept]])


def pack(lengths: Ints, order: Ints, room: int) -> list[Ints]:
    """Rows of pieces, in the order given, whose lengths sum to at most `room`; every piece is in one row."""
    rows: list[Ints] = []
    for start in range(0, len(order), _POOL):
        pool = order[start : start + _POOL]
        rows += _pack_pool(lengths, pool[np.argsort(-lengths[pool], kind="stable")], room)
    return rows


def _pack_pool(lengths: Ints, order: Sequence[int] | Ints, room: int) -> list[Ints]:
    rows: list[list[int]] = []
    # The open rows by the room that is left in them, and the sizes of room that occur, in order.
    by_room: dict[int, list[int]] = {}
    sizes: list[int] = []
    for piece in order:
        length = int(lengths[piece])
        place = bisect_left(sizes, length)
        if place < len(sizes):
            left = sizes[place]
            row = by_room[left].pop()
            if not by_room[left]:
                del by_room[left]
                sizes.pop(place)
        else:
            left, row = room, len(rows)
            rows.append([])
        rows[row].append(int(piece))
        left -= length
        if left > 0:
            if left not in by_room:
                by_room[left] = []
                insort(sizes, left)
            by_room[left].append(row)
    return [np.array(row, dtype=np.int64) for row in rows]
