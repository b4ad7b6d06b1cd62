"""The temperature: found where it is known, bounded where nothing is known."""

from __future__ import annotations

import numpy as np
import pytest

from penjing.tasks.calibrate import HIGH, LOW, fit_temperature
from penjing.tasks.metrics import softmax


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5, 8.0])
def test_a_known_temperature_is_found(temperature: float) -> None:
    random = np.random.default_rng(0)
    honest = random.normal(0, 1.5, (20_000, 4))
    draws = random.random((20_000, 1))
    truth = (softmax(honest).cumsum(axis=1) < draws).sum(axis=1)
    assert fit_temperature((honest * temperature).astype(np.float32), truth) == pytest.approx(temperature, rel=0.05)


def smoothed(logits: np.ndarray, truth: np.ndarray, temperature: float) -> float:
    """The loss as the module's text has it, row by row."""
    n, labels = logits.shape
    total = 0.0
    for row, gold in zip(np.log(softmax(logits, temperature)), truth, strict=True):
        targets = np.full(labels, 1 / ((n + 2) * (labels - 1)))
        targets[gold] = (n + 1) / (n + 2)
        total -= float(targets @ row)
    return total / n


def test_the_result_is_the_minimum() -> None:
    random = np.random.default_rng(1)
    logits, truth = random.normal(0, 3, (300, 3)), random.integers(0, 3, 300)
    logits[np.arange(300), truth] += 2
    best = fit_temperature(logits, truth)
    grid = [smoothed(logits, truth, t) for t in np.geomspace(LOW, HIGH, 400)]
    assert smoothed(logits, truth, best) <= min(grid) + 1e-9


@pytest.mark.parametrize("rows", [8, 40, 400])
def test_equal_rows_without_an_error_support_the_rule_of_succession(rows: int) -> None:
    logits, truth = np.array([[3.0, 0.0], [0.0, 3.0]] * (rows // 2)), [0, 1] * (rows // 2)
    temperature = fit_temperature(logits, truth)
    assert temperature == pytest.approx(3 / np.log(rows + 1), rel=1e-4)
    assert softmax(logits, temperature).max(axis=1) == pytest.approx((rows + 1) / (rows + 2), abs=1e-6)


@pytest.mark.parametrize("labels", [2, 4, 77])
@pytest.mark.parametrize("rows", [30, 200])
def test_rows_without_an_error_claim_about_as_much_as_their_number_supports(rows: int, labels: int) -> None:
    random = np.random.default_rng(rows + labels)
    logits, truth = random.normal(0, 1, (rows, labels)), random.integers(0, labels, rows)
    logits[np.arange(rows), truth] = logits.max(axis=1) + random.gamma(2.0, 2.0, rows)
    confidence = softmax(logits, fit_temperature(logits, truth)).max(axis=1).mean()
    assert 1 - 8 / (rows + 2) < confidence <= 1 - 1 / (rows + 2)


def test_the_bounds_are_kept_where_no_temperature_fits() -> None:
    logits = np.array([[3.0, 0.0], [0.0, 3.0]] * 20)
    assert fit_temperature(logits, [1, 0] * 20) == pytest.approx(HIGH, rel=1e-6)
    assert fit_temperature(logits * 1e6, [0, 1] * 20) == pytest.approx(HIGH, rel=1e-6)
    assert fit_temperature(logits * 1e-6, [0, 1] * 20) == pytest.approx(LOW, rel=1e-6)


def test_nothing_to_learn_gives_one() -> None:
    assert fit_temperature(np.zeros((0, 2)), []) == 1.0
    assert fit_temperature(np.ones((5, 1)), [0] * 5) == 1.0
    assert fit_temperature(np.ones((5, 3)), [0, 1, 2, 0, 1]) == 1.0


def test_bad_logits_are_refused() -> None:
    with pytest.raises(ValueError, match="not finite"):
        fit_temperature([[np.nan, 0.0]], [0])
    with pytest.raises(ValueError, match="must be"):
        fit_temperature([[1.0, 0.0]], [0, 1])
