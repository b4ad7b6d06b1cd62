"""What follows what, learned beside a model of tags that is fixed: an encoder, or one regression a tag.

    P(y | x) = exp(sum_t s z_t[y_t] + sum_t A[y_(t-1), y_t]) / Z(x) over the allowed sequences y
    minimise over s, A:  -sum_i log P(y_i | x_i) + c ((log s)^2 + |A|^2) / 2,   c = 5

over validation texts. The temperature is 1 / s, the weights of what follows what A / s (`tasks/tag_chain.py`). They are
kept only where they pay: fitted on each half of the texts, they must make the tags of the other half more probable than
s alone does, in both halves. Every form of the model (INT8, fewer layers) learns its own.

Source: Lafferty, McCallum, Pereira, Conditional Random Fields, 2001, with fixed scores of single tags. Prefer
`train/chain.py` where the scores can be learned too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from penjing.tasks.calibrate import HIGH, LOW, fit_temperature
from penjing.tasks.tag_chain import may_follow
from penjing.tasks.tag_sums import chunk_sums, pair_counts, unit_steps

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
# On CLUENER, 300 validation texts, 1, 5 and 20 gave the same entity-F1 to 0.5 points.
_PRIOR = 5.0
# Steps of L-BFGS: a hundred changed no digit of the temperature that counts.
_PASSES = 60
_DIGITS = 6


@dataclass(frozen=True)
class Following:
    """A temperature, and weights of what follows what in units of the outputs: (size, size), or none, (0, 0)."""

    temperature: float
    weights: Floats

    def named(self, temperature: str) -> dict[str, Any]:
        """As fields of a calibration: the temperature under this name, and "following" where there are weights."""
        return {temperature: self.temperature} | ({"following": self.weights.tolist()} if self.weights.size else {})


def fit_sequences(tables: Sequence[Floats], truth: Sequence[Ints]) -> Following:
    """How sequences of tags are weighed: as `fit_following` says, else by the temperature of single tags alone.

    tables: outputs of n texts, (units, size) each, n at least 1; truth: their tags (units,).
    """
    if (found := fit_following(tables, truth)) is not None:
        return found
    return Following(fit_temperature(np.concatenate(tables), np.concatenate(truth)), np.zeros((0, 0)))


def fit_following(tables: Sequence[Floats], truth: Sequence[Ints]) -> Following | None:
    """The weights that these texts support; None where a half of the texts speaks against them, or has no text.

    tables: outputs of n texts, (units, size) each; truth: their tags (units,).
    """
    from threadpoolctl import threadpool_limits

    texts = [(table, tags) for table, tags in zip(tables, truth, strict=True) if len(table)]
    halves = texts[::2], texts[1::2]
    if not all(any(tags.any() for _, tags in half) for half in halves):
        return None
    with threadpool_limits(1):
        one, other = (_ScoredTexts.of(half) for half in halves)
        for mine, judged in ((one, other), (other, one)):
            alone, both = _fitted(mine, False), _fitted(mine, True)
            if _loss(both, judged)[0] >= _loss(alone, judged)[0]:
                return None
        found = _fitted(_ScoredTexts.of(texts), True)
    scale = float(np.exp(found[0]))
    size = texts[0][0].shape[1]
    weights: Floats = np.round(found[1:].reshape(size, size) / scale, _DIGITS)
    return Following(round(float(np.clip(1 / scale, LOW, HIGH)), _DIGITS), weights)


@dataclass(frozen=True)
class _ScoredTexts:
    """Texts one after another: their outputs (units, size), their tags (units,) and how many units each has."""

    scores: Floats
    tags: Ints
    sizes: Sequence[int]

    @classmethod
    def of(cls, texts: Sequence[tuple[Floats, Ints]]) -> _ScoredTexts:
        tables, tags = zip(*texts, strict=True)
        return cls(np.concatenate(tables).astype(np.float64), np.concatenate(tags), [len(one) for one in tags])

    @cached_property
    def steps(self) -> list[list[Ints]]:
        return unit_steps(self.sizes)

    @cached_property
    def followed(self) -> Floats:
        return pair_counts(self.tags, self.sizes, self.scores.shape[1])


def _fitted(texts: _ScoredTexts, free: bool) -> Floats:
    """log s and A, (1 + size * size,); not free: A = 0."""
    from scipy.optimize import minimize

    size = texts.scores.shape[1]
    found = np.zeros(1 + size * size)
    inner = np.concatenate(([True], may_follow(size).ravel() & free))

    def objective(packed: Floats) -> tuple[float, Floats]:
        whole = found.copy()
        whole[inner] = packed
        loss, gradient = _loss(whole, texts)
        return loss + _PRIOR * float(packed @ packed) / 2, gradient[inner] + _PRIOR * packed

    first = np.zeros(int(inner.sum()))
    found[inner] = minimize(objective, first, jac=True, method="L-BFGS-B", options={"maxiter": _PASSES}).x
    return found


def _loss(packed: Floats, texts: _ScoredTexts) -> tuple[float, Floats]:
    """-sum_i log P(y_i | x_i), and its gradient by log s and A."""
    size = texts.scores.shape[1]
    following = packed[1:].reshape(size, size)
    table = texts.scores * np.exp(packed[0])
    top = table.max(axis=1, keepdims=True)
    shares = np.exp(table - top)
    move = np.where(may_follow(size), np.exp(following), 0.0)
    apart, pairs, logged = np.zeros_like(shares), np.zeros_like(move), float(top.sum())
    for steps in texts.steps:
        logged += chunk_sums(steps, shares, move, apart, pairs)
    places = np.arange(len(texts.tags))
    said = float(table[places, texts.tags].sum() + (following * texts.followed).sum())
    apart[places, texts.tags] -= 1.0
    return logged - said, np.concatenate(([float((apart * table).sum())], (pairs - texts.followed).ravel()))
