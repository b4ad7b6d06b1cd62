"""The certificate of lists of items, item by item: how often an item that is decided without a person is wrong.

The statistics are in `item_path.py`; here the cases are those of a policy, its rules included.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from penjing.core.certificate import Certificate, LimitTest, Need, PathStep
from penjing.core.errors import RecipeError, UsageError
from penjing.core.itemwise import MOST_ITEMS, ItemwiseTask
from penjing.core.task import ALL
from penjing.decide.by_model import BY_THRESHOLD, tolerance_units
from penjing.decide.policy import Policy
from penjing.decide.schema import MICRO
from penjing.prove.certify import Labelled, MaxError, filled, with_thresholds
from penjing.prove.item_path import (
    ItemCases,
    ItemCuts,
    by_text,
    count,
    fix_most,
    item_bound,
    make_path,
    p_values,
    ranks,
    rows_for,
    surely_above,
    surest_cuts,
)
from penjing.prove.misses import Promised, Thresholds
from penjing.prove.needed import ERROR, FAR, NO_HELP
from penjing.prove.path_steps import each_once, last_passed, least_of, threshold_of, try_steps
from penjing.prove.sequence import Ints

AN_ERROR = "an item that is decided without a person and is wrong"


def limit_of_items(max_error: MaxError, max_miss: object) -> float:
    """The limit on wrong items. Raises RecipeError for limits by label, and for a limit on misses."""
    if isinstance(max_error, dict):
        raise RecipeError(
            "`certify: item` has one limit for all items, and `max_error` has several",
            fix="write one share, such as `max_error: 0.05`",
        )
    if max_miss:
        raise RecipeError(
            "`certify: item` promises nothing of items that are missed, and `max_miss` limits them",
            fix="take `max_miss` out; or take `certify` out, so that a missing item is an error too",
        )
    return max_error


def item_cases(policy: Policy, labelled: Labelled, most: int = 0) -> ItemCases:
    """The arrays of labelled rows. most: M, if not that of the policy."""
    task, band = cast(ItemwiseTask, policy.task), tolerance_units(policy.spec.tolerance)
    opened = with_thresholds(policy, dict.fromkeys(policy.task.scopes, 0.0))
    text, p, right, firm = list[int](), list[int](), list[bool](), list[bool]()
    size, free, has = list[int](), list[bool](), list[bool]()
    for row, (facts, gold) in enumerate(zip(labelled.facts, labelled.truth, strict=True)):
        items = task.items(facts)
        decision = opened.decide("", facts)
        text += [row] * len(items)
        p += [round(one.p * MICRO) for one in items]
        right += task.right(facts, gold)
        firm += [not policy.task.unsettled({"p": one.p}, band) for one in items]
        size.append(len(items))
        by_model = decision.decided_by == "model" and decision.reason in BY_THRESHOLD
        free.append(by_model and (bool(items) or not policy.task.unsettled(facts, band)))
        has.append(bool(task.meant(gold)))
    return ItemCases(
        text=np.array(text, dtype=np.int64),
        p=np.array(p, dtype=np.int64),
        rank=ranks(np.array(text, dtype=np.int64), np.array(p, dtype=np.int64)),
        right=np.array(right, dtype=bool),
        firm=np.array(firm, dtype=bool),
        size=np.array(size, dtype=np.int64),
        open=np.array(free, dtype=bool),
        sure=np.array([round(facts["p"] * MICRO) for facts in labelled.facts], dtype=np.int64),
        has=np.array(has, dtype=bool),
        most=most or task.most,
    )


def with_most(policy: Policy, validation: Labelled, rows: int, promised: Promised) -> Policy:
    """The policy with M fixed on validation rows; the same one of a task that has no items. rows: of calibration."""
    if not isinstance(policy.task, ItemwiseTask):
        return policy
    limit = limit_of_items(promised.max_error, promised.max_miss)
    most = fix_most(item_cases(policy, validation, MOST_ITEMS), limit, rows, promised.delta)
    return replace(policy, spec=policy.spec.model_copy(update={"most_items": most}))


def fix_items(policy: Policy, validation: Labelled, rows: int, promised: Promised) -> tuple[Thresholds, ...]:
    """The ordered pairs of thresholds, from validation rows alone. rows: number of calibration rows."""
    limit, band = limit_of_items(promised.max_error, promised.max_miss), tolerance_units(policy.spec.tolerance)
    path = make_path(item_cases(policy, validation), limit, rows, promised.delta)
    return each_once(_named(policy, cuts, band) for cuts in path)


def certify_items(
    policy: Policy,
    path: Sequence[Thresholds],
    calibration: Labelled,
    promised: Promised,
    used: Sequence[str] = (),
) -> Certificate:
    """Test the path end to end, rules included, on calibration rows that were used for nothing else.

    The certificate has the thresholds of the last step that passed; without one, every case goes to a person. Its error
    and bound are those of settled items. Raises UsageError for rows that were drawn with different probabilities.
    """
    if calibration.drawn:
        raise UsageError(
            "limits by item are not tested on rows that were drawn with different probabilities",
            fix="give labelled rows that were drawn alike, without the column `drawn`",
        )
    band, task = tolerance_units(policy.spec.tolerance), policy.task
    cases = item_cases(policy, calibration)
    steps = _tested(policy, path, cases, promised)
    best = last_passed(steps)
    automated = errors = 0
    share, high = None, None
    if best is not None:
        cuts = _cuts(policy, best.thresholds)
        taken = cuts.taken(cases, band)
        share, high = _of_items(*by_text(cases, cuts.settled(cases, band)), cases.most, promised.delta)
        outcomes = [task.outcome(facts) for facts in calibration.facts]
        wrong = np.array([task.wrong(*pair) for pair in zip(outcomes, calibration.truth, strict=True)], dtype=bool)
        automated, errors = int(taken.sum()), int((taken & wrong).sum())
    made = filled(
        policy,
        calibration,
        used,
        (automated, errors),
        max_error=promised.max_error,
        confidence=round(1 - promised.delta, 6),
        certified=best is not None,
        thresholds=dict.fromkeys(task.scopes) if best is None else best.thresholds,
        grid={},
        steps=(),
        reviewed=(),
        needs={} if best is not None else {ALL: items_need(policy, path, calibration, promised)},
        path=tuple(dict(each) for each in path),
        path_steps=tuple(steps),
        most_items=cases.most,
    )
    return made.model_copy(update={"format": 4, "error": share, "high": high, "an_error": AN_ERROR})


def _of_items(accepted: Ints, wrong: Ints, most: int, delta: float) -> tuple[float | None, float | None]:
    """The share of wrong ones among settled items, and its bound; None without any."""
    count = int(accepted.sum())
    return (int(wrong.sum()) / count, item_bound(accepted, wrong, most, delta)) if count else (None, None)


def _tested(policy: Policy, path: Sequence[Thresholds], cases: ItemCases, promised: Promised) -> list[PathStep]:
    """The steps of a path up to and including the first that does not pass."""
    limit, band = limit_of_items(promised.max_error, promised.max_miss), tolerance_units(policy.spec.tolerance)
    task = cast(ItemwiseTask, policy.task)

    def tests_of(thresholds: Mapping[str, float | None]) -> Iterator[LimitTest]:
        cuts = _cuts(policy, thresholds)
        (item, empty), values = count(cases, cuts, limit, band), p_values(cases, cuts, limit, band)
        yield LimitTest(kind="item", of=task.item, limit=limit, cases=item.cases, errors=item.errors, p_value=values[0])
        yield LimitTest(
            kind="empty", of=task.empty, limit=limit, cases=empty.cases, errors=empty.errors, p_value=values[1]
        )

    return try_steps(path, promised.delta, tests_of)


def items_need(
    policy: Policy, path: Sequence[Thresholds], labelled: Labelled, promised: Promised, tested: int | None = None
) -> Need:
    """What more rows would do for the items of the first step. tested: as of `penjing.prove.needed.needed`.

    no help: at every step and at stricter thresholds the share of wrong items is above the limit, by a test that is
    wrong in at most 5 % of runs. enough: so many texts pass the first step with 90 % assurance, even if the share of
    wrong items is its upper bound at level 0.06; the variance is that of these texts.
    """
    limit, band = limit_of_items(promised.max_error, promised.max_miss), tolerance_units(policy.spec.tolerance)
    cases = item_cases(policy, labelled)
    tried = [by_text(cases, _cuts(policy, one).settled(cases, band)) for one in path]
    stricter = [by_text(cases, cuts.settled(cases)) for cuts in surest_cuts(cases)]
    if tried and all(surely_above(*each, cases.most, limit, NO_HELP) for each in (*tried, *stricter)):
        return Need(answer="no_help")
    worst = item_bound(*tried[0], cases.most, ERROR) if tried else 1.0
    total = rows_for(*tried[0], cases.most, worst, limit, promised.delta) if worst < limit else None
    if total is None or total > FAR * max(1, len(cases)):
        return Need(answer="unknown")
    return Need(answer="enough", rows=max(1, total - (len(cases) if tested is None else tested)))


@dataclass(frozen=True)
class KindOfItems:
    """Items of one kind: told, settled, wrong among these; in the texts that are decided whole meant and missed."""

    kind: str
    told: int = 0
    settled: int = 0
    wrong: int = 0
    meant: int = 0
    missed: int = 0


@dataclass(frozen=True, eq=False)
class ItemFigures:
    """What the thresholds do on labelled texts. accepted, wrong: settled items of each text, and wrong ones, (n,).

    whole: texts of which nothing goes to a person; kinds: each kind of items, those of most items first.
    """

    accepted: Ints
    wrong: Ints
    whole: int
    most: int
    kinds: tuple[KindOfItems, ...]

    def bound(self, delta: float) -> float | None:
        """The upper bound of the share of wrong ones among settled items at level delta; None without any."""
        return item_bound(self.accepted, self.wrong, self.most, delta) if self.accepted.sum() else None


def item_figures(policy: Policy, labelled: Labelled) -> ItemFigures:
    """The figures of labelled texts under a policy, by the thresholds at the clock of each."""
    task, found = cast(ItemwiseTask, policy.task), dict[str, list[int]]()
    accepted, wrong = np.zeros(len(labelled), dtype=np.int64), np.zeros(len(labelled), dtype=np.int64)
    whole = 0
    for row, (facts, gold) in enumerate(zip(labelled.facts, labelled.truth, strict=True)):
        decision = policy.decide("", facts)
        by_model = decision.decided_by == "model" and decision.reason in BY_THRESHOLD
        doubts = policy.doubts(facts) if by_model else None
        items, right = task.items(facts), task.right(facts, gold)
        for place, (one, is_right) in enumerate(zip(items, right, strict=True)):
            settled = doubts is not None and str(place) not in doubts
            _add(found, one.kind, (1, settled, settled and not is_right, 0, 0))
            accepted[row] += settled
            wrong[row] += settled and not is_right
        if doubts is not None and not doubts:
            whole += 1
            hits = [one.kind for one, is_right in zip(items, right, strict=True) if is_right]
            for kind in task.meant(gold):
                _add(found, kind, (0, 0, 0, 1, 1))
            for kind in hits:
                _add(found, kind, (0, 0, 0, 0, -1))
    kinds = [KindOfItems(kind, *numbers) for kind, numbers in sorted(found.items())]
    kinds.sort(key=lambda each: -each.told)
    return ItemFigures(accepted, wrong, whole, task.most, tuple(kinds))


def _add(found: dict[str, list[int]], kind: str, numbers: Sequence[int]) -> None:
    own = found.setdefault(kind, [0] * len(numbers))
    own[:] = [int(a + b) for a, b in zip(own, numbers, strict=True)]


def _named(policy: Policy, cuts: ItemCuts, band: int) -> Thresholds:
    task = cast(ItemwiseTask, policy.task)
    pairs = ((task.item, cuts.item), (task.empty, cuts.empty))
    return {name: threshold_of(least, band) for name, least in pairs}


def _cuts(policy: Policy, thresholds: Mapping[str, float | None]) -> ItemCuts:
    task = cast(ItemwiseTask, policy.task)
    return ItemCuts(least_of(thresholds[task.item]), least_of(thresholds[task.empty]))
