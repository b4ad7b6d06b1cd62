"""Tags whose model learned what follows what: the most probable sequence, and shares of all allowed sequences.

    P(y) = exp(sum_t z_t[y_t] / T + sum_t A[y_(t-1), y_t] / T) / Z over the allowed sequences y
    T = argmin over [0.5, 4] of -sum_i log P(y_i) over validation texts

The answer by Viterbi, shares by forward and backward sums, as in `tasks/tag_decode.py`, which is the case A = 0 with
shares that are scaled unit by unit. Of a conditional random field (`train/chain.py`) Z is that of its own likelihood.

Sources: Lafferty, McCallum, Pereira, Conditional Random Fields, 2001; Culotta, McCallum, Confidence Estimation for
Information Extraction, 2004 (the share of one entity).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
# No scaled score is smaller, so that a step always has an allowed tag.
_LEAST = 1e-30
# The temperatures among which validation rows choose, in steps of 15 %: a finer one moves no probability that counts.
_TEMPERATURES = 0.5 * 8 ** (np.arange(16) / 15)


def may_follow(size: int) -> npt.NDArray[np.bool_]:
    """Whether a tag (row) may be followed by another one (column): I-x follows only B-x or I-x; (size, size)."""
    found = np.ones((size, size), dtype=bool)
    for inside in range(2, size, 2):
        found[:, inside] = False
        found[[inside - 1, inside], inside] = True
    return found


def may_begin(size: int) -> npt.NDArray[np.bool_]:
    """Whether a text may begin with a tag: with every one but those inside an entity; (size,)."""
    found = np.ones(size, dtype=bool)
    found[2::2] = False
    return found


@dataclass(frozen=True)
class TagChain:
    """The sums of one text of n units: what shares are read from.

    shares (n, size): exp of the scaled scores, the largest of a unit 1; move (size, size): exp of what follows what, 0
    where it may not; forward, backward (n, size): sums, each unit of `forward` scaled to 1; scale (n,).
    """

    shares: Floats
    move: Floats
    forward: Floats
    backward: Floats
    scale: Floats

    @classmethod
    def of(cls, table: Floats, following: Floats, temperature: float) -> TagChain:
        """The sums of scores (n, size), n at least 1, of a model with these weights of what follows what."""
        scaled = table / temperature
        shares = np.maximum(np.exp(scaled - scaled.max(axis=1, keepdims=True)), _LEAST)
        move = np.where(may_follow(table.shape[1]), np.exp(following / temperature), 0.0)
        units = len(shares)
        forward, backward, scale = np.zeros_like(shares), np.ones_like(shares), np.zeros(units)
        row = may_begin(shares.shape[1]) * shares[0]
        for t in range(units):
            if t:
                row = (forward[t - 1] @ move) * shares[t]
            scale[t] = row.sum()
            forward[t] = row / scale[t]
        for t in range(units - 2, -1, -1):
            backward[t] = move @ (shares[t + 1] * backward[t + 1]) / scale[t + 1]
        return cls(shares, move, forward, backward, scale)

    def best(self) -> Ints:
        """The most probable allowed sequence, (n,); of equal ones the tag that is listed first."""
        with np.errstate(divide="ignore"):
            logged, move = np.log(self.shares), np.log(self.move)
        row = np.where(may_begin(len(move)), logged[0], -np.inf)
        back = np.zeros(logged.shape, dtype=np.int64)
        for t in range(1, len(logged)):
            ways = row[:, None] + move
            back[t] = ways.argmax(axis=0)
            row = ways.max(axis=0) + logged[t]
        path = np.zeros(len(logged), dtype=np.int64)
        path[-1] = int(row.argmax())
        for t in range(len(logged) - 1, 0, -1):
            path[t - 1] = back[t, path[t]]
        return path

    def share_of_path(self, path: Ints) -> float:
        """The share of one sequence of all allowed ones."""
        said = np.log(self.shares[np.arange(len(path)), path]).sum() + np.log(self.move[path[:-1], path[1:]]).sum()
        return float(np.exp(min(said - np.log(self.scale).sum(), 0.0)))

    def share_of(self, entity: tuple[int, int, int]) -> float:
        """The share of the sequences that have exactly this entity: (first unit, last unit, type)."""
        first, last, kind = entity
        begin, inside = 1 + 2 * kind, 2 + 2 * kind
        said = float(self.forward[first - 1] @ self.move[:, begin]) if first else 1.0
        said *= self.shares[first, begin] / self.scale[first]
        end = begin
        for t in range(first + 1, last + 1):
            said *= self.move[end, inside] * self.shares[t, inside] / self.scale[t]
            end = inside
        if last + 1 < len(self.shares):
            ways = self.move[end] * self.shares[last + 1] * self.backward[last + 1]
            # The entity ends here: all may follow but the inside of its own type.
            said *= float(ways.sum() - ways[inside]) / self.scale[last + 1]
        return float(min(1.0, said))


def chain_temperature(tables: Sequence[Floats], truth: Sequence[Ints], following: npt.ArrayLike) -> float:
    """The temperature under which these sequences are the most probable, of [0.5, 4]; 1.0 without any.

    tables: scores of n texts, (units, size) each; truth: their tags (units,).
    """
    weights, each = np.asarray(following, dtype=np.float64), _TEMPERATURES[:, None, None]
    move = np.where(may_follow(len(weights)), np.exp(weights / each), 0.0)
    losses = np.zeros(len(_TEMPERATURES))
    for table, tags in zip(tables, truth, strict=True):
        if not len(table):
            continue
        scores = np.asarray(table, dtype=np.float64)
        top = scores.max(axis=1, keepdims=True)
        shares = np.maximum(np.exp((scores - top) / each), _LEAST)
        row = may_begin(len(weights)) * shares[:, 0]
        for t in range(len(scores)):
            if t:
                row = (row[:, None, :] @ move)[:, 0] * shares[:, t]
            scale = row.sum(axis=1, keepdims=True)
            row = row / scale
            losses += np.log(scale[:, 0])
        said = scores[np.arange(len(tags)), tags].sum() - top.sum() + weights[tags[:-1], tags[1:]].sum()
        losses -= said / _TEMPERATURES
    return round(float(_TEMPERATURES[losses.argmin()]), 6) if losses.any() else 1.0
