"""Bounds that mean what they say, and curves by hand."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest

from penjing.measure.evaluate import bootstrap, coverage_risk, paired_difference, paired_ratio, reliability
from penjing.tasks.metrics import macro_f1


def noisy(truth: np.ndarray, error: float, labels: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    return np.where(random.random(len(truth)) < error, random.integers(0, labels, len(truth)), truth)


def test_the_draws_agree_with_drawing_rows_one_by_one() -> None:
    truth = np.random.default_rng(0).integers(0, 3, 200)
    guess = noisy(truth, 0.4, 3, 1)
    random = np.random.default_rng(2)
    rows = [random.integers(0, 200, 200) for _ in range(4000)]
    slow = np.quantile([macro_f1(truth[index], guess[index], 3) for index in rows], [0.025, 0.975])
    fast = bootstrap(truth, guess, 3, draws=4000)
    assert fast.value == pytest.approx(macro_f1(truth, guess, 3), abs=1e-6)
    assert [fast.low, fast.high] == pytest.approx(slow, abs=0.006)


def test_groups_of_one_row_are_rows_and_doubled_rows_are_no_more_certain() -> None:
    truth = np.random.default_rng(0).integers(0, 3, 300)
    guess = noisy(truth, 0.3, 3, 1)
    alone = bootstrap(truth, guess, 3)
    single = bootstrap(truth, guess, 3, groups=[str(i) for i in range(300)])
    assert [single.low, single.high] == pytest.approx([alone.low, alone.high], abs=0.01)
    names = [str(i) for i in range(300)] * 2
    grouped = bootstrap(np.tile(truth, 2), np.tile(guess, 2), 3, groups=names)
    ungrouped = bootstrap(np.tile(truth, 2), np.tile(guess, 2), 3)
    assert grouped.high - grouped.low == pytest.approx(alone.high - alone.low, rel=0.1)
    assert ungrouped.high - ungrouped.low < 0.85 * (alone.high - alone.low)


def test_the_same_seed_repeats_and_another_differs() -> None:
    truth = np.random.default_rng(0).integers(0, 4, 100)
    guess = noisy(truth, 0.3, 4, 1)
    assert bootstrap(truth, guess, 4) == bootstrap(truth, guess, 4)
    assert bootstrap(truth, guess, 4) != bootstrap(truth, guess, 4, seed=1)


def test_an_accuracy_interval_covers_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    covered = 0
    for trial in range(300):
        truth = np.zeros(200, dtype=np.int64)
        guess = (random.random(200) < 0.15).astype(np.int64)
        interval = bootstrap(truth, guess, 2, metric="accuracy", draws=400, seed=trial)
        covered += interval.low <= 0.85 <= interval.high
    assert covered / 300 > 0.90


def test_a_sample_without_an_error_is_not_taken_for_certain() -> None:
    perfect = bootstrap([0, 1] * 50, [0, 1] * 50, 2)
    assert (perfect.value, perfect.high) == (1.0, 1.0)
    assert perfect.low == pytest.approx(0.025 ** (1 / 100), abs=1e-6)
    nothing = bootstrap([], [], 2)
    assert (nothing.low, nothing.high) == (0.0, 1.0)


def test_paired_bounds_are_ordered_and_sharper_than_unpaired_ones() -> None:
    truth = np.random.default_rng(0).integers(0, 5, 1000)
    b = noisy(truth, 0.3, 5, 1)
    a = b.copy()
    a[:40] = truth[:40]
    difference = paired_difference(truth, a, b, 5)
    assert difference.low < difference.lower < difference.value < difference.upper < difference.high
    assert difference.low > 0
    single = bootstrap(truth, b, 5)
    assert difference.high - difference.low < 0.7 * (single.high - single.low)
    ratio = paired_ratio(truth, b, a, 5)
    assert ratio.lower < ratio.value < 1
    assert paired_ratio(truth, a, a, 5).lower == paired_ratio(truth, a, a, 5).upper == 1.0
    assert json.loads(json.dumps(ratio.to_json()))["value"] == ratio.value


def test_a_ratio_to_nothing_stays_finite() -> None:
    assert paired_ratio([0, 0], [1, 1], [1, 1], 2).value == 1.0
    assert np.isfinite(paired_ratio([0, 0], [0, 0], [1, 1], 2).upper)
    with pytest.raises(ValueError, match="no rows"):
        paired_ratio([], [], [], 2)


def test_rare_labels_can_be_left_out_of_the_mean() -> None:
    truth, guess = [0] * 50 + [1] * 50 + [2], [0] * 50 + [1] * 50 + [0]
    assert bootstrap(truth, guess, 3).value == pytest.approx(macro_f1(truth, guess, 3), abs=1e-6)
    assert bootstrap(truth, guess, 3, over=[0, 1]).value == pytest.approx((100 / 101 + 1) / 2, abs=1e-6)


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="one length"):
        bootstrap([0, 1], [0, 1], 2, groups=["x"])


def test_coverage_and_risk_by_hand() -> None:
    curve = coverage_risk([0.9, 0.8, 0.8, 0.5], [True, True, False, False])
    assert curve.threshold == (0.9, 0.8, 0.5)
    assert curve.coverage == (0.25, 0.75, 1.0)
    assert curve.risk == pytest.approx((0.0, 1 / 3, 0.5), abs=1e-6)
    assert coverage_risk([], []).coverage == ()
    long = coverage_risk(np.linspace(0, 1, 5000), np.ones(5000, dtype=bool))
    assert len(long.coverage) <= 200
    assert long.coverage[-1] == 1.0


def test_reliability_by_hand() -> None:
    bars = reliability([[0.95, 0.05], [0.95, 0.05], [0.45, 0.55]], [0, 1, 1], bins=10)
    assert [asdict(bar) for bar in bars] == [
        {"low": 0.5, "high": 0.6, "rows": 1, "confidence": 0.55, "accuracy": 1.0},
        {"low": 0.9, "high": 1.0, "rows": 2, "confidence": 0.95, "accuracy": 0.5},
    ]
    assert reliability(np.zeros((0, 2)), []) == []
