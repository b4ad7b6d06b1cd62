"""Betting on an error rate: never wrong more often than promised, whatever the weights, and strong enough to use."""

from __future__ import annotations

import numpy as np
import pytest

from penjing.prove.weighted import betting_bounds, betting_p_value, estimate_error, estimate_share


def stream(rng: np.random.Generator, count: int, errors: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Labelled rows of a stream: doubtful cases (three in ten, all reviewed) and certain ones (one in ten audited)."""
    doubtful = rng.random(count) < 0.3
    drawn = np.where(doubtful, 1.0, 0.1)
    wrong = rng.random(count) < np.where(doubtful, errors[0], errors[1])
    taken = rng.random(count) < drawn
    return wrong[taken], drawn[taken]


def test_a_rate_at_the_limit_is_rarely_rejected_also_when_looked_at_after_every_row() -> None:
    rng = np.random.default_rng(5)
    # 0.3 * 0.3 + 0.7 * 0.0143 = 0.1: the plain share of errors among the labelled rows is far more, 0.25.
    rejected = sum(betting_p_value(*stream(rng, 600, (0.3, 0.01 / 0.7)), 0.1, 0.1) <= 0.05 for _ in range(1000))
    assert rejected <= 0.05 * 1000 + 2 * np.sqrt(1000 * 0.05 * 0.95)


def test_a_low_rate_is_found_in_spite_of_the_selection() -> None:
    rng = np.random.default_rng(6)
    found = sum(betting_p_value(*stream(rng, 4000, (0.1, 0.01)), 0.1, 0.1) <= 0.05 for _ in range(100))
    assert found >= 80


def test_with_one_probability_it_needs_little_more_than_the_binomial_test() -> None:
    right = np.zeros(200, dtype=bool)
    needs = next(n for n in range(1, 200) if betting_p_value(right[:n], np.full(n, 0.01), 0.05, 0.01) <= 0.05)
    assert 59 <= needs <= 90
    assert betting_p_value(right[:0], np.ones(0), 0.05, 1.0) == 1.0


def test_both_bounds_hold_together_and_close_in() -> None:
    rng = np.random.default_rng(7)
    outside, widths = 0, {}
    for count in (500, 5000):
        spans = []
        for _ in range(60):
            low, high = betting_bounds(*stream(rng, count, (0.3, 0.05)), 0.1, 0.05)
            outside += not low <= 0.3 * 0.3 + 0.7 * 0.05 <= high
            spans.append(high - low)
        widths[count] = np.mean(spans)
    assert outside <= 12 and widths[5000] < widths[500] / 2
    assert betting_bounds(np.zeros(0, bool), np.zeros(0), 0.5, 0.05) == (0.0, 1.0)


def test_the_estimate_weighs_each_row_by_the_cases_that_it_stands_for() -> None:
    share, low, high = estimate_error([True, False, False], [1.0, 0.5, 1.0], 0.5, 0.05)
    assert share == 0.25 and low < 0.25 < high
    # That some cases are hardly ever drawn keeps the bound away, though none of them was.
    assert estimate_error([False] * 200, [1.0] * 200, 1.0, 0.05)[2] < 0.03
    assert estimate_error([False] * 200, [1.0] * 200, 0.02, 0.05)[2] > 0.3


@pytest.mark.parametrize("drawn", [0.0, 0.05, 1.5, float("nan")])
def test_an_impossible_probability_is_refused(drawn: float) -> None:
    with pytest.raises(ValueError, match="every probability"):
        betting_p_value(np.array([False]), np.array([drawn]), 0.1, 0.1)


def test_rows_with_several_cases_count_each_and_the_bounds_hold() -> None:
    """Items of a text err together, so that the bounds are those of texts and not of as many single items."""
    one = estimate_error([True, False, False, False], [0.5, 0.5, 1.0, 1.0], 0.5, 0.025)
    assert one == estimate_share([1, 0, 0, 0], [1, 1, 1, 1], [0.5, 0.5, 1.0, 1.0], (0.5, 0.025), 1)
    share, low, high = estimate_share([3, 0] * 100, [4, 2] * 100, [1.0, 0.5] * 100, (0.5, 0.025), 4)
    assert share == pytest.approx(300 / (400 + 400)) and low < share < high
    rng, missed = np.random.default_rng(1), 0
    for _ in range(60):
        sizes = rng.integers(1, 6, 120)
        wrong = np.where(rng.random(120) < 0.2, sizes, 0)  # all items of a text or none: a share of 0.2 of items
        _, low, high = estimate_share(wrong.tolist(), sizes.tolist(), [0.5] * 120, (0.5, 0.025), 5)
        missed += not low <= 0.2 <= high
    assert missed <= 6
    for wrong_one, cases in ((2, 1), (0, 0), (1, 6)):
        with pytest.raises(ValueError, match="1 to 5 cases"):
            estimate_share([wrong_one], [cases], [1.0], (1.0, 0.025), 5)
