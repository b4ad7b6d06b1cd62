"""A logistic regression of whether answers are right, on several numbers about each."""

from __future__ import annotations

import numpy as np
import pytest

from penjing.tasks.confidence import confidence, fit_confidence


def drawn(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of two scales and a third that says nothing; right with the probability of a logistic model."""
    random = np.random.default_rng(seed)
    table = random.normal(size=(rows, 3)) * (1.0, 30.0, 2.0) + (0.0, 500.0, 1.0)
    p = 1 / (1 + np.exp(-(1.5 * table[:, 0] - 0.05 * (table[:, 1] - 500.0) - 0.5)))
    return table, random.random(rows) < p


def test_the_weights_of_the_truth_are_found_whatever_the_scale() -> None:
    fitted = fit_confidence(*drawn(20_000, 1))
    assert fitted["weights"] == pytest.approx([1.5, -0.05, 0.0], abs=0.06)
    table, right = drawn(20_000, 2)
    p = confidence(table, fitted)
    for low in np.arange(0.0, 1.0, 0.2):
        inside = (p >= low) & (p < low + 0.2)
        assert right[inside].mean() == pytest.approx(p[inside].mean(), abs=0.03)


def test_few_rows_and_rows_that_are_all_alike_move_little() -> None:
    table = np.array([[0.0, 3.0], [1.0, 3.0], [2.0, 3.0]])
    every = fit_confidence(table, [True] * 3)
    assert every["weights"] == pytest.approx([0.0, 0.0], abs=1e-6)
    assert confidence(table, every) == pytest.approx([0.8] * 3, abs=1e-5)
    assert fit_confidence(table, [False, False, True])["weights"][1] == 0.0
    assert fit_confidence(table[:1], [False])["weights"] == [0.0, 0.0]


def test_p_of_a_row_does_not_depend_on_other_rows() -> None:
    table, right = drawn(300, 3)
    fitted = fit_confidence(table, right)
    assert [float(confidence(row, fitted)[0]) for row in table] == confidence(table, fitted).tolist()
