"""When the first stage of a cascade passes a text to the second: a small logistic model, and a cut-off for each label.

    p(l | x) = softmax(first(x) / T1)[l];   s = the label with the highest p;   f(x): the numbers of `describe`
    q(x) = 1 / (1 + exp(-(b + sum_i c[i] f[i](x)))),   the probability that the teacher gives another label than s
    the first stage answers x with s if   q(x) <= u[s];   a label with u[s] < 0 always goes to the second stage

Source: Chow, On Optimum Recognition Error and Reject Tradeoff, 1970 (the rule for known probabilities of error);
Jitkrittum et al., When Does Confidence-Based Cascade Deferral Suffice?, 2023 (a model of the error instead of the
highest probability). It is fitted by `compress/parts/deferral.py`. q depends on the text alone and is rounded to 1e-6.
When: the first stage counts n-grams, so that it knows which ones it saw in training. When not: any other first stage.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from penjing.engines.protocol import Array
from penjing.engines.static import unseen_share
from penjing.runtime.session import DIGITS
from penjing.tasks.metrics import Floats

Bools = npt.NDArray[np.bool_]
# Logarithms of smaller numbers than this would be noise of float32.
_TINY = 1e-9
_STEEPEST = 50.0


class Coefficients(BaseModel):
    """c: one coefficient for each number of `describe`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    others: FiniteFloat = 0.0
    second: FiniteFloat = 0.0
    entropy: FiniteFloat = 0.0
    rare: FiniteFloat = 0.0
    unseen: FiniteFloat = 0.0
    length: FiniteFloat = 0.0


class Deferral(BaseModel):
    """The part `deferral` of `cascade.json`: b, c, and u for each label."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bias: FiniteFloat
    coefficients: Coefficients
    cutoffs: tuple[FiniteFloat, ...] = Field(min_length=1)


FEATURES = tuple(Coefficients.model_fields)


class Describer:
    """What tells how far to trust the first stage's answer; safe to use from several threads."""

    def __init__(self, weights: Floats) -> None:
        """weights w: (labels,) how many times rarer each label is than the most frequent one."""
        self._weights, self._ones = weights, np.ones(len(weights))

    def describe(self, scaled: Floats, unseen: float, length: int) -> tuple[int, tuple[float, ...]]:
        """The position s of the most probable label, and f in the order of FEATURES.

        scaled: (labels,) logits / T1, shifted so that the largest is 0; unseen: share of the text's n-grams that the
        first stage did not see in training; length: number n of its n-grams.

            others = log((1 - p[s]) / p[s])      second = log(p[second] / p[s])      entropy = log(-sum_l p[l] log p[l])
            rare = log(sum_{l != s} w[l] p[l] / (w[s] p[s])), large if the text may have a rare label
            unseen, as given                     length = log(n + 1)
        """
        best = int(scaled.argmax())
        powers = np.exp(scaled)
        powers[best] = 0.0
        # For one text, sums by `dot` and the maximum by `argmax` take half the time of the ufuncs.
        others = float(powers.dot(self._ones))
        entropy = math.log1p(others) - float(powers.dot(scaled)) / (1 + others)
        rare = float(powers.dot(self._weights)) / float(self._weights[best])
        second = float(powers[powers.argmax()])
        return best, (_log(others), _log(second), _log(entropy), _log(rare), unseen, math.log(length + 1))


class DeferralRule:
    """A deferral model ready to run over the first stage's outputs."""

    def __init__(self, deferral: Deferral, weights: Floats, seen: Bools) -> None:
        """weights: as of `Describer`; seen: (buckets,) which buckets held an n-gram of a training text."""
        self._describer, self._seen = Describer(weights), seen
        self._bias, self._cutoffs = deferral.bias, deferral.cutoffs
        self._coefficients = tuple(getattr(deferral.coefficients, name) for name in FEATURES)

    def exits_early(self, scaled: Floats, row: Array) -> bool:
        """Whether the first stage answers a text. scaled: as of `describe`; row: the buckets of its n-grams."""
        best, found = self._describer.describe(scaled, unseen_share(self._seen, row), len(row))
        return chance(self._bias, self._coefficients, found) <= self._cutoffs[best]


def chance(bias: float, coefficients: Sequence[float], features: Sequence[float]) -> float:
    """q of one text, rounded; NaN, which is below no cut-off, where a feature is NaN."""
    z = bias
    for one, value in zip(coefficients, features, strict=True):
        z += one * value
    return round(1.0 / (1.0 + math.exp(-max(z, -_STEEPEST))), DIGITS)


def _log(value: float) -> float:
    # `max` with the value first keeps a NaN.
    return math.log(max(value, _TINY))
