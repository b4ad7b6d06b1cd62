"""The same text twice, exactly or nearly: found within and across parts, removed so that nothing leaks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from penjing.core.errors import MissingPackageError
from penjing.core.nouns import Progress, Silent
from penjing.data.fold import fold, words_of

SIMILARITY = 0.85
# 20 bands of 6 rows: two texts at 0.85 meet in a band with probability 0.9999, at 0.5 with 0.27 (and fail the check).
_BANDS, _BAND_ROWS = 20, 6
_BLOCK = 4096  # texts whose shingles are in memory at once
_PRIME = 0x9E3779B97F4A7C15  # odd, so that multiplying modulo 2^64 loses nothing
_TRIES = 32  # comparisons of one text within one band: the time for thousands of similar texts stays linear
_CJK = re.compile("[\u3400-\u9fff\uf900-\ufaff\u3040-\u30ff\uac00-\ud7af]")


@dataclass(frozen=True)
class Duplicates:
    """What was found among n texts; all are positions in the order in which the texts were given.

    exact, near: (removed, kept) pairs; conflicts: groups of one text under several labels (every position);
    near_conflicts: (kept, kept) pairs of nearly one text under two labels; cluster: (n,) the first position of the
    cluster of nearly equal texts that each text is in.
    """

    exact: tuple[tuple[int, int], ...]
    near: tuple[tuple[int, int], ...]
    conflicts: tuple[tuple[int, ...], ...]
    near_conflicts: tuple[tuple[int, int], ...]
    cluster: tuple[int, ...]

    def exact_only(self) -> Duplicates:
        """Without what is only nearly the same text: to a model that does not read it, that means nothing."""
        return replace(self, near=(), near_conflicts=(), cluster=tuple(range(len(self.cluster))))


def shingles(text: str) -> set[str]:
    """Character 5-grams of a text in Chinese, Japanese or Korean, word 3-grams of any other."""
    plain = words_of(text) or text
    if len(_CJK.findall(plain)) * 4 >= len(plain):
        joined = plain.replace(" ", "")
        return {joined[i : i + 5] for i in range(max(1, len(joined) - 4))}
    words = plain.split(" ")
    return {" ".join(words[i : i + 3]) for i in range(max(1, len(words) - 2))}


def jaccard(left: set[str], right: set[str]) -> float:
    """|left ∩ right| / |left ∪ right|."""
    both = len(left & right)
    return both / (len(left) + len(right) - both)


def find_duplicates(
    texts: Sequence[str],
    labels: Sequence[str],
    rank: Sequence[int],
    protected: int | None = None,
    progress: Progress | None = None,
    beside: Sequence[str] | None = None,
    close: Callable[[str, str], bool] = lambda one, other: True,  # noqa: ARG005
) -> Duplicates:
    """Exact duplicates by `fold`, near ones by MinHash (Broder, "On the resemblance and containment of documents",
    1997) with bands, each candidate verified by its true Jaccard similarity of shingles, at least 0.85.

    Texts are compared in the order of `rank` (then of position), and the first of equal texts is kept. A near duplicate
    with another label and the same rank is kept, because the small difference may decide the label. With another rank
    it is removed, because it would leak from one part into another. Texts that occur with several labels are all
    removed, except that those of the rank `protected` (a given test part) are kept if their labels agree.
    beside: what a model reads of each row beside its text. Rows with different values of it are different cases; if
    their texts are nearly equal, they only share a cluster. close: what two nearly equal texts must pass in addition.
    """
    beside = beside or [""] * len(texts)
    order = sorted(range(len(texts)), key=lambda position: (rank[position], position))
    groups: dict[tuple[str, str], list[int]] = {}
    for position in order:
        groups.setdefault((fold(texts[position]), beside[position]), []).append(position)
    exact, conflicts, heads = [], [], []
    cluster = list(range(len(texts)))
    for group in groups.values():
        kept = [position for position in group if rank[position] == protected]
        if len({labels[position] for position in group}) > 1:
            conflicts.append(tuple(group))
            agreed = len({labels[position] for position in kept}) == 1
            group = kept if agreed else []
        if group:
            heads.append(group[0])
            exact += [(position, group[0]) for position in group[1:]]
    heads.sort(key=lambda position: (rank[position], position))
    near, near_conflicts, links = _near((texts, close), labels, rank, heads, beside, progress or Silent())
    for position, other in links:
        cluster[position] = _root(cluster, position)
        _join(cluster, position, other)
    return Duplicates(
        tuple(exact),
        tuple(near),
        tuple(conflicts),
        tuple(near_conflicts),
        tuple(_root(cluster, position) for position in range(len(texts))),
    )


def _near(
    compared: tuple[Sequence[str], Callable[[str, str], bool]],
    labels: Sequence[str],
    rank: Sequence[int],
    heads: list[int],
    beside: Sequence[str],
    progress: Progress,
) -> tuple[list[tuple[int, int]], list[tuple[int, int]], list[tuple[int, int]]]:
    near, near_conflicts, links = [], [], []
    texts, close = compared
    buckets: dict[tuple[int, int], list[int]] = {}
    sets: dict[int, set[str]] = {}
    # Only texts that share a band with another are compared, so only their shingles are kept in memory.
    for place, keys in _shared_bands([texts[position] for position in heads], progress):
        position = heads[place]
        own = sets[position] = shingles(texts[position])
        tried: set[int] = set()
        gone = False
        for other in (other for key in keys for other in buckets.get(key, ())[:_TRIES]):
            known = other in tried
            tried.add(other)
            if known or jaccard(own, sets[other]) < SIMILARITY or not close(texts[position], texts[other]):
                continue
            links.append((position, other))
            if beside[position] != beside[other]:
                continue
            if labels[position] == labels[other] or rank[position] != rank[other]:
                near.append((position, other))
                gone = True
                break
            near_conflicts.append((position, other))
        if gone:
            del sets[position]
        else:
            for key in keys:
                buckets.setdefault(key, []).append(position)
    return near, near_conflicts, links


def _shared_bands(texts: Sequence[str], progress: Progress) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """(position, its (band, hash) keys that another text has too), of texts that have any."""
    try:
        from rensa import RMinHash
    except ImportError:
        raise MissingPackageError(
            "finding near duplicates needs the package `rensa`", fix="pip install 'penjing[train]'"
        ) from None
    import numpy as np

    keys = np.zeros((len(texts), _BANDS), dtype=np.uint64)
    factors = np.array([_PRIME**power % 2**64 for power in range(_BAND_ROWS)], dtype=np.uint64)
    progress.start("looking for near duplicates", len(texts))
    for low in range(0, len(texts), _BLOCK):
        tokens = [sorted(shingles(text)) for text in texts[low : low + _BLOCK]]
        digests = RMinHash.digests_from_token_sets(tokens, _BANDS * _BAND_ROWS, 0)
        bands = np.asarray(digests, dtype=np.uint64).reshape(len(tokens), _BANDS, _BAND_ROWS)
        keys[low : low + len(tokens)] = (bands * factors).sum(axis=2, dtype=np.uint64)
        progress.advance(len(tokens))
    shared = np.zeros(keys.shape, dtype=bool)  # (texts, bands)
    for band in range(_BANDS):
        _, inverse, counts = np.unique(keys[:, band], return_inverse=True, return_counts=True)
        shared[:, band] = counts[inverse] > 1
    for place in np.flatnonzero(shared.any(axis=1)):
        found = [(int(band), int(keys[place, band])) for band in np.flatnonzero(shared[place])]
        yield int(place), found


def _root(cluster: list[int], position: int) -> int:
    while cluster[position] != position:
        cluster[position] = cluster[cluster[position]]
        position = cluster[position]
    return position


def _join(cluster: list[int], one: int, other: int) -> None:
    low, high = sorted((_root(cluster, one), _root(cluster, other)))
    cluster[high] = low
