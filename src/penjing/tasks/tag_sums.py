"""Forward and backward sums of a chain of tags over many texts at once, one step a unit, the longest text first.

    P(y | x) = exp(sum_t z_t[y_t] + sum_t A[y_(t-1), y_t]) / Z(x) over the allowed sequences y

What a fit of z or A needs: the sum of log Z, and how probable each tag of each unit and each pair of neighbours is. Of
one text, with its shares, `tasks/tag_chain.py` has the same sums.

Source: Sha and Pereira, Shallow Parsing with Conditional Random Fields, 2003.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from penjing.tasks.tag_chain import may_begin

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
# Texts whose sums are held in memory together.
_TOGETHER = 4096


def unit_steps(sizes: Sequence[int]) -> list[list[Ints]]:
    """Of each chunk of texts the rows of all first units, of all second ones, …, of units one text after another."""
    counts = np.asarray(sizes, dtype=np.int64)
    first = np.concatenate(([0], np.cumsum(counts)[:-1]))
    order = np.argsort(-counts, kind="stable")
    order = order[counts[order] > 0]
    chunks = [order[start : start + _TOGETHER] for start in range(0, len(order), _TOGETHER)]
    return [
        [first[chunk[: int((counts[chunk] > t).sum())]] + t for t in range(int(counts[chunk[0]]))] for chunk in chunks
    ]


def pair_counts(tags: Ints, sizes: Sequence[int], size: int) -> Floats:
    """How often each of `size` tags follows each, (size, size); tags (units,) of texts one after another."""
    found = np.zeros((size, size))
    first = np.zeros(len(tags), dtype=bool)
    first[np.cumsum([0, *sizes])[:-1][np.asarray(sizes) > 0]] = True
    inner = np.flatnonzero(~first)
    np.add.at(found, (tags[inner - 1], tags[inner]), 1.0)
    return found


def chunk_sums(steps: Sequence[Ints], shares: Floats, move: Floats, apart: Floats, pairs: Floats) -> float:
    """The sum of log Z of a chunk of texts, without the largest scores; adds the marginals of units and of neighbours.

    shares (units, size): exp of the scores; move (size, size): exp of what follows what; apart, pairs: added to.
    """
    forward, scales = list[Floats](), list[Floats]()
    logged = 0.0
    for t, units in enumerate(steps):
        row = (forward[-1][: len(units)] @ move if t else may_begin(shares.shape[1])) * shares[units]
        scale = row.sum(axis=1, keepdims=True)
        forward.append(row / scale)
        scales.append(scale)
        logged += float(np.log(scale).sum())
    after = np.ones_like(forward[-1])
    for t in range(len(steps) - 1, -1, -1):
        apart[steps[t]] = forward[t] * after
        if not t:
            break
        came = shares[steps[t]] * after / scales[t]
        before = np.ones_like(forward[t - 1])
        before[: len(came)] = came @ move.T
        pairs += move * (forward[t - 1][: len(came)].T @ came)
        after = before
    return logged
