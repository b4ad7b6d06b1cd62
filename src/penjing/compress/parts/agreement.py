"""The lowest confidence at which early answers agree with the teacher often enough, by share and by macro-F1.

    t = the lowest threshold with  (k + 1/2) / (n + 1) <= 1 - a  and  macro-F1 >= a

n texts are at least as confident as t, and k of them get another label than the teacher's. Macro-F1 compares all texts
with the teacher's labels, and counts the texts that are not answered early as equal to them.
Source: Jeffreys, An Invariant Form for the Prior Probability in Estimation Problems, 1946 (the share of a few texts:
the mean of the posterior of k among n).
When: a part of a model may answer instead of the whole (`compress.cascade`, `compress.exit`). When not: the error
itself must be bounded; that is what the certificate does.
"""

from __future__ import annotations

import numpy as np

from penjing.tasks.metrics import Floats, Ints, f1_of_sums

# Above every probability.
NEVER = 2.0
AGREEMENT = (
    "least share of early-exit texts with the teacher's answer, and least macro-F1 of all answers compared with the "
    "teacher's"
)


def choose_threshold(confidence: Floats, predicted: Ints, wanted: Ints, least: float) -> float:
    """The lowest confidence at which texts (n,) may exit with the predicted label; NEVER if none may.

    confidence: of each text; a text of -inf never exits. predicted, wanted: positions of the labels by the early
    answer and by the teacher. least: required share and macro-F1.
    """
    order = np.argsort(-confidence, kind="stable")
    ordered, wrong = confidence[order], np.cumsum((predicted != wanted)[order])
    # Texts with equal probabilities exit together.
    ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True)) if len(ordered) else np.zeros(0, dtype=np.int64)
    share = 1 - (wrong[ends] + 0.5) / (ends + 2)
    macro = _macro_f1_by_errors(predicted[order], wanted[order])[wrong[ends]]
    good = ends[(share >= least) & (macro >= least) & (ordered[ends] > -np.inf)]
    return float(ordered[good[-1]]) if len(good) else NEVER


def _macro_f1_by_errors(predicted: Ints, wanted: Ints) -> Floats:
    """Macro-F1 against `wanted` if only the first 0, 1, 2, ... of the differing texts are answered by `predicted`."""
    truths = np.bincount(wanted, minlength=int(predicted.max(initial=0)) + 1).astype(np.float64)
    hits, guesses = truths.copy(), truths.copy()
    found = [1.0]
    for place in np.flatnonzero(predicted != wanted):
        hits[wanted[place]] -= 1
        guesses[wanted[place]] -= 1
        guesses[predicted[place]] += 1
        found.append(float(np.nanmean(f1_of_sums(hits, truths, guesses))))
    return np.array(found)
