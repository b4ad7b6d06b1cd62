"""Calibration and metrics of a ranking: a temperature, the score of "none of these", recall and reciprocal rank.

    p = softmax([z_1, ..., z_N, r] / T)
    T: of least smoothed loss over the rows whose entry is known (`tasks/calibrate.py`)
    r: the mean of p(none) over validation is the smoothed share of rows that have none, (M + 1) / (n + 2)

The score r of "none of these" is there only if some validation row has it; it is the maximum of the likelihood of one
offset in a logistic model of the log-odds r / T - logsumexp(z / T). Recall at k is the share of rows whose gold is
among the first k; the reciprocal rank is 1 / rank, 0 beyond the entries that an answer lists.

Of large catalogues the calibration is fitted on rows at even distances, so that their scores fit the memory.

Source: Voorhees, The TREC-8 Question Answering Track Report, 1999 (mean reciprocal rank).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from penjing.tasks.calibrate import fit_temperature
from penjing.tasks.metrics import Floats, Ints

# An answer lists so many entries; `recall_at_10` and `mrr` count those.
SHOWN = 10
# More entries are partitioned instead of sorted.
_SORTED = 1_000
# Scores in float64 that the calibration is fitted on, and that are looked at together when a batch is decoded.
_MOST_CELLS = 25_000_000
BLOCK_CELLS = 5_000_000
_STEPS = 80


def fit_ranking(table: npt.ArrayLike, truth: Ints) -> tuple[float, float | None]:
    """(T, r) of scores (n, N) and positions (n,): N for none, negative for an entry that is not known.

    r is None where no row has none.
    """
    scores = np.asarray(table, dtype=np.float64)
    count = scores.shape[1]
    placed = (truth >= 0) & (truth < count)
    temperature = fit_temperature(scores[placed], truth[placed])
    nones = int((truth == count).sum())
    if not nones:
        return temperature, None
    rows = truth >= 0
    support = np.logaddexp.reduce(scores[rows] / temperature, axis=1)
    wanted = (nones + 1) / (int(rows.sum()) + 2)
    low, high = float(support.min()) - 30.0, float(support.max()) + 30.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if float((1 / (1 + np.exp(np.clip(support - middle, -500, 500)))).mean()) < wanted:
            low = middle
        else:
            high = middle
    return temperature, float(round(high * temperature, 6))


def with_none(table: npt.ArrayLike, temperature: float, none: float | None) -> Floats:
    """Scores (n, N) over T, with a column for none of these, (n, N + 1), where r is given."""
    scaled = np.asarray(table, dtype=np.float64) / temperature
    if none is None:
        return scaled
    return np.concatenate([scaled, np.full((len(scaled), 1), none / temperature)], axis=1)


def nearest_places(shares: Floats, most: int = SHOWN) -> Ints:
    """The positions of the largest values of each row, (n, at most `most`), largest first; ties by position."""
    if shares.shape[1] <= _SORTED:
        found: Ints = np.argsort(-shares, axis=1, kind="stable")[:, :most]
        return found
    # The same positions, without sorting all: those of the `most` largest values, and of all that equal the least one.
    least = np.partition(shares, -most, axis=1)[:, -most]
    places = np.empty((len(shares), most), dtype=np.int64)
    for row, (values, bound) in enumerate(zip(shares, least, strict=True)):
        kept = np.flatnonzero(values >= bound)
        places[row] = kept[np.argsort(-values[kept], kind="stable")[:most]]
    return places


def some_rows(rows: int, size: int) -> slice:
    """Rows at even distances, so many that their scores of `size` entries have at most some 200 MB: all of few."""
    return slice(None, None, max(1, -(-rows * size // _MOST_CELLS)))


def rank_counts(ranked: Sequence[Sequence[str]], golds: Sequence[str]) -> Floats:
    """(n, 4): whether the gold is the first, whether it is listed, its reciprocal rank, and 1 for the row."""
    counts = np.zeros((len(golds), 4))
    counts[:, 3] = 1
    for row, (names, gold) in enumerate(zip(ranked, golds, strict=True)):
        if gold in names:
            place = list(names).index(gold)
            counts[row, :3] = (place == 0, place < SHOWN, 1 / (place + 1))
    return counts


def rank_metrics(sums: Floats) -> dict[str, Floats]:
    """recall_at_1, recall_at_10 and mrr of sums of counts (..., 4)."""
    rows = np.maximum(sums[..., 3], 1)
    return {name: sums[..., place] / rows for place, name in enumerate(("recall_at_1", "recall_at_10", "mrr"))}
