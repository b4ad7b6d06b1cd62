"""One path of thresholds for lists of items: how often an item that is decided without a person is wrong.

Of each text d that the model may decide the items that reach a threshold t are settled, of more than M of them the
M surest ones; the others are open. With a_d the settled items of a text and w_d the wrong ones among them, the limit
r is on

    wrong = E[w_d] / E[a_d]                                     the share of wrong ones among settled items

Texts are drawn one by one, and the items of one text depend on each other. So it is tested on texts: w_d - r a_d lies
in [-r M, (1 - r) M], its mean is at most 0 where the limit is kept, and "r or more are wrong" has a p-value by betting
on r a_d - w_d (`weighted.py`; Waudby-Smith and Ramdas, 2024), which adapts to the variance. A larger M settles more
items and makes the largest bet smaller: one text may then hold more wrong ones. M is fixed on validation rows, like
the thresholds. What is missed is no part of the limit.

Answers without items have a threshold e on p of the whole answer, and the same limit by the exact binomial test on

    empty = P(gold has an item | the answer has none, and its p reaches e)

Validation rows fix an ordered path of pairs (t, e), each of which settles more: each is the lowest at which its limit
passes with probability q, with q falling. On calibration rows a step passes if both limits do (intersection-union test,
Berger 1982), and testing ends at the first that does not (fixed sequence, as in `sequence.py`).

Prefer a limit on whole answers where a missing item is as bad as a wrong one: this says nothing of missing ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from penjing.decide.schema import MICRO
from penjing.prove.label_path import AS_LIKELY, CHANCES, falling_scores, lowest_passing, score_ends
from penjing.prove.needed import LimitCount
from penjing.prove.path_steps import NEVER
from penjing.prove.sequence import DELTA, STEPS, Bools, Floats, Ints, binomial_tail, pass_chance
from penjing.prove.weighted import SHARES, mixture_p_value

# Thresholds that are looked at. As M every number up to _FEW is tried, and the most items in these shares of the texts.
_CANDIDATES, _FEW = 80, 8
_SIZES = (0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 1.0)
# What the mixture costs beside its best bet: about three of its ten bets are near that one.
_MIXED = math.log(len(SHARES) / 3)
_HALVINGS = 40
_LIKELY = 0.75


@dataclass(frozen=True, eq=False)
class ItemCases:
    """Labelled texts (n,) with the items of their answers (m,).

    text: the position of the text of each item. p: in millionths. rank: how many items of its text are surer. right:
    whether gold has the item. firm: whether another machine would tell it too. size: (n,) items of the answer. open:
    (n,) whether the model answers if the thresholds allow it. sure: (n,) p of the whole answer in millionths. has: (n,)
    whether gold has an item. most: M.
    """

    text: Ints
    p: Ints
    rank: Ints
    right: Bools
    firm: Bools
    size: Ints
    open: Bools
    sure: Ints
    has: Bools
    most: int

    def __len__(self) -> int:
        return len(self.size)

    @cached_property
    def usable(self) -> Bools:
        """The items that may be settled, (m,)."""
        found: Bools = self.open[self.text] & self.firm & (self.rank < self.most)
        return found

    @cached_property
    def empty(self) -> Bools:
        """The texts without items that the model may decide, (n,)."""
        found: Bools = self.open & (self.size == 0)
        return found


@dataclass(frozen=True)
class ItemCuts:
    """Thresholds in millionths: of items, and of answers without any. NEVER: always to a person."""

    item: int
    empty: int

    def settled(self, cases: ItemCases, band: int = 0) -> Bools:
        """Which items are settled, (m,)."""
        found: Bools = cases.usable & (cases.p >= self.item + band)
        return found

    def without(self, cases: ItemCases, band: int = 0) -> Bools:
        """The texts that are decided as having no items, (n,)."""
        found: Bools = cases.empty & (cases.sure >= self.empty + band)
        return found

    def taken(self, cases: ItemCases, band: int = 0) -> Bools:
        """The texts of which nothing goes to a person, (n,)."""
        settled, _ = by_text(cases, self.settled(cases, band))
        found: Bools = (cases.open & (cases.size > 0) & (settled == cases.size)) | self.without(cases, band)
        return found


def by_text(cases: ItemCases, settled: Bools) -> tuple[Ints, Ints]:
    """The settled items of each text, and the wrong ones among them, (n,) each."""
    accepted = np.bincount(cases.text[settled], minlength=len(cases))
    wrong = np.bincount(cases.text[settled & ~cases.right], minlength=len(cases))
    return accepted.astype(np.int64), wrong.astype(np.int64)


def count(cases: ItemCases, cuts: ItemCuts, risk: float, band: int = 0) -> tuple[LimitCount, LimitCount]:
    """Settled items and the wrong ones; texts decided as having no items, and those that have some."""
    accepted, wrong = by_text(cases, cuts.settled(cases, band))
    without = cuts.without(cases, band)
    return (
        LimitCount(int(accepted.sum()), int(wrong.sum()), risk),
        LimitCount(int(without.sum()), int((without & cases.has).sum()), risk),
    )


def p_values(cases: ItemCases, cuts: ItemCuts, risk: float, band: int = 0) -> tuple[float, float]:
    """The p-values of both limits; 0 for what always goes to a person."""
    _, empty = count(cases, cuts, risk, band)
    accepted, wrong = by_text(cases, cuts.settled(cases, band))
    return (
        0.0 if cuts.item >= NEVER else item_p_value(accepted, wrong, cases.most, risk),
        0.0 if cuts.empty >= NEVER else binomial_tail(empty.errors, empty.cases, risk),
    )


def item_p_value(accepted: Ints, wrong: Ints, most: int, risk: float) -> float:
    """The p-value of "a share `risk` or more of the settled items is wrong"; 1 for no texts.

    accepted, wrong: of each text (n,), at most `most` each.
    """
    return mixture_p_value(np.asarray(risk * accepted - wrong, dtype=np.float64), 1 / ((1 - risk) * most))


def item_bound(accepted: Ints, wrong: Ints, most: int, delta: float = DELTA) -> float:
    """The largest share of wrong items that is not rejected at level delta; 1 for no items."""
    low, high = 0.0, 1.0
    if not accepted.sum():
        return 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if item_p_value(accepted, wrong, most, middle) <= delta else (middle, high)
    return high


def surely_above(accepted: Ints, wrong: Ints, most: int, risk: float, delta: float = DELTA) -> bool:
    """Whether the share of wrong items is above the limit, at level delta."""
    gains = np.asarray(wrong - risk * accepted, dtype=np.float64)
    return bool(accepted.sum()) and mixture_p_value(gains, 1 / (risk * most)) <= delta


def fix_most(cases: ItemCases, risk: float, rows: int, delta: float = DELTA) -> int:
    """M: under which as many items as possible are settled where the test passes with probability 3/4.

    cases: with any M. rows: of calibration. If no threshold passes so, the M with which the likeliest one does.
    """
    sizes = cases.size[cases.open & (cases.size > 0)]
    if not len(sizes):
        return 1
    quantiles = {int(np.quantile(sizes, share, method="higher")) for share in _SIZES}
    tried = sorted({*range(1, min(_FEW, int(sizes.max())) + 1), *(min(each, cases.most) for each in quantiles)})
    best, found = (-1.0, 0.0), int(tried[0])
    for most in tried:
        part = replace(cases, most=most)
        curve = item_curve(part, risk, rows, delta)
        cut = lowest_passing(curve, _LIKELY)
        own = (float(ItemCuts(cut, NEVER).settled(part).sum()), max((chance for _, chance in curve), default=0.0))
        if own > best:
            best, found = own, int(most)
    return found


def make_path(cases: ItemCases, risk: float, rows: int, delta: float = DELTA) -> list[ItemCuts]:
    """At most 50 pairs in order, from the one that is the most likely to pass. rows: of calibration.

    The likeliest threshold alone if none is likely; none if the answers of validation rows have no items.
    """
    items, empties = item_curve(cases, risk, rows, delta), empty_curve(cases, risk, rows, delta)
    if not items:
        return []
    chances, empty_chances, walk = dict(items), dict(empties), list[tuple[ItemCuts, float]]()
    last = 0
    for chance in CHANCES.tolist():
        cuts = ItemCuts(lowest_passing(items, chance), lowest_passing(empties, chance))
        settled = int(cuts.settled(cases).sum()) + int(cuts.without(cases).sum())
        if cuts.item < NEVER and settled > last:
            walk.append((cuts, chances[cuts.item] * empty_chances.get(cuts.empty, 1.0)))
            last = settled
    if not walk:
        return [ItemCuts(max(items, key=lambda each: each[1])[0], NEVER)]
    best = max(chance for _, chance in walk)
    first = max(i for i, (_, chance) in enumerate(walk) if chance >= best - AS_LIKELY)
    kept = np.unique(np.linspace(first, len(walk) - 1, min(STEPS, len(walk) - first)).round().astype(int))
    return [walk[i][0] for i in kept.tolist()]


def item_curve(
    cases: ItemCases, risk: float, rows: int | None, delta: float = DELTA, candidates: int = _CANDIDATES
) -> list[tuple[int, float]]:
    """Falling thresholds of items with the probability that their limit passes.

    rows: of calibration; None: any number.
    """
    usable = cases.usable
    falling, _ = falling_scores(cases.p[usable])
    found = []
    for end in score_ends(falling, candidates):
        least = int(falling[end])
        settled = usable & (cases.p >= least)
        accepted, wrong = by_text(cases, settled)
        expected = float((1 - cases.p[settled] / MICRO).sum())
        rate = (float(wrong.sum()) + expected + 0.5) / (2 * float(accepted.sum()) + 3)
        chance = float(rate <= risk)
        if rows is not None and chance:
            chance = item_chance(accepted, wrong, cases.most, rate, risk, rows, delta)
        found.append((least, chance))
    return found


def empty_curve(cases: ItemCases, risk: float, rows: int | None, delta: float = DELTA) -> list[tuple[int, float]]:
    """Falling thresholds of answers without items with the probability that their limit passes."""
    falling, order = falling_scores(cases.sure[cases.empty])
    errors = np.cumsum(cases.has[cases.empty][order])
    expected, known = np.cumsum(1 - falling / MICRO), len(cases)
    found = []
    for end in score_ends(falling, _CANDIDATES):
        rate = (float(errors[end]) + float(expected[end]) + 0.5) / (2 * (end + 1) + 3)
        chance = float(rate <= risk)
        if rows is not None:
            chance = pass_chance(end + 1, known, rows / max(1, known), rate, risk, delta)
        found.append((int(falling[end]), chance))
    return found


def item_chance(
    accepted: Ints, wrong: Ints, most: int, rate: float, risk: float, rows: int, delta: float = DELTA
) -> float:
    """The probability that the test of a threshold passes on `rows` texts, if the share of wrong items is `rate`.

    accepted, wrong: of the texts known (n,). The logarithm of what a bet has won is nearly normal; the best of the bets
    counts.
    """
    means, variances = _growth(accepted, wrong, most, rate, risk)
    spread = np.sqrt(rows * variances * (1 + rows / max(1, len(accepted))) + 1e-12)
    scores = (rows * means - math.log(1 / delta) - _MIXED) / spread
    return 0.5 * math.erfc(-float(scores.max()) / math.sqrt(2))


def rows_for(accepted: Ints, wrong: Ints, most: int, rate: float, risk: float, delta: float) -> int | None:
    """So many texts pass with 97 % probability if the share of wrong items is `rate`; None if no number does."""
    means, variances = _growth(accepted, wrong, most, rate, risk)
    found = []
    for mean, variance in zip(means.tolist(), variances.tolist(), strict=True):
        if mean > 0:
            # n mean - z sqrt(n variance) = need, solved for sqrt(n).
            need, z = math.log(1 / delta) + _MIXED, 1.881 * math.sqrt(variance)
            found.append(math.ceil(((z + math.sqrt(z * z + 4 * mean * need)) / (2 * mean)) ** 2))
    return min(found, default=None)


def _growth(accepted: Ints, wrong: Ints, most: int, rate: float, risk: float) -> tuple[Floats, Floats]:
    """Mean and variance of the logarithm by which a text multiplies each bet, if the share of wrong items is `rate`.

    Where more items are wrong than are seen to be, one more of a text is, with a probability in the ratio of its items;
    where fewer are, the wrong ones of a text are all right with some probability.
    """
    items, errors = float(accepted.sum()), float(wrong.sum())
    seen = errors / max(1.0, items)
    bets = SHARES[:, None] / ((1 - risk) * most)
    one = np.log1p(bets * (risk * accepted - wrong))
    if rate >= seen:
        share = np.clip((rate - seen) * accepted, 0.0, 1.0) * (wrong < accepted)
        other = np.log1p(bets * (risk * accepted - np.minimum(wrong + 1, accepted)))
    else:
        share = np.where(wrong > 0, 1 - rate / seen, 0.0)
        other = np.log1p(bets * risk * accepted)
    means: Floats = ((1 - share) * one + share * other).mean(axis=1)
    squares: Floats = ((1 - share) * one**2 + share * other**2).mean(axis=1)
    return means, np.maximum(squares - means**2, 0.0)


def likely_share(cases: ItemCases, risk: float, rows: int | None, delta: float = DELTA) -> float:
    """The share of the items that is settled where the limit passes as likely as not, with the best M."""
    most = fix_most(cases, risk, 10**9 if rows is None else max(1, rows), delta)
    part = replace(cases, most=most)
    cut = lowest_passing(item_curve(part, risk, rows, delta, _CANDIDATES), 0.5)
    return float(ItemCuts(cut, NEVER).settled(part).sum()) / max(1, len(cases.p))


def ranks(text: Ints, p: Ints) -> Ints:
    """How many items of the same text are surer, of equally sure ones those before it, (m,)."""
    order = np.lexsort((np.arange(len(p)), -p, text))
    firsts = np.searchsorted(text[order], text[order])
    found = np.empty(len(p), dtype=np.int64)
    found[order] = np.arange(len(p)) - firsts
    return found


def surest_cuts(cases: ItemCases, shares: Sequence[float] = (0.05, 0.1, 0.2, 0.4)) -> list[ItemCuts]:
    """Stricter thresholds than any path begins with, by shares of the items."""
    falling, _ = falling_scores(cases.p[cases.usable])
    if not len(falling):
        return []
    return [ItemCuts(int(falling[max(1, math.ceil(share * len(falling))) - 1]), NEVER) for share in shares]
