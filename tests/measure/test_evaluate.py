"""Bounds that mean what they say, and curves by hand."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest

from penjing.core.answers import Choice
from penjing.core.task import Task
from penjing.measure import evaluate
from penjing.measure.evaluate import (
    Interval,
    Metric,
    bootstrap,
    coverage_risk,
    expected_calibration_error,
    paired_difference,
    paired_ratio,
    reliability,
)
from penjing.tasks import open_task
from penjing.tasks.metrics import macro_f1


def classify(labels: int) -> Task:
    return open_task("classify", {"labels": [f"{place:02d}" for place in range(labels)]})


def counted(truth: Any, guess: Any, labels: int) -> np.ndarray:
    """Counts of guesses (n,) by position, as the task counts them."""
    task, sure = classify(labels), np.eye(labels)
    names = [f"{place:02d}" for place in range(labels)]
    answers = [Choice(tuple(names), tuple(sure[place])) for place in guess]
    return task.counts(answers, [names[place] for place in truth])


def f1(labels: int, task: Task | None = None) -> Metric:
    return lambda sums: (task or classify(labels)).metrics(sums)["macro_f1"]


def share(sums: np.ndarray) -> np.ndarray:
    """A metric of (rows, hits)."""
    return np.asarray(sums[..., 1] / sums[..., 0])


def noisy(truth: np.ndarray, error: float, labels: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    return np.where(random.random(len(truth)) < error, random.integers(0, labels, len(truth)), truth)


def test_the_draws_agree_with_drawing_rows_one_by_one() -> None:
    truth = np.random.default_rng(0).integers(0, 3, 200)
    guess = noisy(truth, 0.4, 3, 1)
    random = np.random.default_rng(2)
    rows = [random.integers(0, 200, 200) for _ in range(4000)]
    slow = np.quantile([macro_f1(truth[index], guess[index], 3) for index in rows], [0.025, 0.975])
    fast = bootstrap(counted(truth, guess, 3), f1(3), draws=4000)
    assert fast.value == pytest.approx(macro_f1(truth, guess, 3), abs=1e-6)
    assert [fast.low, fast.high] == pytest.approx(slow, abs=0.006)


def test_groups_of_one_row_are_rows_and_doubled_rows_are_no_more_certain() -> None:
    truth = np.random.default_rng(0).integers(0, 3, 300)
    guess = noisy(truth, 0.3, 3, 1)
    alone = bootstrap(counted(truth, guess, 3), f1(3))
    single = bootstrap(counted(truth, guess, 3), f1(3), groups=[str(i) for i in range(300)])
    assert [single.low, single.high] == pytest.approx([alone.low, alone.high], abs=0.01)
    names = [str(i) for i in range(300)] * 2
    grouped = bootstrap(np.tile(counted(truth, guess, 3), (2, 1)), f1(3), groups=names)
    ungrouped = bootstrap(np.tile(counted(truth, guess, 3), (2, 1)), f1(3))
    assert grouped.high - grouped.low == pytest.approx(alone.high - alone.low, rel=0.1)
    assert ungrouped.high - ungrouped.low < 0.85 * (alone.high - alone.low)


def test_the_same_seed_repeats_and_another_differs() -> None:
    truth = np.random.default_rng(0).integers(0, 4, 100)
    guess = noisy(truth, 0.3, 4, 1)
    assert bootstrap(counted(truth, guess, 4), f1(4)) == bootstrap(counted(truth, guess, 4), f1(4))
    assert bootstrap(counted(truth, guess, 4), f1(4)) != bootstrap(counted(truth, guess, 4), f1(4), seed=1)


def test_the_draws_of_classify_are_those_of_earlier_versions() -> None:
    """Figures that were pinned before counts were general: kinds in the order of truth, then guess."""
    random = np.random.default_rng(3)
    truth = random.integers(0, 3, 200)
    a = np.where(random.random(200) < 0.2, random.integers(0, 3, 200), truth)
    b = np.where(random.random(200) < 0.3, random.integers(0, 3, 200), truth)
    first, second = counted(truth, a, 3), counted(truth, b, 3)
    assert bootstrap(first, f1(3)) == Interval(value=0.9, low=0.855683, high=0.939683)
    ratio = paired_ratio(first, second, f1(3))
    assert (ratio.value, ratio.lower, ratio.upper) == (1.167695, 1.088063, 1.262342)


def test_an_interval_of_a_share_covers_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    covered = 0
    for trial in range(300):
        counts = np.stack([np.ones(200), random.random(200) >= 0.15], axis=1)
        interval = bootstrap(counts, share, draws=400, seed=trial)
        covered += interval.low <= 0.85 <= interval.high
    assert covered / 300 > 0.90


def test_a_sample_without_an_error_is_not_taken_for_certain() -> None:
    perfect = bootstrap(counted([0, 1] * 50, [0, 1] * 50, 2), f1(2))
    assert (perfect.value, perfect.high) == (1.0, 1.0)
    assert perfect.low == pytest.approx(0.025 ** (1 / 100), abs=1e-6)
    nothing = bootstrap(np.zeros((0, 2)), share)
    assert (nothing.low, nothing.high) == (0.0, 1.0)


def test_paired_bounds_are_ordered_and_sharper_than_unpaired_ones() -> None:
    truth = np.random.default_rng(0).integers(0, 5, 1000)
    guess = noisy(truth, 0.3, 5, 1)
    better = guess.copy()
    better[:40] = truth[:40]
    a, b, metric = counted(truth, better, 5), counted(truth, guess, 5), f1(5)
    difference = paired_difference(a, b, metric)
    assert difference.low < difference.lower < difference.value < difference.upper < difference.high
    assert difference.low > 0
    single = bootstrap(b, metric)
    assert difference.high - difference.low < 0.7 * (single.high - single.low)
    ratio = paired_ratio(b, a, metric)
    assert ratio.lower < ratio.value < 1
    assert paired_ratio(a, a, metric).lower == paired_ratio(a, a, metric).upper == 1.0
    assert json.loads(json.dumps(ratio.to_json()))["value"] == ratio.value


def test_a_ratio_to_nothing_stays_finite() -> None:
    right, wrong = counted([0, 0], [0, 0], 2), counted([0, 0], [1, 1], 2)
    assert paired_ratio(wrong, wrong, f1(2)).value == 1.0
    assert np.isfinite(paired_ratio(right, wrong, f1(2)).upper)
    with pytest.raises(ValueError, match="no rows"):
        paired_ratio(np.zeros((0, 2)), np.zeros((0, 2)), share)


def test_rare_labels_can_be_left_out_of_the_mean() -> None:
    truth, guess = [0] * 50 + [1] * 50 + [2], [0] * 50 + [1] * 50 + [0]
    counts = counted(truth, guess, 3)
    assert bootstrap(counts, f1(3)).value == pytest.approx(macro_f1(truth, guess, 3), abs=1e-6)
    without = classify(3).with_rows({"00": 50, "01": 50, "02": 1})
    assert bootstrap(counts, f1(3, without)).value == pytest.approx((100 / 101 + 1) / 2, abs=1e-6)


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="one length"):
        bootstrap(np.ones((2, 2)), share, groups=["x"])
    with pytest.raises(ValueError, match="one length"):
        paired_ratio(np.ones((2, 2)), np.ones((3, 2)), share)
    with pytest.raises(ValueError, match=r"\(rows, K\)"):
        bootstrap(np.ones(3), share)


def test_counts_that_all_differ_are_drawn_in_time_and_by_the_same_law(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    a, b = np.abs(random.normal(3, 1, (2, 10_000, 5)))
    began = time.monotonic()
    ratio = paired_ratio(a, b, share)
    assert time.monotonic() - began < 20, "about 3 s where nothing else runs"
    # The delta method: the spread of log(mean / mean) is the root of four squared coefficients of variation over n.
    spread = 1.96 * np.sqrt(sum((part.std() / part.mean()) ** 2 for one in (a, b) for part in one.T[:2]) / 10_000)
    assert ratio.high - ratio.low == pytest.approx(2 * spread * ratio.value, rel=0.1)
    few = a[:300]
    by_kind = bootstrap(few, share)
    monkeypatch.setattr(evaluate, "_MOST_DISTINCT", 10)
    by_row = bootstrap(few, share)
    assert [by_kind.low, by_kind.high] == pytest.approx([by_row.low, by_row.high], rel=0.02)


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
    bars = reliability([0.95, 0.95, 0.55], [True, False, True], bins=10)
    assert [asdict(bar) for bar in bars] == [
        {"low": 0.5, "high": 0.6, "rows": 1, "confidence": 0.55, "accuracy": 1.0},
        {"low": 0.9, "high": 1.0, "rows": 2, "confidence": 0.95, "accuracy": 0.5},
    ]
    assert reliability([], []) == []


def test_calibration_error_by_hand() -> None:
    # Bin of 0.9: share right 1/2, gap 0.4; bin of 0.6: share right 1, gap 0.4.
    assert expected_calibration_error([0.9, 0.9, 0.6, 0.6], [True, False, True, True]) == pytest.approx(0.4)
    assert expected_calibration_error([1.0] * 3, [True] * 3) == 0.0
    assert expected_calibration_error([], []) == 0.0
