"""The metrics of one label a text: labels to numbers, logits to probabilities, F1; numpy only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from penjing.core.errors import DataError
from penjing.core.options import nearest

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def encode_labels(labels: Sequence[str], known: Sequence[str]) -> Ints:
    """Positions of the labels in `known`, (n,) int64. Raises DataError for a label that is not known."""
    place = {label: index for index, label in enumerate(known)}
    try:
        return np.fromiter((place[label] for label in labels), dtype=np.int64, count=len(labels))
    except KeyError as error:
        name = str(error.args[0])
        row = list(labels).index(name) + 1
        raise DataError(f"unknown label `{name}`", where=f"row {row}", fix=nearest(name, list(known))) from None


def softmax(logits: npt.ArrayLike, temperature: float = 1.0) -> Floats:
    """Probabilities (n, L) float64 of logits (n, L) divided by `temperature` (> 0); each row sums to 1."""
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    # The ufuncs are called directly: for one row the methods of an array would take most of the time.
    powers = np.exp(scaled - np.maximum.reduce(scaled, axis=-1, keepdims=True))
    result: Floats = powers / np.add.reduce(powers, axis=-1, keepdims=True)
    return result


def accuracy(truth: npt.ArrayLike, guess: npt.ArrayLike) -> float:
    """Share of equal entries of two (n,) arrays; 0 for no rows."""
    truth, guess = _pair(truth, guess)
    return float((truth == guess).mean()) if truth.size else 0.0


def confusion(truth: npt.ArrayLike, guess: npt.ArrayLike, labels: int) -> Ints:
    """Counts (L, L) int64: rows are the truth, columns the guess."""
    truth, guess = _pair(truth, guess)
    counts: Ints = np.bincount(truth * labels + guess, minlength=labels * labels).reshape(labels, labels)
    return counts


def f1_by_label(counts: npt.ArrayLike) -> Floats:
    """F1 of each label, (..., L), from confusion counts (..., L, L); NaN for a label in neither truth nor guess.

    F1 = 2 TP / (rows of the label + guesses of the label). Source: van Rijsbergen, Information Retrieval, 1979.
    """
    table = np.asarray(counts, dtype=np.float64)
    hits = np.diagonal(table, axis1=-2, axis2=-1)
    return f1_of_sums(hits, table.sum(axis=-1), table.sum(axis=-2))


def f1_of_sums(hits: Floats, truths: Floats, guesses: Floats) -> Floats:
    """F1 (..., L) from a label's hits, its rows and its guesses, (..., L) each; NaN where it has neither."""
    total = truths + guesses
    result: Floats = np.divide(2 * hits, total, out=np.full(total.shape, np.nan), where=total > 0)
    return result


def macro_f1(truth: npt.ArrayLike, guess: npt.ArrayLike, labels: int) -> float:
    """Mean F1 over the labels that occur in truth or guess (as scikit-learn counts it); 0 for no rows."""
    scores = f1_by_label(confusion(truth, guess, labels))
    present = ~np.isnan(scores)
    return float(scores[present].mean()) if present.any() else 0.0


def _pair(truth: Any, guess: Any) -> tuple[Ints, Ints]:
    first, second = np.asarray(truth, dtype=np.int64), np.asarray(guess, dtype=np.int64)
    if first.shape != second.shape or first.ndim != 1:
        raise ValueError(f"truth {first.shape} and guess {second.shape} must be one-dimensional and of one length")
    return first, second
