"""The same document twice, exactly or nearly, among any number of stored blocks; memory grows by bytes a document.

Exact: by a hash of 64 bits over the tokens. Near: MinHash (Broder, "On the resemblance and containment of documents",
1997) of runs of tokens in 20 bands of 6 rows; a pair that shares a band is compared by its true Jaccard similarity, at
least 0.85. Bands are on the disk and are sorted one at a time. Per million documents some 50 MB of memory are needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from penjing.core.nouns import Progress
from penjing.data.corpus.blocks import BANDS
from penjing.data.corpus.characters import Array, characters, mixed, shingles, tokens

SIMILARITY = 0.85
_ROWS = 6
_BEFORE = 4  # earlier documents of the same band that a document is compared with, beside the first
_TRIES = 32  # comparisons of one document: the time for thousands of similar texts stays linear
_SLICE = 2048
_FACTORS = mixed(np.arange(1, BANDS * _ROWS + 1, dtype=np.uint64)) | np.uint64(1)  # odd: no two hashes become one
_ODD = np.uint64(0x9E3779B97F4A7C15)
KEPT, EXACT, NEAR = 0, 1, 2


def band_keys(hashes: Array) -> Array:
    """(BANDS,) uint64 of the shingles of a text: texts that share one of these may be near duplicates."""
    least = np.full(BANDS * _ROWS, np.uint64(0xFFFFFFFFFFFFFFFF))
    for low in range(0, len(hashes), _SLICE):
        np.minimum(least, (hashes[low : low + _SLICE, None] * _FACTORS).min(axis=0), out=least)
    rows = least.reshape(BANDS, _ROWS)
    total = np.zeros(BANDS, dtype=np.uint64)
    for row in range(_ROWS):
        total = mixed(total * _ODD + rows[:, row])
    return total


def jaccard(one: Array, other: Array) -> float:
    """Of two sets of sorted hashes: what they share among all."""
    both = len(np.intersect1d(one, other, assume_unique=True))
    return both / max(1, len(one) + len(other) - both)


@dataclass(frozen=True)
class Verdicts:
    """state: (n,) KEPT, EXACT or NEAR; same_as: (n,) the earlier document that it repeats, itself where it is kept."""

    state: Array
    same_as: Array


def find_exact(hashes: Array) -> Verdicts:
    """Documents whose hash occurred before."""
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    begins = np.ones(len(order), dtype=bool)
    begins[1:] = ordered[1:] != ordered[:-1]
    first = order[np.flatnonzero(begins)][np.cumsum(begins) - 1] if len(order) else order
    same_as = np.arange(len(hashes), dtype=np.uint32)
    same_as[order] = first
    state = np.where(same_as == np.arange(len(hashes)), KEPT, EXACT).astype(np.uint8)
    return Verdicts(state, same_as)


def find_near(bands: Path, verdicts: Verdicts, text_of: Callable[[int], str], progress: Progress) -> None:
    """Mark documents that are nearly an earlier one; the first of such documents is always kept.

    bands: a folder with a file of keys, eight bytes a document, for each band; text_of: the text of a document.
    """
    state, same_as = verdicts.state, verdicts.same_as
    tries = np.zeros(len(state), dtype=np.uint8)
    refused: set[int] = set()
    cached = lru_cache(maxsize=256)(lambda number: shingles(tokens(characters(text_of(number)))))
    progress.start("looking for near duplicates", BANDS)
    for band in range(BANDS):
        for one, other in _pairs(bands / f"{band:02d}", state):
            pair = one << 32 | other
            if state[one] != KEPT or state[other] != KEPT or tries[one] >= _TRIES or pair in refused:
                continue
            tries[one] += 1
            if jaccard(cached(one), cached(other)) >= SIMILARITY:
                state[one], same_as[one] = NEAR, other
            else:
                refused.add(pair)
        progress.advance()


def _pairs(path: Path, state: Array) -> Iterator[tuple[int, int]]:
    """(document, an earlier one with the same key), by document, then by the earlier one."""
    keys = np.fromfile(path, dtype="<u8")
    alive = np.flatnonzero(state == KEPT)
    order = alive[np.argsort(keys[alive], kind="stable")]
    if len(order) < 2:
        return
    same = keys[order[1:]] == keys[order[:-1]]
    begins = np.flatnonzero(np.concatenate([[True], ~same]))
    first = np.repeat(begins, np.diff([*begins.tolist(), len(order)]))
    del keys
    found = []
    for back in range(1, _BEFORE + 1):
        places = np.flatnonzero(np.arange(len(order)) - back >= first)
        found.append(order[places] << 32 | order[places - back])
    later = np.flatnonzero(np.arange(len(order)) - _BEFORE > first)
    found.append(order[later] << 32 | order[first[later]])
    packed = np.unique(np.concatenate(found))
    for pair in packed:
        yield int(pair) >> 32, int(pair) & 0xFFFFFFFF
