"""The temperature: found where it is known, bounded where nothing is known."""

from __future__ import annotations

import numpy as np
import pytest

from penjing.tasks.calibrate import HIGH, LOW, fit_temperature, negative_log_likelihood
from penjing.tasks.metrics import softmax


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5, 8.0])
def test_a_known_temperature_is_found(temperature: float) -> None:
    random = np.random.default_rng(0)
    honest = random.normal(0, 1.5, (20_000, 4))
    draws = random.random((20_000, 1))
    truth = (softmax(honest).cumsum(axis=1) < draws).sum(axis=1)
    assert fit_temperature((honest * temperature).astype(np.float32), truth) == pytest.approx(temperature, rel=0.05)


def test_the_result_is_the_minimum() -> None:
    random = np.random.default_rng(1)
    logits, truth = random.normal(0, 3, (300, 3)), random.integers(0, 3, 300)
    logits[np.arange(300), truth] += 2
    best = fit_temperature(logits, truth)
    grid = [negative_log_likelihood(logits, truth, t) for t in np.geomspace(LOW, HIGH, 400)]
    assert negative_log_likelihood(logits, truth, best) <= min(grid) + 1e-9


def test_all_right_and_all_wrong_stay_within_the_bounds() -> None:
    logits = np.array([[3.0, 0.0], [0.0, 3.0]] * 20)
    assert LOW <= fit_temperature(logits, [0, 1] * 20) < 1
    assert fit_temperature(logits, [1, 0] * 20) == pytest.approx(HIGH, rel=1e-6)
    assert LOW <= fit_temperature(logits * 1e6, [0, 1] * 20) <= HIGH


def test_nothing_to_learn_gives_one() -> None:
    assert fit_temperature(np.zeros((0, 2)), []) == 1.0
    assert fit_temperature(np.ones((5, 1)), [0] * 5) == 1.0
    assert fit_temperature(np.ones((5, 3)), [0, 1, 2, 0, 1]) == 1.0


def test_bad_logits_are_refused() -> None:
    with pytest.raises(ValueError, match="not finite"):
        fit_temperature([[np.nan, 0.0]], [0])
    with pytest.raises(ValueError, match="must be"):
        fit_temperature([[1.0, 0.0]], [0, 1])
