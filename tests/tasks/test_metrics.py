"""The metrics of classification against scikit-learn and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, f1_score

from penjing.core.errors import DataError
from penjing.tasks.metrics import (
    accuracy,
    confusion,
    encode_labels,
    f1_by_label,
    macro_f1,
    softmax,
)


@pytest.mark.parametrize("labels", [2, 5, 77])
def test_metrics_agree_with_scikit_learn(labels: int) -> None:
    random = np.random.default_rng(labels)
    truth, guess = random.integers(0, labels, 500), random.integers(0, labels, 500)
    assert macro_f1(truth, guess, labels) == pytest.approx(f1_score(truth, guess, average="macro"), abs=1e-12)
    assert (confusion(truth, guess, labels) == confusion_matrix(truth, guess, labels=range(labels))).all()
    assert accuracy(truth, guess) == pytest.approx((truth == guess).mean())


def test_macro_f1_leaves_out_labels_that_never_occur_but_counts_missed_ones() -> None:
    assert macro_f1([0, 0, 1], [0, 0, 1], labels=5) == 1.0
    assert macro_f1([0, 0, 1], [0, 0, 2], labels=5) == pytest.approx(1 / 3)
    assert np.isnan(f1_by_label(confusion([0], [0], 2))[1])


def test_no_rows_score_zero() -> None:
    assert macro_f1([], [], 3) == 0.0
    assert accuracy([], []) == 0.0


def test_arrays_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="one length"):
        accuracy([0, 1], [0])


def test_encode_labels_keeps_positions_and_names_an_unknown_label() -> None:
    codes = encode_labels(["b", "a", "b"], ("a", "b"))
    assert codes.dtype == np.int64
    assert codes.tolist() == [1, 0, 1]
    with pytest.raises(DataError, match="unknown label `spamm`") as caught:
        encode_labels(["ham", "spamm"], ("ham", "spam"))
    assert caught.value.where == "row 2"
    assert "did you mean `spam`?" in str(caught.value)


def test_softmax_is_stable_and_honours_the_temperature() -> None:
    probabilities = softmax(np.array([[1000.0, 0.0], [0.0, 0.0]]))
    assert probabilities.tolist() == [[1.0, 0.0], [0.5, 0.5]]
    assert softmax([[2.0, 0.0]], temperature=2.0)[0, 0] == pytest.approx(1 / (1 + np.exp(-1)))
    assert softmax(np.zeros((0, 3))).shape == (0, 3)
