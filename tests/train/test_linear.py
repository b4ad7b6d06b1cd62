"""The choice of C and the columns of a linear map; what it learns from texts is tested in tests/tune/test_linear.py."""

from __future__ import annotations

import numpy as np
import pytest

from penjing.train.linear import Candidates, stratified_folds


def test_groups_stay_on_one_side_and_labels_are_spread() -> None:
    random = np.random.default_rng(0)
    truth = np.repeat(random.integers(0, 3, 200), 2)
    groups = np.repeat(np.arange(200), 2)
    fold = stratified_folds(truth, groups, Candidates(), seed=0)
    assert (fold[::2] == fold[1::2]).all()
    counts = np.array([np.bincount(truth[fold == k], minlength=3) for k in range(3)])
    assert np.ptp(counts, axis=0).max() <= 2
    few = stratified_folds(truth, np.arange(400), Candidates(rows=100), seed=0)
    assert (few >= 0).sum() == 100
    assert np.bincount(truth[few >= 0]) == pytest.approx(np.bincount(truth) / 4, abs=2)
