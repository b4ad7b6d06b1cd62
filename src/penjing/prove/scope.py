"""Fixes when a text counts as out of scope, from train texts and validation rows, and tests it on texts from outside.

    threshold: the k-th largest score of n validation rows, k = max(1, floor(share (n + 1)))

A new row that is exchangeable with them has a larger score with probability at most k / (n + 1): the share that is
asked for, or 1 / (n + 1) with too few rows. Nothing is promised of texts from outside: where a recipe names some, the
report has AUROC, and the share of test rows that would be rejected with 95 % of them.
Source: Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World, 2005 (the quantile); Hendrycks and Gimpel,
A Baseline for Detecting Misclassified and Out-of-Distribution Examples, 2017 (AUROC); Liu et al., 2020 (at 95 %).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from penjing.core.nouns import Prediction, Table
from penjing.core.task import SMALL
from penjing.data.features import rows_of
from penjing.measure.evaluate import DRAWS, Interval
from penjing.prove.sequence import upper_bound
from penjing.runtime.scope import Scope, ScopeSpec, SeenGrams, StageEnergies
from penjing.runtime.session import Session
from penjing.text.short_grams import short_grams

Floats = npt.NDArray[np.float64]
# The part of the share that texts of unseen n-grams have; the energy has the rest. Chosen on docs/scope.md.
OF_UNSEEN = 0.2
# Shares below this are chance: one rare name in a short text.
_LEAST_UNSEEN = 0.05
_LEAST_WIDTH = 1e-3
_RECALL, _LEVEL = 0.95, 0.05
# At most an eighth of the buckets is full, within these bounds.
_BITS, _MOST_BITS, _FULL = 12, 22, 8
_CHUNK = 64


def fit_scope(session: Session, train: Sequence[str], validation: Table, share: float) -> Scope:
    """The scope of a model, so that at most this share of rows like those of validation is out of it.

    session: as it serves, of a `ScopedTask`; train: masked texts.
    """
    energies, stages = session.energies(validation.texts, rows_of(validation))
    places, of_energy = np.array(stages, dtype=np.int64), (1 - OF_UNSEEN) * share
    grams = seen_grams(train) if session.reads_text else None
    unseen = None
    if grams is not None:
        shares = [grams.unseen(text) for text in validation.texts]
        unseen = max(_LEAST_UNSEEN, float(np.quantile(shares, 1 - OF_UNSEEN * share)))
    rows, kth = len(validation), rank(len(validation), share)
    spec = ScopeSpec(
        threshold=1.0,
        share=round(kth / (rows + 1), 6),
        rows=rows,
        stages=tuple(_spread(energies[places == i], energies, of_energy) for i in range(session.answering_stages)),
        unseen=unseen,
        bits=_BITS if grams is None else grams.bits,
    )
    far = sorted(Scope(spec, grams).far(validation.texts, energies, stages))
    return Scope(spec.model_copy(update={"threshold": far[-kth]}), grams)


def rank(rows: int, share: float) -> int:
    """k: the threshold is the k-th largest score of so many validation rows."""
    return min(rows, max(1, int(np.floor(share * (rows + 1) + 1e-9))))


def seen_grams(train: Sequence[str]) -> SeenGrams:
    """Which n-grams these masked texts have, in so many buckets that few texts share one by chance."""
    # The top bits of a bucket are its bucket among fewer.
    wide = [np.unique(short_grams(text, _MOST_BITS)) for text in train]
    found = np.unique(np.concatenate(wide)) if wide else np.zeros(0, dtype=np.uint32)
    bits = _BITS
    while bits < _MOST_BITS and _FULL * len(found) > 1 << bits:
        bits += 1
    seen = np.zeros(1 << bits, dtype=bool)
    seen[found >> np.uint32(_MOST_BITS - bits)] = True
    return SeenGrams(seen, bits)


def _spread(own: Floats, every: Floats, share: float) -> StageEnergies:
    """Of the energies of one stage; of all stages where it answers too few rows."""
    found = own if len(own) >= SMALL else every
    middle = float(np.median(found))
    width = max(_LEAST_WIDTH, float(np.quantile(found, 1 - share)) - middle)
    return StageEnergies(middle=round(middle, 9), width=round(width, 9))


@dataclass(frozen=True)
class Outside:
    """A named set of texts from outside, beside the test rows; each with its 95 % interval.

    auroc: the probability that a text from outside has a larger score than a test row; false_positives: the share of
    test rows that would be out of scope if 95 % of the set were; recall: the share of the set that is out of scope.
    """

    name: str
    texts: int
    auroc: Interval
    false_positives: Interval
    recall: Interval


@dataclass(frozen=True)
class ScopeTest:
    """What the scope of a release does: rejected: the share of test rows that is out of it; asked: the share that was
    allowed, by `rows` validation rows."""

    rejected: Interval
    asked: float
    rows: int
    outside: tuple[Outside, ...] = ()


def measure_scope(
    session: Session, inside: Sequence[Prediction], outside: Mapping[str, Sequence[str]]
) -> ScopeTest | None:
    """The scope of a served session on predictions of test rows and on texts from outside; None if it has none.

    outside: masked texts by the name of the set; sets without texts are left out.
    """
    scope = session.scope
    if scope is None:
        return None
    test = np.array([each.far for each in inside], dtype=np.float64)
    named = {name: session.predict(texts) for name, texts in outside.items() if texts}
    return ScopeTest(
        rejected=_share([each.out_of_scope for each in inside]),
        asked=scope.spec.share,
        rows=scope.spec.rows,
        outside=tuple(_outside(name, test, found) for name, found in named.items()),
    )


def _outside(name: str, test: Floats, found: Sequence[Prediction]) -> Outside:
    auroc, false_positives = compared(test, np.array([each.far for each in found], dtype=np.float64))
    return Outside(name, len(found), auroc, false_positives, _share([each.out_of_scope for each in found]))


def _share(flags: Sequence[bool]) -> Interval:
    """A share with its exact 95 % interval."""
    true, rows, side = sum(flags), len(flags), _LEVEL / 2
    if not rows:
        return Interval(0.0, 0.0, 1.0)
    low, high = 1 - upper_bound(rows - true, rows, side), upper_bound(true, rows, side)
    return Interval(round(true / rows, 6), round(low, 6), round(high, 6))


def compared(inside: Floats, outside: Floats, draws: int = DRAWS, seed: int = 0) -> tuple[Interval, Interval]:
    """AUROC and the false positives at 95 % recall of two samples of scores, with 95 % intervals by bootstrap.

    Both samples are drawn again. Where there is no error, the bound is that of a proportion without one.
    """
    levels = np.unique(np.concatenate([inside, outside]))
    counts = [np.bincount(np.searchsorted(levels, each), minlength=len(levels)) for each in (inside, outside)]
    value = _curve(*(each[None].astype(np.float64) for each in counts))
    random, drawn = np.random.default_rng(seed), []
    for first in range(0, draws, _CHUNK):
        size = min(_CHUNK, draws - first)
        drawn.append(
            _curve(*(random.multinomial(each.sum(), each / each.sum(), size).astype(float) for each in counts))
        )
    found = []
    for place in (0, 1):
        low, high = np.quantile(np.concatenate([each[place] for each in drawn]), [0.025, 0.975])
        one = float(value[place][0])
        least = (_LEVEL / 2) ** (1 / min(len(inside), len(outside)))
        low = min(low, least) if place == 0 and one == 1.0 else low
        high = max(high, 1 - least) if place == 1 and one == 0.0 else high
        found.append(Interval(round(one, 6), round(min(low, one), 6), round(max(high, one), 6)))
    return found[0], found[1]


def _curve(inside: Floats, outside: Floats) -> tuple[Floats, Floats]:
    """AUROC (draws,) and false positives at 95 % recall (draws,) of counts at ascending scores, (draws, scores)."""
    ins, outs = inside.sum(axis=1, keepdims=True), outside.sum(axis=1, keepdims=True)
    below = np.cumsum(inside, axis=1) - inside / 2
    auroc: Floats = (outside * below).sum(axis=1) / (ins * outs)[:, 0]
    above = np.cumsum(outside[:, ::-1], axis=1)[:, ::-1] >= _RECALL * outs - 1e-9
    # The highest score at which so much of the set is at or above it.
    place = above.shape[1] - 1 - above[:, ::-1].argmax(axis=1)
    left = np.cumsum(inside[:, ::-1], axis=1)[:, ::-1]
    false: Floats = left[np.arange(len(left)), place] / ins[:, 0]
    return auroc, false
