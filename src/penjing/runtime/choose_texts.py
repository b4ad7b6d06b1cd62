"""Which texts to label next: the most doubtful, the most different, both at once, or those of rare labels.

    entropy, margin   the largest doubt of `doubt.py`
    badge             k-means++ over g(x) = (p(x) - onehot) h(x)': texts that would change the model much, and in
                      different directions. Squared distances are products of small ones: g is never written down
                          |g - g'|^2 = |q|^2 |h|^2 + |q'|^2 |h'|^2 - 2 (q . q') (h . h'),   q = p - onehot
    diversity         k-centre greedy: again and again the text that is furthest from all that are labelled or chosen
    rare              sum over labels of p_k / (1 + rows of k): texts that are likely of the labels with the fewest rows

Source: Ash, Zhang, Krishnamurthy, Langford and Agarwal, Deep Batch Active Learning by Diverse, Uncertain Gradient Lower
Bounds, 2020; Arthur and Vassilvitskii, k-means++, 2007; Sener and Savarese, Active Learning for Convolutional Neural
Networks: A Core-Set Approach, 2018.
When: `margin` while the model knows every label; `badge` for large batches, in which doubtful texts resemble each
other; `rare` while some labels have a few rows; `diversity` while the model knows too little to be asked.
When not: chosen rows are no sample of the cases, so they may train a model and never test one.

Everything is deterministic: texts come in the order of their digests, which also breaks ties.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Vectors = npt.NDArray[np.float32]
Method = Literal["entropy", "margin", "badge", "diversity", "rare"]
METHODS: tuple[Method, ...] = ("entropy", "margin", "badge", "diversity", "rare")
DEFAULT: Method = "margin"
# The seed of k-means++, whose draws are part of the method: the same texts give the same choice.
_SEED = 0
_BLOCK = 128  # labelled texts whose distances are in memory at once


@dataclass(frozen=True, eq=False)
class Pool:
    """What a choice among n texts is made from; a method needs some of it.

    doubt: (n,) the doubt of each, or what else is the larger the better. residuals: (n, outputs) of `doubt.residual`.
    vectors: (n, size) of the texts; known: (m, size) of the labelled texts.
    """

    doubt: Floats
    residuals: Vectors | None = None
    vectors: Vectors | None = None
    known: Vectors | None = None


def choose(method: Method, pool: Pool, count: int, seen: Callable[[], None] = lambda: None) -> list[int]:
    """The positions of at most `count` texts, the first one first. seen: is called after each one.

    Positions are in the order that breaks ties. Raises ValueError for a pool without what the method needs.
    """
    count = min(count, len(pool.doubt))
    if not count:
        return []
    if method == "badge":
        if pool.residuals is None or pool.vectors is None:
            raise ValueError("badge needs residuals and vectors")
        return _plus_plus(pool.residuals, pool.vectors, count, seen)
    if method == "diversity":
        if pool.vectors is None:
            raise ValueError("diversity needs vectors")
        return _furthest(pool.vectors, pool.known, count, seen)
    return [int(place) for place in np.argsort(-pool.doubt, kind="stable")[:count]]


def _plus_plus(residuals: Vectors, vectors: Vectors, count: int, seen: Callable[[], None]) -> list[int]:
    """k-means++ on the products of both: the first is the longest, each next one is drawn by its squared distance."""
    draw = np.random.default_rng(_SEED)
    square = _squares(residuals) * _squares(vectors)
    near = np.full(len(square), np.inf)
    chosen: list[int] = []
    for _ in range(count):
        if not chosen:
            place = int(np.argmax(square))
        elif (total := near.sum()) > 0:
            place = int(np.searchsorted(np.cumsum(near), draw.random() * total, side="right"))
            place = min(place, len(near) - 1)
        else:  # every text that is left is like a chosen one
            left = np.ones(len(near), dtype=bool)
            left[chosen] = False
            place = int(np.flatnonzero(left)[np.argmax(square[left])])
        both = (residuals @ residuals[place]).astype(np.float64) * (vectors @ vectors[place])
        near = np.minimum(near, np.maximum(square + square[place] - 2 * both, 0.0))
        chosen.append(place)
        near[chosen] = 0.0
        seen()
    return chosen


def _furthest(vectors: Vectors, known: Vectors | None, count: int, seen: Callable[[], None]) -> list[int]:
    """k-centre greedy from the labelled texts; without any it begins at the text nearest to the mean."""
    square = _squares(vectors)
    near = np.full(len(vectors), np.inf)
    for low in range(0, 0 if known is None else len(known), _BLOCK):
        block = known[low : low + _BLOCK]  # type: ignore[index]
        distances = _squares(block)[None] - 2 * (vectors @ block.T)
        near = np.minimum(near, square + distances.min(axis=1))
    chosen: list[int] = []
    for _ in range(count):
        if np.isinf(near).all():
            place = int(np.argmax(vectors @ vectors.mean(axis=0, dtype=np.float64).astype(np.float32)))
        else:
            place = int(np.argmax(near))
        near = np.minimum(near, square + square[place] - 2 * (vectors @ vectors[place]))
        chosen.append(place)
        near[chosen] = -1.0
        seen()
    return chosen


def _squares(rows: Vectors) -> Floats:
    found: Floats = np.einsum("ij,ij->i", rows, rows, dtype=np.float64)
    return found
