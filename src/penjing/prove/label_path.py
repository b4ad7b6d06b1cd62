"""One path of thresholds for limits by label on sets: how often a given label is wrong, and how often one is missed.

Of each case and each label l the answer is settled or open. It is settled where l is given and its p reaches yes[l], or
where l is not given and 1 - p reaches no[l]. Of each label there are two limits, whatever becomes of the others:

    wrong(l)  = P(l is not true | l is given and settled)
    missed(l) = P(l is not given and settled | l is true)

The denominator of `missed` has the cases in which l is open, and outcomes that a rule forces count in its numerator.
A case is decided without a person where every label is settled. Labels of too few rows are never settled where they are
given. For them together, and for answers without any label, there is one limit each:

    rare  = P(the case has such a label | none is given, and all of them are settled)
    empty = P(the case has a label | it is decided without a person, no label is given)

Validation rows fix an ordered path of threshold vectors, each of which settles more. Every threshold of a vector is the
lowest at which its own limit passes with probability q on so many calibration rows, with q falling from vector to
vector: a label of many rows may come nearer to its limit than one of few. What is expected is the mean of what is
counted and of what the probabilities say. On calibration rows a step passes if every limit does by its exact binomial
p-value (intersection-union test, Berger 1982), and testing ends at the first that does not (fixed sequence, as in
`sequence.py`), so that the level is divided neither by steps nor by labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from penjing.decide.schema import MICRO
from penjing.prove.needed import LimitCount
from penjing.prove.path_steps import NEVER
from penjing.prove.sequence import DELTA, STEPS, Bools, Floats, Ints, binomial_tail, pass_chance

# Every limit passes with the same probability; a path goes through these, from the surest on.
CHANCES = 1 - np.geomspace(2e-4, 0.9, 40)
# The misses of a label have a limit if its rows prove that so likely, where a tenth of what is allowed happens.
_ABLE = 0.99
# Thresholds that are looked at: for a path, and for a forecast.
_CANDIDATES, _FEW = 120, 40
# A vector that passes less likely by so much is as good, if it settles more.
AS_LIKELY = 0.02

Kind = Literal["error", "miss", "rare", "empty"]


@dataclass(frozen=True, eq=False)
class LabelCases:
    """Labelled cases of L labels as arrays: p (n, L) in millionths; given, truth, forced (n, L); the others (n,).

    forced: a rule forces an outcome without this true label. rare: whether a case has a label that is not among these.
    rare_p: the largest p of such a label; NEVER where the model gives one. open: whether the model answers if the
    thresholds allow it. others: number of the labels that are not among these.
    """

    p: Ints
    given: Bools
    truth: Bools
    forced: Bools
    rare: Bools
    rare_p: Ints
    open: Bools
    others: int = 0

    def __len__(self) -> int:
        return len(self.open)

    @property
    def sure(self) -> Ints:
        """The confidence in what is said of each label, (n, L) in millionths."""
        found: Ints = np.where(self.given, self.p, MICRO - self.p)
        return found

    @property
    def rare_sure(self) -> Ints:
        """The confidence that there is no rare label, (n,); below 0 where the model gives one."""
        found: Ints = MICRO - self.rare_p
        return found

    @property
    def empty(self) -> Bools:
        """Whether the model gives no label, (n,)."""
        found: Bools = ~self.given.any(axis=1) & (self.rare_p < NEVER)
        return found

    @property
    def empty_sure(self) -> Ints:
        """The confidence in the label that is the least sure, (n,)."""
        found: Ints = np.minimum(self.sure.min(axis=1), self.rare_sure)
        return found


@dataclass(frozen=True, eq=False)
class Cuts:
    """A vector of thresholds in millionths: yes and no (L,), of rare labels, of an empty answer. NEVER: to a person."""

    yes: Ints
    no: Ints
    rare: int
    empty: int

    def settled(self, cases: LabelCases, band: int = 0) -> Bools:
        """Which labels of which cases are settled, (n, L)."""
        found: Bools = cases.open[:, None] & (cases.sure >= np.where(cases.given, self.yes, self.no) + band)
        return found

    def without_rare(self, cases: LabelCases, band: int = 0) -> Bools:
        """The cases in which all rare labels are settled, (n,)."""
        found: Bools = cases.open & (cases.rare_sure >= self.rare + band)
        return found

    def whole(self, cases: LabelCases, band: int = 0) -> Bools:
        """The cases in which every label is settled, (n,)."""
        found: Bools = self.settled(cases, band).all(axis=1) & self.without_rare(cases, band)
        return found

    def taken(self, cases: LabelCases, band: int = 0) -> Bools:
        """The cases that the model decides, (n,)."""
        found: Bools = self.whole(cases, band) & (~cases.empty | (cases.empty_sure >= self.empty + band))
        return found


@dataclass(frozen=True)
class LabelLimit:
    """A limit: `error` or `miss` of the label at `place`; `rare` or `empty`, whose place is -1."""

    kind: Kind
    name: str
    place: int
    risk: float


def count(cases: LabelCases, cuts: Cuts, limits: Sequence[LabelLimit], band: int = 0) -> list[LimitCount]:
    """The cases of every limit at a vector, and the errors among them."""
    settled, taken = cuts.settled(cases, band), cuts.taken(cases, band)
    found = []
    for each in limits:
        if each.kind == "rare":
            own, bad = cuts.without_rare(cases, band), cases.rare
        elif each.kind == "empty":
            own, bad = taken & cases.empty, cases.truth.any(axis=1) | cases.rare
        elif each.kind == "miss":
            own = cases.truth[:, each.place]
            bad = (settled[:, each.place] & ~cases.given[:, each.place]) | cases.forced[:, each.place]
        else:
            own, bad = settled[:, each.place] & cases.given[:, each.place], ~cases.truth[:, each.place]
        found.append(LimitCount(int(own.sum()), int((own & bad).sum()), each.risk))
    return found


def p_values(counted: Sequence[LimitCount], limits: Sequence[LabelLimit], cuts: Cuts) -> list[float]:
    """The p-value of each limit; 0 for what is never settled without a person."""
    return [
        0.0 if is_closed(limit, cuts) else binomial_tail(each.errors, each.cases, each.risk)
        for limit, each in zip(limits, counted, strict=True)
    ]


def is_closed(limit: LabelLimit, cuts: Cuts) -> bool:
    """Whether a limit is on an answer that always goes to a person."""
    if limit.kind == "error":
        return int(cuts.yes[limit.place]) >= NEVER
    return (limit.kind == "rare" and cuts.rare >= NEVER) or (limit.kind == "empty" and cuts.empty >= NEVER)


def able(true_rows: int, validation: int, rows: int, risk: float, delta: float = DELTA) -> bool:
    """Whether so many validation rows of a label promise enough calibration rows to limit its misses."""
    return pass_chance(true_rows, validation, rows / max(1, validation), risk / 10, risk, delta) >= _ABLE


@dataclass(frozen=True, eq=False)
class Stop:
    """A vector of a path with what it does on validation rows: pairs of a case and a label that it settles, cases that
    it decides, cases and estimated rates by limit, and its chance to pass."""

    cuts: Cuts
    settled: int
    decided: int
    counts: tuple[int, ...]
    rates: tuple[float, ...]
    chance: float


def walk(cases: LabelCases, limits: Sequence[LabelLimit], rows: int, delta: float = DELTA) -> list[Stop]:
    """The vectors from the strictest on, each of which settles more pairs. rows: of calibration."""
    found: list[Stop] = []
    search = _LabelSearch(cases, limits, rows, delta)
    for chance in CHANCES.tolist():
        stop = search.stop(search.at(chance))
        if stop.settled > (found[-1].settled if found else 0):
            found.append(stop)
    return found


def make_path(cases: LabelCases, limits: Sequence[LabelLimit], rows: int, delta: float = DELTA) -> list[Cuts]:
    """At most 50 vectors in order, from the one that is the most likely to pass; none if none settles anything."""
    stops = walk(cases, limits, rows, delta)
    if not stops:
        return []
    best = max(stop.chance for stop in stops)
    first = max(i for i, stop in enumerate(stops) if stop.chance >= best - AS_LIKELY)
    kept = np.unique(np.linspace(first, len(stops) - 1, min(STEPS, len(stops) - first)).round().astype(int))
    return [stops[i].cuts for i in kept.tolist()]


def likely(cases: LabelCases, limits: Sequence[LabelLimit], rows: int | None, delta: float = DELTA) -> int:
    """The pairs of a case and a label that are settled where all limits together pass as likely as not.

    rows: of calibration; None: any number.
    """
    cuts = _LabelSearch(cases, limits, rows, delta, _FEW).at(0.5 ** (1 / max(1, len(limits))))
    return int(cuts.settled(cases).sum()) + int(cuts.without_rare(cases).sum()) * cases.others


class _LabelSearch:
    """Finds the thresholds at which every limit passes with the same probability."""

    def __init__(
        self,
        cases: LabelCases,
        limits: Sequence[LabelLimit],
        rows: int | None,
        delta: float,
        candidates: int = _CANDIDATES,
    ) -> None:
        self.cases, self.limits, self.rows, self.delta = cases, limits, rows, delta
        self.candidates = candidates
        self.sure = cases.sure
        self.curves = {(each.kind, each.place): self._curve(each) for each in limits if each.kind != "empty"}

    def at(self, chance: float) -> Cuts:
        """The lowest threshold of each limit at which it passes with this probability."""
        labels, cases = self.cases.p.shape[1], self.cases
        yes, no = np.full(labels, NEVER, dtype=np.int64), np.full(labels, NEVER, dtype=np.int64)
        rare, empty = 0, NEVER
        for each in self.limits:
            if each.kind == "error":
                yes[each.place] = lowest_passing(self.curves[each.kind, each.place], chance)
            elif each.kind == "miss":
                curve = self.curves[each.kind, each.place]
                no[each.place] = lowest_passing(curve, min(chance, max((own for _, own in curve), default=0.0)))
            elif each.kind == "rare":
                rare = lowest_passing(self.curves[each.kind, each.place], chance)
            else:
                own = Cuts(yes, no, rare, 0).whole(cases) & cases.empty
                wrong = cases.truth.any(axis=1) | cases.rare
                empty = lowest_passing(self._among(each, own, cases.empty_sure, wrong), chance)
        return Cuts(yes, no, rare, empty)

    def _curve(self, limit: LabelLimit) -> list[tuple[int, float]]:
        """Falling thresholds with the probability that the limit passes at each."""
        cases, place = self.cases, limit.place
        if limit.kind == "miss":
            return self._missed(limit)
        if limit.kind == "rare":
            return self._among(limit, cases.open & (cases.rare_p < NEVER), cases.rare_sure, cases.rare)
        return self._among(limit, cases.open & cases.given[:, place], cases.p[:, place], ~cases.truth[:, place])

    def _among(self, limit: LabelLimit, own: Bools, sure: Ints, wrong: Bools) -> list[tuple[int, float]]:
        """Of a limit on answers of cases `own` that reach a threshold."""
        falling, order = falling_scores(sure[own])
        counts = np.arange(1, len(falling) + 1)
        errors = np.cumsum(wrong[own][order])
        # Of several labels together the probabilities say too little: one of them is truer than the most probable one.
        expected = errors if limit.kind == "rare" else np.cumsum(1 - falling / MICRO)
        rates = (errors + expected + 0.5) / (2 * counts + 3)
        return [
            (int(falling[end]), self._chance(int(counts[end]), float(rates[end]), limit.risk))
            for end in score_ends(falling, self.candidates)
        ]

    def _missed(self, limit: LabelLimit) -> list[tuple[int, float]]:
        """Of a limit on the misses of a label."""
        cases, place = self.cases, limit.place
        own, true = cases.open & ~cases.given[:, place], int(cases.truth[:, place].sum())
        falling, order = falling_scores(self.sure[own, place])
        missed = np.cumsum(cases.truth[own, place][order])
        rates = ((missed + np.cumsum(1 - falling / MICRO)) / 2 + self._forced(place) + 0.25) / (true + 0.5)
        return [
            (int(falling[end]), self._chance(true, min(1.0, float(rates[end])), limit.risk))
            for end in score_ends(falling, self.candidates)
        ]

    def _forced(self, place: int) -> int:
        return int((self.cases.forced[:, place] & self.cases.truth[:, place]).sum())

    def _chance(self, cases: int, rate: float, risk: float) -> float:
        if self.rows is None:
            return float(rate <= risk)
        known = len(self.cases)
        return pass_chance(cases, known, self.rows / max(1, known), rate, risk, self.delta)

    def stop(self, cuts: Cuts) -> Stop:
        """What a vector does on validation rows."""
        counted, chance = count(self.cases, cuts, self.limits), 1.0
        rates = self._rates(cuts, counted)
        for limit, each, rate in zip(self.limits, counted, rates, strict=True):
            if not is_closed(limit, cuts):
                chance *= self._chance(each.cases, rate, each.risk)
        settled, decided = int(cuts.settled(self.cases).sum()), int(cuts.taken(self.cases).sum())
        return Stop(cuts, settled, decided, tuple(each.cases for each in counted), tuple(rates), chance)

    def _rates(self, cuts: Cuts, counted: Sequence[LimitCount]) -> list[float]:
        """The estimated share of errors of each limit."""
        cases, settled, taken = self.cases, cuts.settled(self.cases), cuts.taken(self.cases)
        doubt: Floats = 1 - self.sure / MICRO
        rates = []
        for limit, each in zip(self.limits, counted, strict=True):
            if limit.kind == "miss":
                expected = doubt[settled[:, limit.place] & ~cases.given[:, limit.place], limit.place].sum()
                own = float((each.errors + expected + self._forced(limit.place)) / 2)
                rates.append((own + 0.25) / (each.cases + 0.5))
                continue
            if limit.kind == "error":
                expected = doubt[settled[:, limit.place] & cases.given[:, limit.place], limit.place].sum()
            elif limit.kind == "rare":
                expected = each.errors
            else:
                expected = (1 - cases.empty_sure[taken & cases.empty] / MICRO).sum()
            rates.append((each.errors + float(expected) + 0.5) / (2 * each.cases + 3))
        return rates


def falling_scores(scores: Ints) -> tuple[Ints, Ints]:
    """Scores in falling order, and the order."""
    order: Ints = np.argsort(-scores, kind="stable")
    return scores[order], order


def score_ends(falling: Ints, most: int) -> list[int]:
    """Places of scores in falling order, of equal ones the last, at most so many of them."""
    ends = np.flatnonzero(np.append(falling[1:] != falling[:-1], True)) if len(falling) else np.zeros(0, dtype=np.int64)
    if len(ends) > most:
        ends = ends[np.unique(np.linspace(0, len(ends) - 1, most).astype(np.int64))]
    found: list[int] = ends.tolist()
    return found


def lowest_passing(curve: Sequence[tuple[int, float]], chance: float) -> int:
    """The lowest threshold that passes with this probability."""
    return min((threshold for threshold, own in curve if own >= chance), default=NEVER)


def limits_in_order(limits: Mapping[str, tuple[float, float]], others: float, *, rare: bool) -> list[LabelLimit]:
    """Every limit that is tested. limits: on errors and misses of each label; others: on an empty answer, and on labels
    of too few rows where there are some (`rare`)."""
    found = []
    for place, (name, (error, miss)) in enumerate(limits.items()):
        found += [LabelLimit("error", name, place, error), LabelLimit("miss", name, place, miss)]
    if rare:
        found.append(LabelLimit("rare", "", -1, others))
    return [*found, LabelLimit("empty", "", -1, others)]
