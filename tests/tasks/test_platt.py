"""Platt scaling: known probabilities are found again, and what cannot be fitted is left alone."""

from __future__ import annotations

import numpy as np
import pytest

from penjing.tasks.platt import fit_platt, platt


def test_too_sure_probabilities_are_drawn_to_the_true_share() -> None:
    random = np.random.default_rng(0)
    true = random.uniform(0.1, 0.9, 20_000)
    right = random.random(20_000) < true
    said = 1 / (1 + np.exp(-(2 * np.log(true / (1 - true)) + 1)))
    a, b = fit_platt(said, right)
    assert (a, b) == (pytest.approx(0.5, abs=0.03), pytest.approx(-0.5, abs=0.06))
    assert np.abs(platt(said, (a, b)) - true).max() < 0.02


def test_no_rows_change_nothing_and_a_useless_confidence_becomes_the_share() -> None:
    assert fit_platt([], []) == (1.0, 0.0)
    a, b = fit_platt([0.1, 0.1, 0.9, 0.9] * 25, [1, 1, 0, 0] * 25)
    assert a == 0.0 and platt([0.1, 0.9], (a, b)).tolist() == pytest.approx([0.5, 0.5])


def test_all_right_rows_say_what_their_number_supports() -> None:
    scale = fit_platt(np.full(98, 0.9), np.ones(98))
    assert platt([0.9], scale)[0] == pytest.approx(0.99, abs=0.02)
