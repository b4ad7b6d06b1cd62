"""One model on one table: predictions, guesses and truths, and the labels over which promises are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from penjing.core.answers import Choice, as_kind
from penjing.core.nouns import Prediction, Table
from penjing.runtime.session import Session
from penjing.tasks.metrics import encode_labels

SMALL = 30


@dataclass(frozen=True, eq=False)
class Scored:
    """Predictions of n rows in the order of the table; `truth` and `guess` are positions in `labels`."""

    labels: tuple[str, ...]
    predictions: list[Prediction]
    probabilities: npt.NDArray[np.float64]  # (n, labels)
    truth: npt.NDArray[np.int64]  # (n,)
    guess: npt.NDArray[np.int64]  # (n,)

    def agreement(self, other: Scored) -> float:
        """Share of rows on which the two give the same label."""
        return float(np.mean(self.guess == other.guess)) if len(self.guess) else 1.0


def score(session: Session, table: Table) -> Scored:
    """Predict every row of a labelled table. The session's labels are those of the training rows."""
    predictions = session.predict(table.texts)
    probabilities = np.array(
        [as_kind(prediction.answer, Choice).probabilities for prediction in predictions], dtype=np.float64
    )
    probabilities = probabilities.reshape(len(predictions), len(session.labels))
    truth = encode_labels(table.labels or (), session.labels)
    guess = probabilities.argmax(axis=1) if len(predictions) else np.zeros(0, dtype=np.int64)
    return Scored(session.labels, predictions, probabilities, truth, guess)


def promised_labels(labels: Sequence[str], counts: Mapping[str, int]) -> list[int]:
    """Positions of the labels with at least 30 rows: smaller ones are reported, reviewed, and in no promise."""
    kept = [position for position, label in enumerate(labels) if counts.get(label, 0) >= SMALL]
    return kept or list(range(len(labels)))
