"""Pieces that answers name against those of gold, entities or triples: scores by label, and what probabilities say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from itertools import pairwise
from typing import TypeVar

import numpy as np

from penjing.tasks.metrics import Floats

Piece = TypeVar("Piece", bound=Hashable)
_BINS = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 1.000001)
_DIGITS = 4


def rows_by_label(
    said: Sequence[Sequence[Piece]],
    meant: Sequence[Sequence[Piece]],
    labels: Sequence[str],
    label_of: Callable[[Piece], str],
) -> tuple[tuple[str | float, ...], ...]:
    """Of each label: texts with it in gold, its gold pieces, precision, recall and F1; 0 for a share of nothing.

    said, meant: the pieces of answers and of gold of n texts. labels: those that have a row in any case.
    """
    hits, given, true, texts = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for answers, golds in zip(said, meant, strict=True):
        truth = set(golds)
        given.update(map(label_of, answers))
        true.update(map(label_of, golds))
        texts.update({label_of(one) for one in golds})
        hits.update(label_of(one) for one in answers if one in truth)
    return tuple(
        (
            label,
            float(texts[label]),
            float(true[label]),
            _ratio(hits[label], given[label]),
            _ratio(hits[label], true[label]),
            _ratio(2 * hits[label], given[label] + true[label]),
        )
        for label in sorted({*labels, *true})
    )


def rarest_labels(labels: Sequence[Sequence[str]], golds: Sequence[str], none: str) -> list[str]:
    """Of n texts the label of each that the fewest of them have; `none` for a text without one, "" without gold.

    labels: those of each gold, none twice.
    """
    texts = Counter(label for each in labels for label in each)
    return [
        (min(each, key=lambda label: (texts[label], label)) if each else none) if gold else ""
        for gold, each in zip(golds, labels, strict=True)
    ]


def share_of(part: Floats, whole: Floats) -> Floats:
    """The share that each part is of its whole, of the same shape; 1 where the whole is 0."""
    result: Floats = np.divide(part, whole, out=np.ones_like(part), where=whole > 0)
    return result


def rows_by_probability(pairs: Sequence[tuple[float, bool]]) -> tuple[tuple[str | float, ...], ...]:
    """Of each bin of probabilities with pieces: their number, their mean probability, and the share that is right.

    pairs: the probability of each piece, and whether it is right.
    """
    rows = []
    for low, high in pairwise(_BINS):
        inside = [(p, right) for p, right in pairs if low <= p < high]
        if inside:
            mean, share = (sum(column) / len(inside) for column in zip(*inside, strict=True))
            name = f"{low:g} to {min(high, 1.0):g}"
            rows.append((name, float(len(inside)), round(mean, _DIGITS), round(share, _DIGITS)))
    return tuple(rows)


def _ratio(part: int, whole: int) -> float:
    return round(part / whole, _DIGITS) if whole else 0.0
