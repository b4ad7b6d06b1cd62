"""The model of the first stage's errors: its features by their formulas, and which texts never exit early."""

from __future__ import annotations

import numpy as np
import pytest

from penjing.runtime.cascade import divided, sureness
from penjing.runtime.deferral import FEATURES, Coefficients, Deferral, DeferralRule, Describer, chance
from penjing.tasks.metrics import softmax

SEEN = np.arange(16) < 8


def test_the_features_are_what_their_formulas_say() -> None:
    logits = np.random.default_rng(0).normal(scale=3, size=(50, 5)).astype(np.float32)
    weights = np.array([1.0, 1.5, 4.0, 20.0, 1.0])
    for row, p in zip(divided(logits, 1.7), softmax(logits, 1.7), strict=True):
        best, found = Describer(weights).describe(row, 0.25, 9)
        assert best == p.argmax()
        told = dict(zip(FEATURES, found, strict=True))
        highest, second = np.sort(p)[::-1][:2]
        assert told["others"] == pytest.approx(np.log((1 - highest) / highest))
        assert told["second"] == pytest.approx(np.log(second / highest))
        assert told["entropy"] == pytest.approx(np.log(-(p * np.log(p)).sum()))
        other = np.arange(5) != best
        assert told["rare"] == pytest.approx(np.log((weights * p)[other].sum() / (weights[best] * p[best])))
        assert (told["unseen"], told["length"]) == (0.25, np.log(10))


def test_with_the_feature_rare_alone_it_is_the_rule_of_earlier_versions() -> None:
    logits = np.random.default_rng(1).normal(scale=3, size=(50, 4)).astype(np.float32)
    weights = np.array([1.0, 2.0, 10.0, 15.0])
    alone = [float(name == "rare") for name in FEATURES]
    found = [chance(0.0, alone, Describer(weights).describe(row, 0.0, 1)[1]) for row in divided(logits, 1.7)]
    assert found == pytest.approx((1 - sureness(divided(logits, 1.7), weights)).tolist(), abs=1.1e-6)


def rule(**coefficients: float) -> DeferralRule:
    deferral = Deferral(bias=0.0, coefficients=Coefficients(**coefficients), cutoffs=(0.2, -1.0))
    return DeferralRule(deferral, np.ones(2), SEEN)


def test_a_text_leaves_below_the_cutoff_of_its_label() -> None:
    first, second = divided(np.array([[3.0, 0.0], [0.0, 3.0]]), 1.0)
    known, new = np.arange(4), np.arange(6, 14)
    assert rule(others=1.0).exits_early(first, known)
    assert not rule(others=1.0).exits_early(second, known), "its label always goes to the second stage"
    assert not rule(others=1.0).exits_early(first / 3, known)
    # Three in four of these n-grams were never seen.
    assert rule(others=1.0, unseen=4.0).exits_early(first, known) and not rule(others=1.0, unseen=4.0).exits_early(
        first, new
    )
    assert rule(others=1.0, length=0.5).exits_early(first, known[:2])
    assert not rule(others=1.0, length=1.0).exits_early(first, np.zeros(20, dtype=np.int64))
    assert not rule(unseen=1.0).exits_early(first, known[:0]), "no n-gram was seen of a text that has none"


def test_a_sealed_model_gives_the_same_chances_in_every_version() -> None:
    # A later version must not change these: releases of format 2 decide by them.
    coefficients = (0.5, 0.25, -0.125, 0.75, 2.0, -0.5)
    scaled, weights = np.array([[0.0, -1.5, -3.25], [-0.75, -6.0, 0.0]]), np.array([1.0, 2.5, 10.0])
    found = [Describer(weights).describe(row, unseen, 20) for row, unseen in zip(scaled, (0.125, 0.5), strict=True)]
    assert [best for best, _ in found] == [0, 2]
    assert [chance(-1.0, coefficients, features) for _, features in found] == [0.03575, 0.013311]


def test_numbers_at_their_ends_are_no_error() -> None:
    row = np.zeros(1, dtype=np.int64)
    # exp(-800) is 0 in double precision.
    assert rule(others=1.0, second=1.0, entropy=1.0, rare=1.0).exits_early(np.array([0.0, -800.0]), row)
    assert not rule(others=1.0).exits_early(np.array([np.nan, np.nan]), row)
    assert not rule(others=1.0).exits_early(np.array([np.nan, 0.0]), row)
    assert Describer(np.ones(1)).describe(np.zeros(1), 0.0, 1)[0] == 0
    assert chance(-1e9, (), ()) == 0.0 and chance(1e9, (), ()) == 1.0
