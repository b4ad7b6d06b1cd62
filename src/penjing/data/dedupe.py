"""The same text twice, exactly or nearly: found within and across parts, removed so that nothing leaks."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from penjing.core.errors import MissingPackageError
from penjing.core.nouns import Progress, Silent

SIMILARITY = 0.85
# 20 bands of 6 rows: two texts at 0.85 meet in a band with probability 0.9999, at 0.5 with 0.27 (and fail the check).
_BANDS, _BAND_ROWS = 20, 6
_TRIES = 32  # comparisons of one text within one band: a bucket of thousands of like texts costs no square
_BLANK = re.compile(r"[\W_]+")
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


def fold(text: str) -> str:
    """A text without what makes no difference: width and composition (NFKC), case, punctuation, white space.

    A text of nothing but punctuation stays as it is.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _BLANK.sub("", folded) or folded.strip()


def shingles(text: str) -> set[str]:
    """Character 5-grams of a text in Chinese, Japanese or Korean, word 3-grams of any other."""
    plain = _BLANK.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip() or text
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
) -> Duplicates:
    """Exact duplicates by `fold`, near ones by MinHash (Broder, "On the resemblance and containment of documents",
    1997) with bands, each candidate verified by its true Jaccard similarity of shingles, at least 0.85.

    Texts are looked at in the order of `rank` (then of position): of equal texts the first stays. A near duplicate
    under another label of the same rank stays, for a small difference may be the one that matters; of another rank it
    goes, for it leaks. Texts that stand under several labels are all removed, but those of the rank `protected` (a
    test part that was given) stay where they agree among themselves.
    """
    order = sorted(range(len(texts)), key=lambda position: (rank[position], position))
    groups: dict[str, list[int]] = {}
    for position in order:
        groups.setdefault(fold(texts[position]), []).append(position)
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
    near, near_conflicts, links = _near(texts, labels, rank, heads, progress or Silent())
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
    texts: Sequence[str], labels: Sequence[str], rank: Sequence[int], heads: list[int], progress: Progress
) -> tuple[list[tuple[int, int]], list[tuple[int, int]], list[tuple[int, int]]]:
    near, near_conflicts, links = [], [], []
    progress.start("looking for near duplicates", len(heads))
    buckets: dict[tuple[int, bytes], list[int]] = {}
    sets: dict[int, set[str]] = {}
    block = 4096
    for low in range(0, len(heads), block):
        chunk = heads[low : low + block]
        found = [shingles(texts[position]) for position in chunk]
        for position, own, keys in zip(chunk, found, _band_keys(found), strict=True):
            tried: set[int] = set()
            gone = False
            for key in keys:
                for other in buckets.get(key, ())[:_TRIES]:
                    if other in tried:
                        continue
                    tried.add(other)
                    if jaccard(own, sets[other]) < SIMILARITY:
                        continue
                    links.append((position, other))
                    if labels[position] == labels[other] or rank[position] != rank[other]:
                        near.append((position, other))
                        gone = True
                        break
                    near_conflicts.append((position, other))
                if gone:
                    break
            if not gone:
                sets[position] = own
                for key in keys:
                    buckets.setdefault(key, []).append(position)
        progress.advance(len(chunk))
    return near, near_conflicts, links


def _band_keys(found: list[set[str]]) -> list[list[tuple[int, bytes]]]:
    """For each set of shingles its 20 (band, six hash values as bytes)."""
    try:
        from rensa import RMinHash
    except ImportError:
        raise MissingPackageError(
            "finding near duplicates needs the package `rensa`", fix="pip install 'penjing[train]'"
        ) from None
    import numpy as np

    tokens = [sorted(own) for own in found]
    digests = RMinHash.digests_from_token_sets(tokens, _BANDS * _BAND_ROWS, 0)
    matrix = np.asarray(digests, dtype=np.uint32)  # (texts, bands * rows)
    wide = _BAND_ROWS * 4
    return [
        [(band, raw[band * wide : (band + 1) * wide]) for band in range(_BANDS)]
        for raw in (row.tobytes() for row in matrix)
    ]


def _root(cluster: list[int], position: int) -> int:
    while cluster[position] != position:
        cluster[position] = cluster[cluster[position]]
        position = cluster[position]
    return position


def _join(cluster: list[int], one: int, other: int) -> None:
    low, high = sorted((_root(cluster, one), _root(cluster, other)))
    cluster[high] = low
