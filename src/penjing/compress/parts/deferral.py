"""Fitting the deferral of a cascade: a logistic model of the first stage's errors, and a cut-off for each label.

    minimise over b, c:   sum_i log(1 + exp(-y_i z_i)) + (l / 2) |c|^2,   z_i = b + c . f(x_i) standardised
    y_i = 1 if the first stage gives x_i another label than the teacher, else -1;   l = 1;   by Newton's method
    u[s] = t for a label with at least 30 rows, -1 for a rarer one;   t = the highest for which the texts with
    q(x) <= u[s(x)] agree with the teacher by share and by macro-F1 (`parts/agreement.py`)

q of a text is by a model that was fitted to the other four fifths of the texts, so that no text helps to choose its own
q; the model that is kept is fitted to all of them. For a true q equal cut-offs are the best ones: the most exits for a
given sum of q are the texts with the smallest q. A cut-off fitted to each label would end just above the label's first
error, and far too many texts would exit early (LOG.md, 2026-11-27).
The rule of earlier versions is q = 1 - (the probability of s if all labels were equally frequent), or c = 1 for the
feature `rare` alone. It stays unless the fitted model sends at least a tenth fewer of these texts to the second stage,
at the same promise. So no cascade sends more of them there than by the earlier rule, except those of rare labels.
Rows of a label are counted in train and validation, by the true label and by the teacher's; the smaller number counts.
Source: Jitkrittum et al., When Does Confidence-Based Cascade Deferral Suffice?, 2023 (a fitted deferral rule); Stone,
Cross-validatory Choice and Assessment of Statistical Predictions, 1974; Breiman, Friedman, Olshen and Stone,
Classification and Regression Trees, 1984 (the simpler model stays unless another is clearly better).
When: errors depend on more than the probabilities, such as the length. When not: the texts that set it differ from
those that will come; then no rule holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from penjing.compress.parts.agreement import NEVER, choose_threshold
from penjing.core.canon import unit_hash
from penjing.runtime.cascade import divided
from penjing.runtime.deferral import FEATURES, Bools, Coefficients, Deferral, Describer, chance
from penjing.runtime.session import DIGITS
from penjing.tasks.metrics import Floats, Ints

FEWEST_ROWS = 30
FOLDS = 5
# Share of the deferred texts that the fitted model must save.
LEAST_SAVED = 0.1
_L2 = 1.0
_STEPS = 50
_LEAST_SPREAD = 1e-9
# Newton's method ends where no coefficient changes by more.
_LEAST_CHANGE = 1e-9
# Cut-off of a label whose texts always go to the second stage.
ALWAYS = -1.0
_Rule = tuple[float, list[float], Floats]


@dataclass(frozen=True)
class FirstAnswers:
    """What the first stage answers to n texts, and what it knows of their n-grams.

    logits: (n, labels); unseen: (n,) share of the n-grams that were not in its training; lengths: (n,) their number.
    """

    logits: npt.NDArray[np.float32]
    unseen: npt.NDArray[np.float32]
    lengths: Ints

    def and_then(self, other: FirstAnswers) -> FirstAnswers:
        """These answers, followed by the others."""
        return FirstAnswers(
            np.concatenate([self.logits, other.logits]),
            np.concatenate([self.unseen, other.unseen]),
            np.concatenate([self.lengths, other.lengths]),
        )


@dataclass(frozen=True)
class DeferralRows:
    """The rows that a deferral is fitted to: features, and the labels by the first stage and by the teacher.

    features: (n, features) by `Describer`; predicted, wanted: (n,) positions of the labels; units: of each
    text what keeps it in one fold with others: its group, or itself.
    """

    features: Floats
    predicted: Ints
    wanted: Ints
    units: Sequence[str]


def deferral_rows(
    answers: FirstAnswers, temperature: float, weights: Floats, wanted: Ints, units: Sequence[str]
) -> DeferralRows:
    """The rows of n texts. temperature: of the first stage; weights: (labels,) as of `Describer`."""
    describer, scaled = Describer(weights), divided(answers.logits, temperature)
    grams = answers.unseen.tolist(), answers.lengths.tolist()
    found = [describer.describe(*each) for each in zip(scaled, *grams, strict=True)]
    features = np.array([each for _, each in found], dtype=np.float64).reshape(len(found), len(FEATURES))
    return DeferralRows(features, np.array([best for best, _ in found], dtype=np.int64), wanted, units)


def early_exits(rule: Deferral, given: DeferralRows) -> Bools:
    """Which texts (n,) the first stage answers by this rule."""
    coefficients = [getattr(rule.coefficients, name) for name in FEATURES]
    found: Bools = _chances(rule.bias, coefficients, given.features) <= np.array(rule.cutoffs)[given.predicted]
    return found


def choose_deferral(given: DeferralRows, rare: Bools, least: float) -> Deferral:
    """The rule for the texts of these labels, where each of the texts is judged out of fold.

    rare: (labels,) which labels always go to the second stage; least: required share and macro-F1.
    """
    simple, deferred = _with_cutoffs(given, rare, least, _by_rarity(given))
    fitted, deferred_fitted = _with_cutoffs(given, rare, least, _fitted(given))
    saves = deferred_fitted <= (1 - LEAST_SAVED) * deferred and deferred_fitted < deferred
    return fitted if saves else simple


def _with_cutoffs(given: DeferralRows, rare: Bools, least: float, rule: _Rule) -> tuple[Deferral, int]:
    """A rule with its cut-offs, and how many texts it sends to the second stage, those of rare labels aside."""
    bias, coefficients, chances = rule
    may_exit = ~rare[given.predicted]
    confidence = np.where(may_exit & np.isfinite(chances), -chances, -np.inf)
    threshold = choose_threshold(confidence, given.predicted, given.wanted, least)
    cutoffs = np.where(rare, ALWAYS, 0.0 - threshold if threshold != NEVER else ALWAYS)
    named = Coefficients(**dict(zip(FEATURES, coefficients, strict=True)))
    left = int(np.count_nonzero(may_exit & (confidence < threshold)))
    return Deferral(bias=bias, coefficients=named, cutoffs=tuple(cutoffs.tolist())), left


def rare_labels(wanted: Ints, labels: Ints | None, size: int) -> Bools:
    """Which labels (size,) have fewer than FEWEST_ROWS rows of train and validation, by the teacher or in truth.

    wanted: (n,) positions of the teacher's labels; labels: of the true ones, None where there are none.
    """
    counts = [np.bincount(each, minlength=size) for each in (wanted, labels) if each is not None]
    rare: Bools = np.minimum.reduce(counts) < FEWEST_ROWS
    return rare


def _by_rarity(given: DeferralRows) -> _Rule:
    coefficients = [float(name == "rare") for name in FEATURES]
    return 0.0, coefficients, _chances(0.0, coefficients, given.features)


def _fitted(given: DeferralRows) -> _Rule:
    return *fit_logistic(given.features, _differs(given)), out_of_fold(given)


def out_of_fold(given: DeferralRows) -> Floats:
    """q (n,) of each text by a model that was fitted to the texts of the other folds."""
    differs, chances = _differs(given), np.ones(len(given.units))
    fold = np.array([int(unit_hash("compress.cascade: fold", unit) * FOLDS) for unit in given.units], dtype=np.int64)
    for number in range(FOLDS):
        own = fold == number
        chances[own] = _chances(*fit_logistic(given.features[~own], differs[~own]), given.features[own])
    return chances


def _differs(given: DeferralRows) -> Floats:
    found: Floats = (given.predicted != given.wanted).astype(np.float64)
    return found


def fit_logistic(features: Floats, happened: Floats) -> tuple[float, list[float]]:
    """Bias and coefficients of a logistic regression of `happened` (n,) on `features` (n, d), as they are given.

    They are standardised inside, so that one penalty fits all of them. Half a case of either outcome at their means is
    added, so that the bias is finite if nothing happened. Texts with a feature that is not finite are left out.
    """
    finite = np.isfinite(features).all(axis=1)
    features, happened = features[finite], happened[finite]
    mean, spread = (features.mean(axis=0), features.std(axis=0)) if len(features) else np.zeros((2, features.shape[1]))
    spread = np.where(spread > _LEAST_SPREAD, spread, 1.0)
    inside = np.ones((len(features) + 2, features.shape[1] + 1))
    inside[:-2, 1:], inside[-2:, 1:] = (features - mean) / spread, 0.0
    outcome, weight = np.append(happened, (0.0, 1.0)), np.append(np.ones(len(happened)), (0.5, 0.5))
    penalty = np.diag([0.0] + [_L2] * features.shape[1])
    beta = np.zeros(inside.shape[1])
    for _ in range(_STEPS):
        p = 1 / (1 + np.exp(-inside @ beta))
        slope = inside.T @ (weight * (p - outcome)) + penalty @ beta
        step = np.linalg.solve((inside * (weight * p * (1 - p))[:, None]).T @ inside + penalty, slope)
        beta -= step
        if np.abs(step).max() < _LEAST_CHANGE:
            break
    coefficients = (beta[1:] / spread).round(DIGITS)
    return round(float(beta[0] - coefficients @ mean), DIGITS), coefficients.tolist()


def _chances(bias: float, coefficients: Sequence[float], features: Floats) -> Floats:
    # By the same code as when it serves, so that no cut-off lies beside the text that set it.
    return np.array([chance(bias, coefficients, row) for row in features.tolist()], dtype=np.float64)
