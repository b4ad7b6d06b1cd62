"""One path of threshold vectors for several limits at once: a step passes only if every limit passes.

Limits are of two kinds. `error`: the share of errors among the cases that the model decides (all of them, or those to
which it gives one label). `miss` of a true label y:

    miss(y) = P(a case of true label y is decided without a person, and wrongly)

over all cases of y: those that go to a person are in its denominator, and outcomes that a rule forces count too.

A vector has one threshold for each label that the model can give (None: always to a person). Validation rows fix an
ordered path of vectors, each of which automates more than the one before. On calibration rows step i tests "some limit
is exceeded at vector i": its p-value is the largest of the exact binomial p-values of its limits (intersection-union
test, Berger 1982). Testing ends at the first step that does not pass (fixed sequence, as in `sequence.py`), so the
level is divided neither by the number of steps nor by the number of limits.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from penjing.core.certificate import Need
from penjing.decide.schema import MICRO
from penjing.prove.needed import LimitCount, needed, surest
from penjing.prove.sequence import DELTA, STEPS, Bools, Cases, Floats, Ints, binomial_tail, pass_chance, rows_to_prove

Vector = tuple[int | None, ...]
# Validation cases are added to the path in about so many blocks.
_BLOCKS = 120


@dataclass(frozen=True)
class Limit:
    """A limit: `error` among what the model decides (place None: all, else that label), or `miss` of a true label."""

    kind: Literal["error", "miss"]
    name: str
    place: int | None
    risk: float


@dataclass(frozen=True, eq=False)
class PathCases:
    """Labelled cases as arrays of shape (n,): what the model would decide, the true label, and what rules force.

    truth: position of the true label. forced: whether a rule forces a wrong outcome. chances: (n, labels) calibrated
    probability of each label.
    """

    cases: Cases
    truth: Ints
    forced: Bools
    chances: Floats

    def __len__(self) -> int:
        return len(self.truth)


@dataclass(frozen=True)
class Counted:
    """The cases that count for a limit at a vector, and the errors among them."""

    cases: int
    errors: int


def taken(cases: Cases, vector: Vector, band: int = 0) -> Bools:
    """Which cases the model decides under a vector of thresholds in millionths, (n,)."""
    least = np.array([2 * MICRO if each is None else each + band for each in vector], dtype=np.int64)
    return cases.open & (cases.p >= least[cases.scope])


def count(found: PathCases, vector: Vector, limits: Sequence[Limit], band: int = 0) -> list[Counted]:
    """The tally of every limit at a vector."""
    decided = taken(found.cases, vector, band)
    wrong = decided & ~found.cases.correct
    tallies = []
    for each in limits:
        if each.kind == "miss":
            own, bad = found.truth == each.place, wrong | found.forced
        else:
            own, bad = decided & ((each.place is None) | (found.cases.scope == each.place)), wrong
        tallies.append(Counted(int(own.sum()), int((own & bad).sum())))
    return tallies


def p_values(tallies: Sequence[Counted], limits: Sequence[Limit], vector: Vector) -> list[float]:
    """The p-value of each limit. A label that always goes to a person has no errors among its automated cases: 0."""
    found = []
    for tally, each in zip(tallies, limits, strict=True):
        closed = each.kind == "error" and each.place is not None and vector[each.place] is None
        found.append(0.0 if closed else binomial_tail(tally.errors, tally.cases, each.risk))
    return found


def stricter(found: PathCases, vector: Vector, band: int = 0) -> list[Vector]:
    """The vector with every threshold raised to the scores of the surest cases (`needed.surest`), if that is more."""
    raised = [
        tuple(None if least is None else max(least, p - band) for least in vector)
        for p in surest(found.cases.p[found.cases.open])
    ]
    return [each for each in raised if each != vector]


def vectors_need(
    found: PathCases,
    vectors: Sequence[Vector],
    limits: Sequence[Limit],
    delta: float = DELTA,
    band: int = 0,
    tested: int | None = None,
) -> Need:
    """What more rows would do for a path (`needed.py`)."""

    def counts(vector: Vector) -> list[LimitCount]:
        pairs = zip(count(found, vector, limits, band), limits, strict=True)
        # A label that always goes to a person has no limit on errors to keep.
        return [
            LimitCount(tally.cases, tally.errors, each.risk)
            for tally, each in pairs
            if each.kind == "miss" or each.place is None or vector[each.place] is not None
        ]

    above = [counts(each) for each in stricter(found, vectors[0], band)]
    return needed([counts(vector) for vector in vectors], len(found), delta, tested, above)


def make_path(
    validation: PathCases, limits: Sequence[Limit], rows: int, *, delta: float = DELTA, band: int = 0
) -> tuple[Vector, ...]:
    """At most 50 vectors, each of which automates more than the one before, chosen on validation rows alone.

    Blocks of the surest open cases of each label are added one at a time: the next block is the one after which the
    worst limit, by estimated risk / limit, is best. The path begins at the vector that is most likely to pass on
    `rows` calibration rows, among those that enough validation rows pass, and ends where a limit is exceeded twofold.
    The estimated risks are those of `make_grid`: the mean of the share of errors and of the calibrated probabilities.
    """
    stops = _Walk(validation, limits, rows, delta).run()
    if not stops:
        none: Vector = (None,) * validation.chances.shape[1]
        return (none,)
    ratio = max(rows / max(1, len(validation)), 1e-9)
    # As many automated cases as prove the limits on errors, if none of them is wrong.
    least = max(
        (math.ceil(rows_to_prove(each.risk, delta) / ratio) for each in limits if each.place is None), default=1
    )
    able = [i for i, stop in enumerate(stops) if stop.size >= least] or [len(stops) - 1]
    best = max(stops[i].chance for i in able)
    if best > 0:
        level = [i for i in able if stops[i].chance >= best - 1e-3]
        first = level[len(level) // 2]
    else:
        first = min(able, key=lambda i: stops[i].worst)
    last = max([first, *(i for i, stop in enumerate(stops) if stop.worst <= 2)])
    kept = np.unique(np.linspace(first, last, min(STEPS, last - first + 1)).round().astype(int)).tolist()
    lowered = [tuple(None if p is None else max(0, p - band) for p in stops[i].vector) for i in kept]
    return tuple(dict.fromkeys(lowered))


@dataclass(frozen=True)
class _Stop:
    """A vector, its chance to pass, its worst estimated risk / limit, and the validation cases that it automates."""

    vector: Vector
    chance: float
    worst: float
    size: int


class _Walk:
    """The walk over the validation cases that orders the vectors."""

    def __init__(self, found: PathCases, limits: Sequence[Limit], rows: int, delta: float) -> None:
        self.found, self.limits, self.rows, self.delta = found, limits, rows, delta
        self.risks = np.array([each.risk for each in limits])
        size = max(1, math.ceil(int(found.cases.open.sum()) / _BLOCKS))
        # Of each label: the threshold of each block, and the positions of its cases.
        self.blocks = [list(_blocks(found.cases, scope, size)) for scope in range(found.chances.shape[1])]

    def run(self) -> list[_Stop]:
        """The vectors from the strictest to the one under which the model decides every open case."""
        place, size = [0] * len(self.blocks), 0
        vector: list[int | None] = [None] * len(self.blocks)
        counts, errors = self._base()
        gains = [[self._gain(scope, block) for _, block in blocks] for scope, blocks in enumerate(self.blocks)]
        stops: list[_Stop] = []
        while left := [scope for scope, blocks in enumerate(self.blocks) if place[scope] < len(blocks)]:
            after = {}
            for scope in left:
                more, added = gains[scope][place[scope]]
                after[scope] = float((_rates(counts + more, errors + added) / self.risks).max())
            best = min(left, key=lambda scope: round(after[scope], 12))
            more, added = gains[best][place[best]]
            threshold, block = self.blocks[best][place[best]]
            counts, errors, size = counts + more, errors + added, size + len(block)
            place[best] += 1
            vector[best] = threshold
            stops.append(_Stop(tuple(vector), self._chance(counts, errors), after[best], size))
        return stops

    def _base(self) -> tuple[Ints, Floats]:
        """The cases and the errors of each limit while the model decides nothing: those of misses that rules force."""
        misses = [each.kind == "miss" for each in self.limits]
        own = [(self.found.truth == each.place) & miss for each, miss in zip(self.limits, misses, strict=True)]
        counts = np.array([int(one.sum()) for one in own], dtype=np.int64)
        return counts, np.array([float((one & self.found.forced).sum()) for one in own])

    def _gain(self, scope: int, block: Ints) -> tuple[Ints, Floats]:
        """What a block adds to the cases and to the estimated errors of each limit."""
        cases, chances, truth = self.found.cases, self.found.chances, self.found.truth
        wrong = ~cases.correct[block]
        more, errors = np.zeros(len(self.limits), dtype=np.int64), np.zeros(len(self.limits))
        for i, each in enumerate(self.limits):
            if each.kind == "miss":
                missed = float((wrong & (truth[block] == each.place)).sum())
                expected = float(chances[block, each.place].sum()) if each.place != scope else 0.0
                errors[i] = (missed + expected) / 2
            elif each.place in (None, scope):
                more[i] = len(block)
                errors[i] = (float(wrong.sum()) + float((1 - cases.p[block] / MICRO).sum())) / 2
        return more, errors

    def _chance(self, counts: Ints, errors: Floats) -> float:
        """The probability that every limit passes, as if they were independent."""
        chance, known = 1.0, len(self.found)
        rates = _rates(counts, errors).tolist()
        for each, cases, rate in zip(self.limits, counts.tolist(), rates, strict=True):
            if cases or each.place is None or each.kind == "miss":
                chance *= pass_chance(cases, known, self.rows / max(1, known), rate, each.risk, self.delta)
        return chance


def _rates(counts: Ints, errors: Floats) -> Floats:
    rates: Floats = (errors + 0.25) / (counts + 0.5)
    return rates


def _blocks(cases: Cases, scope: int, size: int) -> Iterator[tuple[int, Ints]]:
    """The open cases of a label in blocks of `size` or more, the surest first; equal scores are in one block."""
    own = np.flatnonzero(cases.open & (cases.scope == scope))
    own = own[np.argsort(-cases.p[own], kind="stable")]
    start = 0
    for end in range(1, len(own) + 1):
        last = end == len(own)
        if last or (end - start >= size and cases.p[own[end]] != cases.p[own[end - 1]]):
            yield int(cases.p[own[end - 1]]), own[start:end]
            start = end
