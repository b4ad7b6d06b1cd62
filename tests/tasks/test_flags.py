"""Calibration of sets of labels: probabilities that match shares, thresholds of the best F1, the set's probability."""

from __future__ import annotations

import numpy as np
import pytest

from penjing.tasks.flags import FlagsCalibration, fit_flags, sigmoid

ROWS, LABELS = 4000, 4
SHIFT = np.array([0.0, -1.0, 1.0, -2.0])


def drawn(seed: int, rows: int = ROWS) -> tuple[np.ndarray, np.ndarray]:
    """Logits twice as large as they should be and without each label's shift, and truths."""
    random = np.random.default_rng(seed)
    odds = random.normal(size=(rows, LABELS)) * 2
    truth = (random.random((rows, LABELS)) < sigmoid(odds + SHIFT)).astype(np.float64)
    return 2 * odds, truth


def test_scale_and_bias_are_found() -> None:
    found = fit_flags(*drawn(0))
    assert found.scale == pytest.approx(0.5, abs=0.04)
    np.testing.assert_allclose(found.bias, SHIFT, atol=0.15)


def test_the_probability_of_the_set_matches_the_share_that_is_right() -> None:
    found = fit_flags(*drawn(1))
    logits, truth = drawn(2)
    given = found.given(found.probabilities(logits))
    right, sure = (given == (truth > 0.5)).all(axis=1), found.sure(logits)
    for low, high in ((0.0, 0.3), (0.3, 0.6), (0.6, 1.0)):
        own = (sure >= low) & (sure < high)
        assert own.sum() > 100 and right[own].mean() == pytest.approx(sure[own].mean(), abs=0.05)


def test_labels_that_come_together_make_a_set_more_probable_than_their_product() -> None:
    random = np.random.default_rng(3)
    shared = random.normal(size=(ROWS, 1)) * 2
    truth = np.repeat(random.random((ROWS, 1)) < sigmoid(shared), 6, axis=1).astype(np.float64)
    logits = np.repeat(shared, 6, axis=1)
    found = fit_flags(logits, truth)
    right = (found.given(found.probabilities(logits)) == (truth > 0.5)).all(axis=1)
    shares = found.probabilities(logits)
    product = np.where(found.given(shares), shares, 1 - shares).prod(axis=1)
    assert right.mean() - product.mean() > 0.1
    assert found.sure(logits).mean() == pytest.approx(right.mean(), abs=0.02)


def test_a_threshold_is_that_of_the_best_f1_and_of_a_rare_label_near_the_common_one() -> None:
    logits, truth = drawn(4)
    found = fit_flags(logits, truth)
    shares = found.probabilities(logits)
    for label in range(LABELS):
        scores = {}
        for cut in (found.threshold[label], 0.1, 0.5, 0.8):
            given = shares[:, label] >= cut
            scores[cut] = 2 * (given * truth[:, label]).sum() / (given.sum() + truth[:, label].sum())
        assert max(scores.values()) - scores[found.threshold[label]] < 0.005
    truth[:, 3] = 0
    truth[:2, 3] = 1
    common = fit_flags(logits[:, :3], truth[:, :3]).threshold
    assert min(common) - 0.1 < fit_flags(logits, truth).threshold[3] < max(common) + 0.1


def test_rows_without_an_error_do_not_make_certain() -> None:
    truth = np.array([[1.0, 0.0], [0.0, 1.0]] * 10)
    found = fit_flags(np.where(truth > 0, 40.0, -40.0), truth)
    sure = found.sure(np.array([[40.0, -40.0]]))
    assert 0.8 < sure[0] < 0.99


def test_what_cannot_be_fitted() -> None:
    assert fit_flags(np.zeros((0, 3)), np.zeros((0, 3))) == FlagsCalibration.plain(3)
    with pytest.raises(ValueError, match="not finite"):
        fit_flags([[np.nan]], [[1.0]])
    with pytest.raises(ValueError, match="must be"):
        fit_flags([[1.0]], [1.0])
    never = fit_flags(np.full((30, 2), -50.0), np.zeros((30, 2)))
    assert np.isfinite(never.sure([[-50.0, -50.0], [50.0, 50.0]])).all()


def test_it_survives_json() -> None:
    found = fit_flags(*drawn(5, 200))
    assert FlagsCalibration.from_json(found.to_json()) == found
