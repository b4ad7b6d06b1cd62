"""Fitting the deferral: the regression itself, its cut-offs, and what must not depend on a text's own outcome."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from penjing.compress.cascade import rarity
from penjing.compress.parts.agreement import choose_threshold
from penjing.compress.parts.deferral import (
    ALWAYS,
    DeferralRows,
    FirstAnswers,
    choose_deferral,
    deferral_rows,
    early_exits,
    fit_logistic,
    out_of_fold,
    rare_labels,
)
from penjing.runtime.cascade import divided, sureness
from penjing.tasks.metrics import macro_f1


def drawn(rows: int, seed: int, help_of_length: float = 2.0) -> tuple[FirstAnswers, DeferralRows]:
    """A first stage that errs more often where it is unsure, and in long texts."""
    source = np.random.default_rng(seed)
    wanted = source.choice(4, rows, p=(0.6, 0.25, 0.1, 0.05))
    lengths = source.integers(5, 200, rows)
    logits = source.normal(scale=1.5, size=(rows, 4)) + 6.0 * np.eye(4)[wanted]
    wrong = source.uniform(size=rows) < 0.02 * (lengths / 60) ** help_of_length
    logits[wrong] = np.roll(logits[wrong], 1, axis=1)
    answers = FirstAnswers(logits.astype(np.float32), np.zeros(rows, dtype=np.float32), lengths)
    given = deferral_rows(answers, 1.0, rarity(wanted, 4), wanted, [f"text {place}" for place in range(rows)])
    return answers, given


NONE_RARE = np.zeros(4, dtype=bool)


def test_the_regression_is_that_of_another_implementation() -> None:
    from sklearn.linear_model import LogisticRegression

    source = np.random.default_rng(0)
    features = source.normal(loc=(3, -50, 0), scale=(1, 20, 0.01), size=(400, 3))
    happened = (source.uniform(size=400) < 1 / (1 + np.exp(5 - features[:, 0] - features[:, 1] / 20 - 2))).astype(float)
    bias, coefficients = fit_logistic(features, happened)
    mean, spread = features.mean(axis=0), features.std(axis=0)
    rows = np.vstack([(features - mean) / spread, np.zeros((2, 3))])
    weight = np.append(np.ones(400), (0.5, 0.5))
    wanted = LogisticRegression(C=1.0, tol=1e-10, max_iter=1000).fit(rows, np.append(happened, (0, 1)), weight)
    assert np.array(coefficients) * spread == pytest.approx(wanted.coef_[0], abs=1e-4)
    assert bias + np.dot(coefficients, mean) == pytest.approx(wanted.intercept_[0], abs=1e-4)


def test_the_regression_of_nothing_and_of_one_outcome_is_finite() -> None:
    assert fit_logistic(np.zeros((0, 2)), np.zeros(0)) == (0.0, [0.0, 0.0])
    bias, coefficients = fit_logistic(np.ones((99, 2)), np.zeros(99))
    assert coefficients == [0.0, 0.0] and bias == pytest.approx(np.log(0.5 / 99.5), abs=1e-5)
    broken = np.vstack([np.ones((99, 2)), np.full((5, 2), np.nan)])
    assert fit_logistic(broken, np.append(np.zeros(99), np.ones(5))) == (bias, coefficients)


@pytest.mark.parametrize("least", [0.95, 0.98])
def test_more_texts_exit_than_by_one_threshold_where_another_feature_tells_of_errors(least: float) -> None:
    answers, given = drawn(3000, seed=3)
    rule = choose_deferral(given, NONE_RARE, least)
    assert rule.coefficients.length > 0
    early = out_of_fold(given) <= np.array(rule.cutoffs)[given.predicted]
    wrong = (given.predicted != given.wanted)[early].sum()
    assert 1 - (wrong + 0.5) / (early.sum() + 1) >= least
    assert macro_f1(given.wanted, np.where(early, given.predicted, given.wanted), 4) >= least
    sure = sureness(divided(answers.logits, 1.0), rarity(given.wanted, 4))
    before = sure >= choose_threshold(sure, given.predicted, given.wanted, least)
    assert early.sum() > before.sum() + 100
    # The same on texts that neither of them was set on.
    _, later = drawn(3000, seed=4)
    then = early_exits(rule, later)
    assert abs(then.mean() - early.mean()) < 0.05
    assert macro_f1(later.wanted, np.where(then, later.predicted, later.wanted), 4) > least - 0.02


def test_where_the_fitted_model_is_no_better_the_threshold_stays() -> None:
    _, given = drawn(60, seed=5)
    # Nothing is left to fit: every text agrees, so by either rule all of them exit.
    same = replace(given, wanted=given.predicted)
    rule = choose_deferral(same, NONE_RARE, 0.9)
    assert rule.bias == 0.0 and rule.coefficients.model_dump() == {
        "others": 0.0, "second": 0.0, "entropy": 0.0, "rare": 1.0, "unseen": 0.0, "length": 0.0,
    }  # fmt: skip
    assert early_exits(rule, same).all()


def test_the_fitted_model_is_taken_where_it_saves_a_tenth_of_the_second_stage() -> None:
    taken = []
    for seed, least in ((3, 0.95), (3, 0.99), (4, 0.97), (8, 0.9), (9, 0.9)):
        answers, given = drawn(1500, seed, help_of_length=1.0)
        sure = sureness(divided(answers.logits, 1.0), rarity(given.wanted, 4))
        left = []
        for confidence in (sure, -out_of_fold(given)):
            threshold = choose_threshold(confidence, given.predicted, given.wanted, least)
            left.append(int((confidence < threshold).sum()))
        rule = choose_deferral(given, NONE_RARE, least)
        taken.append(rule.bias != 0.0)
        assert taken[-1] == (left[1] <= 0.9 * left[0] and left[1] < left[0])
    assert set(taken) == {True, False}, "the test needs both"


def test_a_rare_label_always_goes_to_the_second_stage() -> None:
    _, given = drawn(3000, seed=3)
    rare = np.array([False, False, False, True])
    rule = choose_deferral(given, rare, 0.9)
    assert rule.cutoffs[3] == ALWAYS and min(rule.cutoffs[:3]) > 0
    assert not early_exits(rule, given)[given.predicted == 3].any()
    assert choose_deferral(given, ~NONE_RARE, 0.9).cutoffs == (ALWAYS,) * 4


def test_a_label_is_rare_by_the_teacher_or_in_truth() -> None:
    wanted = np.repeat([0, 1, 2], [30, 29, 31])
    assert rare_labels(wanted, None, 4).tolist() == [False, True, False, True]
    truth = np.repeat([0, 1, 2], [30, 31, 29])
    assert rare_labels(wanted, truth, 4).tolist() == [False, True, True, True]


def test_no_text_helps_to_choose_its_own_chance() -> None:
    _, given = drawn(300, seed=6)
    before = out_of_fold(given)
    wanted = given.wanted.copy()
    wanted[0] = (wanted[0] + 1) % 4
    after = out_of_fold(replace(given, wanted=wanted))
    assert before[0] == after[0] and (before != after).sum() > 150
    # Nor does another text of its group.
    together = replace(given, units=["one", "one", *given.units[2:]])
    changed = given.wanted.copy()
    changed[1] = (changed[1] + 1) % 4
    assert out_of_fold(together)[0] == out_of_fold(replace(together, wanted=changed))[0]


def test_outputs_that_are_no_numbers_are_never_let_out() -> None:
    answers, _ = drawn(300, seed=7)
    answers.logits[:20] = np.nan
    wanted = np.nan_to_num(answers.logits).argmax(axis=1)
    given = deferral_rows(answers, 1.0, np.ones(4), wanted, [str(place) for place in range(300)])
    rule = choose_deferral(given, NONE_RARE, 0.9)
    assert not early_exits(rule, given)[:20].any() and early_exits(rule, given)[20:].any()
