"""The same document twice, exactly or nearly, among any number of stored blocks; memory grows by bytes a document.

Exact: by a hash of 64 bits over the tokens. Near: MinHash (Broder, "On the resemblance and containment of documents",
1997) of runs of tokens in 20 bands of 6 rows; a pair that shares a band is compared by its Jaccard similarity, at least
0.85. Its sketches (`sketches.py`) decide for short documents, and pass over most pairs of long ones. Bands are on the
disk and are sorted one at a time. Per million documents some 60 MB of memory are needed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from penjing.core.nouns import Progress
from penjing.core.stop import check_stop
from penjing.data.corpus.blocks import BANDS
from penjing.data.corpus.characters import Array, characters, mixed, shingles, tokens
from penjing.data.corpus.sketches import Sketches

SIMILARITY = 0.85
_ROWS = 6
_BEFORE = 4  # earlier documents of the same band that a document is compared with, beside the first
_TRIES = 32  # comparisons of one document by its text: the time for thousands of similar long texts stays linear
_AT_ONCE = 2048  # pairs whose sketches are compared together
_HELD, _DECIDED = 256, 1 << 16  # texts in memory, and pairs whose comparison is remembered
_SLICE = 2048
_FACTORS = mixed(np.arange(1, BANDS * _ROWS + 1, dtype=np.uint64)) | np.uint64(1)  # odd: no two hashes become one
_ODD = np.uint64(0x9E3779B97F4A7C15)
KEPT, EXACT, NEAR = 0, 1, 2


def least_hashes(hashes: Array) -> Array:
    """(BANDS * _ROWS,) uint64: of the shingles of a text the least under each of so many hash functions."""
    least = np.full(BANDS * _ROWS, np.uint64(0xFFFFFFFFFFFFFFFF))
    for low in range(0, len(hashes), _SLICE):
        np.minimum(least, (hashes[low : low + _SLICE, None] * _FACTORS).min(axis=0), out=least)
    return least


def band_keys(least: Sequence[Array]) -> Array:
    """(n, BANDS) uint64 of the least hashes of n texts: texts that share one of these may be near duplicates."""
    rows = np.array(least, dtype=np.uint64).reshape(len(least), BANDS, _ROWS)
    total = np.zeros((len(least), BANDS), dtype=np.uint64)
    for row in range(_ROWS):
        total = mixed(total * _ODD + rows[:, :, row])
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


@dataclass(frozen=True)
class Hashed:
    """What was hashed of all documents. bands: a folder with a file of keys, eight bytes a document, for each band."""

    bands: Path
    sketches: Sketches


def find_near(
    hashed: Hashed,
    verdicts: Verdicts,
    text_of: Callable[[int], str],
    progress: Progress,
    stop: Callable[[], bool] = lambda: False,
) -> None:
    """Mark documents that are nearly an earlier one; the first of such documents is always kept.

    text_of: the text of a document, for what its sketch does not decide.

    Raises RunInterruptedError where `stop` says so.
    """
    state, same_as = verdicts.state, verdicts.same_as
    tries = np.zeros(len(state), dtype=np.uint8)
    cached = lru_cache(maxsize=_HELD)(lambda number: shingles(tokens(characters(text_of(number)))))

    @lru_cache(maxsize=_DECIDED)
    def alike(one: int, other: int) -> bool:
        if tries[one] >= _TRIES:
            return False
        tries[one] += 1
        return jaccard(cached(one), cached(other)) >= SIMILARITY

    progress.start("looking for near duplicates", BANDS)
    for band in range(BANDS):
        check_stop(stop)
        pairs = _pairs(hashed.bands / f"{band:02d}", state)
        for first in range(0, len(pairs), _AT_ONCE):
            check_stop(stop)
            one, other = pairs[first : first + _AT_ONCE] >> 32, pairs[first : first + _AT_ONCE] & 0xFFFFFFFF
            undecided = (state[one] == KEPT) & (state[other] == KEPT)
            one, other = one[undecided], other[undecided]
            if not len(one):
                continue
            may_be, certain = hashed.sketches.compare(one, other, SIMILARITY)
            for place in np.flatnonzero(may_be).tolist():
                later, earlier = int(one[place]), int(other[place])
                if state[later] == state[earlier] == KEPT and (certain[place] or alike(later, earlier)):
                    state[later], same_as[later] = NEAR, earlier
        progress.advance()


def _pairs(path: Path, state: Array) -> Array:
    """(p,) int64: document << 32 | an earlier one with the same key, by document, then by the earlier one."""
    keys = np.fromfile(path, dtype="<u8")
    alive = np.flatnonzero(state == KEPT)
    order = alive[np.argsort(keys[alive], kind="stable")]
    if len(order) < 2:
        return np.zeros(0, dtype=np.int64)
    same = keys[order[1:]] == keys[order[:-1]]
    del keys
    begins = np.flatnonzero(np.concatenate([[True], ~same]))
    rank = np.arange(len(order)) - np.repeat(begins, np.diff(begins, append=len(order)))  # within its key
    found = []
    for back in range(1, _BEFORE + 1):
        places = np.flatnonzero(rank >= back)
        found.append(order[places] << 32 | order[places - back])
    later = np.flatnonzero(rank > _BEFORE)
    found.append(order[later] << 32 | order[later - rank[later]])
    pairs: Array = np.unique(np.concatenate(found))
    return pairs
