"""Scores of sets of labels: micro-F1, macro-F1 and the share of whole sets, from additive counts.

    micro-F1 = 2 H / (G + T),   H labels that are given and true, G given, T true, over all texts and labels
    macro-F1 = mean of F1 over the labels of 30 rows and more that are true or given somewhere

Source: Tsoumakas, Katakis, Multi-Label Classification: An Overview, 2007.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from penjing.tasks.metrics import Floats, f1_of_sums


def set_counts(given: Floats, golds: Sequence[Sequence[str]], place: Mapping[str, int]) -> Floats:
    """(n, 3 L + 3): of each label whether it is true, given, both; then true labels that are not known, 1, all right.

    given: (n, L) of 0 and 1; place: of each known label. A label that no train row had can only be missed.
    """
    rows, labels = given.shape
    counts = np.zeros((rows, 3 * labels + 3))
    for row, gold in enumerate(golds):
        counts[row, [place[label] for label in gold if label in place]] = 1
        counts[row, 3 * labels] = sum(label not in place for label in gold)
    truth = counts[:, :labels]
    counts[:, labels : 2 * labels] = given
    counts[:, 2 * labels : 3 * labels] = given * truth
    counts[:, -2] = 1
    counts[:, -1] = (given == truth).all(axis=1) & (counts[:, 3 * labels] == 0)
    return counts


def set_metrics(sums: Floats, labels: int, kept: Sequence[int]) -> dict[str, Floats]:
    """micro_f1, macro_f1 and exact of sums (..., 3 L + 3). Without any true or given label micro_f1 is 1.

    kept: places of the labels over which macro_f1 is the mean.
    """
    table = np.asarray(sums, dtype=np.float64)
    truth, given, hits = (table[..., place * labels : (place + 1) * labels] for place in range(3))
    unknown, rows, exact = (table[..., 3 * labels + place] for place in range(3))
    total = truth.sum(axis=-1) + given.sum(axis=-1) + unknown
    micro = np.divide(2 * hits.sum(axis=-1), total, out=np.ones_like(total), where=total > 0)
    each = f1_of_sums(hits, truth, given)[..., list(kept)]
    present = ~np.isnan(each)
    macro = np.nan_to_num(each).sum(axis=-1) / np.maximum(present.sum(axis=-1), 1)
    return {"micro_f1": micro, "macro_f1": macro, "exact": exact / np.maximum(rows, 1)}
