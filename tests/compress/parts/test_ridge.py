"""The closed form is the minimum of the written sum, and the error of a row left out is that of a fit without it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from penjing.compress.parts import ridge
from penjing.compress.parts.ridge import fit_ridge
from penjing.core.nouns import Run

RUN = Run(Path("out"), Path("scratch"), threads=1)


def data(rows: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    drawn = np.random.default_rng(3)
    states = drawn.normal(size=(rows, 4)) * [1, 10, 0.1, 1] + 5
    outputs = states @ drawn.normal(size=(4, 2)) + 7 + noise * drawn.normal(size=(rows, 2))
    return states.astype(np.float32), outputs.astype(np.float32)


def by_hand(states: np.ndarray, outputs: np.ndarray, penalty: float) -> tuple[np.ndarray, np.ndarray]:
    """Weight (outputs, width) and bias from the normal equations of standardised states."""
    mean, spread = states.mean(axis=0), states.std(axis=0)
    rows = (states - mean) / spread
    gram = rows.T @ rows + penalty * len(rows) * np.eye(rows.shape[1])
    weight = (np.linalg.solve(gram, rows.T @ (outputs - outputs.mean(axis=0))) / spread[:, None]).T
    return weight, outputs.mean(axis=0) - weight @ mean


@pytest.mark.parametrize("penalty", [0.01, 1.0])
def test_the_map_and_the_error_of_a_row_left_out(penalty: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ridge, "PENALTIES", (penalty,))
    states, outputs = data(12, noise=0.5)
    found = fit_ridge(states, outputs, RUN)
    weight, bias = by_hand(states.astype(float), outputs.astype(float), penalty)
    assert found.weight.numpy() == pytest.approx(weight, rel=1e-4, abs=1e-4)
    assert found.bias.numpy() == pytest.approx(bias, rel=1e-4, abs=1e-4)
    # Left out by hand with the mean, the spread and the penalty of all rows: the same sum without the row.
    rows = (states - states.mean(axis=0, dtype=float)) / states.std(axis=0, dtype=float)
    joined = np.hstack([np.ones((12, 1)), rows])
    cost = penalty * 12 * np.diag([0, 1, 1, 1, 1])
    errors = []
    for row in range(12):
        rest = np.arange(12) != row
        fitted = np.linalg.solve(joined[rest].T @ joined[rest] + cost, joined[rest].T @ outputs[rest].astype(float))
        errors.append(outputs[row] - joined[row] @ fitted)
    spread = ((outputs - outputs.mean(axis=0, dtype=float)) ** 2).mean()
    assert found.left_out == pytest.approx((np.array(errors) ** 2).mean() / spread, rel=1e-4)


def test_the_penalty_follows_the_noise() -> None:
    clean, noisy = (fit_ridge(*data(30, noise), RUN) for noise in (0.0, 40.0))
    assert clean.penalty < noisy.penalty and clean.left_out < 0.01 < noisy.left_out
    states, outputs = data(30, 0.0)
    assert states @ clean.weight.numpy().T + clean.bias.numpy() == pytest.approx(outputs, abs=0.1)


def test_more_dimensions_than_rows_and_dimensions_without_spread_are_no_fault() -> None:
    drawn = np.random.default_rng(0)
    states = np.hstack([drawn.normal(size=(3, 8)), np.ones((3, 2))]).astype(np.float32)
    found = fit_ridge(states, drawn.normal(size=(3, 2)).astype(np.float32), RUN)
    assert np.isfinite(found.weight.numpy()).all() and found.penalty in ridge.PENALTIES
