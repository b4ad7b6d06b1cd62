"""Scores of sets of labels, against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from penjing.tasks.set_scores import set_counts, set_metrics

PLACE = {label: place for place, label in enumerate("abcd")}


def test_metrics_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    truth, given = ((random.random((300, 4)) < 0.3).astype(float) for _ in range(2))
    golds = [[label for label, place in PLACE.items() if row[place]] for row in truth]
    found = set_metrics(set_counts(given, golds, PLACE).sum(axis=0), 4, range(4))
    assert list(found) == ["micro_f1", "macro_f1", "exact"]
    assert found["micro_f1"] == pytest.approx(f1_score(truth, given, average="micro"))
    assert found["macro_f1"] == pytest.approx(f1_score(truth, given, average="macro"))
    assert found["exact"] == pytest.approx(accuracy_score(truth, given))


def test_a_label_that_is_not_known_is_missed() -> None:
    counts = set_counts(np.array([[1.0, 0, 0, 0]]), [["a", "new"]], PLACE)
    found = set_metrics(counts.sum(axis=0), 4, range(4))
    assert found["micro_f1"] == pytest.approx(2 / 3) and found["exact"] == 0


def test_no_label_anywhere_is_right() -> None:
    found = set_metrics(set_counts(np.zeros((2, 4)), [[], []], PLACE).sum(axis=0), 4, range(4))
    assert (found["micro_f1"], found["exact"]) == (1, 1)


def test_macro_f1_leaves_out_labels_that_are_not_kept() -> None:
    random = np.random.default_rng(1)
    truth, given = ((random.random((200, 4)) < 0.3).astype(float) for _ in range(2))
    golds = [[label for label, place in PLACE.items() if row[place]] for row in truth]
    sums = set_counts(given, golds, PLACE).sum(axis=0)
    found, whole = set_metrics(sums, 4, [0, 2]), set_metrics(sums, 4, range(4))
    assert found["macro_f1"] == pytest.approx(f1_score(truth[:, [0, 2]], given[:, [0, 2]], average="macro"))
    assert found["micro_f1"] == whole["micro_f1"] and found["macro_f1"] != whole["macro_f1"]
