"""The texts of a large pool that are nearest to given ones, by the cosine of their states.

    near(q) = texts t of the pool in the order of cos(s(q) - m, s(t) - m),   m: mean state of the pool

First the nearest text of every q is taken, then every second nearest, and so on, so that each q contributes about the
same number of texts, whatever part of the pool it is in. Source: Du and others, Self-training Improves Pre-training for
Natural Language Understanding, 2021 (neighbours of the labelled texts, from a large corpus, labelled by the teacher);
Mu and Viswanath, All-but-the-Top, 2018 (the mean is subtracted).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
_SLICE = 64  # queries whose cosines are held at once


def nearest_places(
    queries: Floats, pool: Floats, count: int, tick: Callable[[int], None] = lambda _: None
) -> list[int]:
    """At most `count` positions of the pool, the nearest first. queries (n, width), pool (m, width), both at least one.

    tick: called with the number of queries of each slice; it may raise to stop.
    """
    count = min(count, len(pool))
    mean = pool.mean(axis=0, dtype=np.float64).astype(np.float32)
    own, others = _unit(queries - mean), _unit(pool - mean)
    # Twice as many as each must contribute, because several have the same neighbours.
    deep = min(len(pool), 2 * -(-count // len(queries)) + 1)
    best = np.full(len(pool), -np.inf, dtype=np.float32)
    near: list[tuple[Ints, Floats]] = []
    for first in range(0, len(own), _SLICE):
        cosines = own[first : first + _SLICE] @ others.T
        np.maximum(best, cosines.max(axis=0), out=best)
        places = np.argpartition(-cosines, deep - 1, axis=1)[:, :deep] if deep < len(pool) else _all(cosines)
        values = np.take_along_axis(cosines, places, axis=1)
        order = np.lexsort((places, -values), axis=1)
        near.append((np.take_along_axis(places, order, axis=1), np.take_along_axis(values, order, axis=1)))
        tick(len(cosines))
    chosen: dict[int, None] = {}
    for rank in range(deep):
        places = np.concatenate([each[:, rank] for each, _ in near])
        values = np.concatenate([each[:, rank] for _, each in near])
        for place in places[np.lexsort((places, -values))].tolist():
            chosen.setdefault(place)
            if len(chosen) == count:
                return list(chosen)
    for place in np.argsort(-best, kind="stable").tolist():
        chosen.setdefault(place)
        if len(chosen) == count:
            break
    return list(chosen)


def _unit(rows: Floats) -> Floats:
    scaled: Floats = rows / (np.linalg.norm(rows, axis=1, keepdims=True) + 1e-9)
    return scaled


def _all(cosines: Floats) -> Ints:
    return np.tile(np.arange(cosines.shape[1]), (len(cosines), 1))
