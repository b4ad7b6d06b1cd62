"""The certificate of sets of labels, label by label: how often a given label is wrong, and a true one missed.

The statistics are in `label_path.py`; here the cases are those of a policy, its rules included.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np

from penjing.core.certificate import Certificate, LimitTest, Need, PathStep
from penjing.core.errors import RecipeError
from penjing.core.labelwise import LabelwiseTask
from penjing.core.options import nearest
from penjing.core.recipe import EVERY
from penjing.core.task import ALL, SMALL, Task
from penjing.decide.by_model import BY_THRESHOLD, tolerance_units
from penjing.decide.policy import Policy
from penjing.decide.schema import MICRO
from penjing.prove.certify import Labelled, MaxError, filled, with_thresholds
from penjing.prove.label_path import (
    Cuts,
    LabelCases,
    LabelLimit,
    able,
    count,
    is_closed,
    limits_in_order,
    make_path,
    p_values,
)
from penjing.prove.misses import Promised, Thresholds
from penjing.prove.needed import needed
from penjing.prove.path_steps import NEVER, each_once, last_passed, least_of, threshold_of, try_steps


def limits_of_labels(
    labels: Sequence[str], max_error: MaxError, max_miss: Mapping[str, float]
) -> dict[str, tuple[float, float]]:
    """The limits on errors and on misses of each label that has both.

    Raises RecipeError for an unknown label, and where there is no limit on misses.
    """
    for key, given in (("max_error", max_error), ("max_miss", max_miss)):
        for name in given if isinstance(given, Mapping) else ():
            if name not in labels and name != EVERY:
                raise RecipeError(f"`{key}` has the unknown label {name!r}", fix=nearest(name, list(labels)))
    if not max_miss:
        raise RecipeError(
            "`certify: label` limits how often a true label is missed, and `max_miss` is not there",
            fix="write one share for all labels, such as `max_miss: 0.1`, or one for each label",
        )
    errors = dict.fromkeys(labels, max_error) if not isinstance(max_error, dict) else _spread(labels, max_error)
    misses = _spread(labels, max_miss)
    return {name: (errors[name], misses[name]) for name in labels if name in errors and name in misses}


def _spread(labels: Sequence[str], given: Mapping[str, float]) -> dict[str, float]:
    """The limit of each label, of those without one that of `*`."""
    return {name: given.get(name, given.get(EVERY, 0.0)) for name in labels if name in given or EVERY in given}


def promised_labels(policy: Policy, validation: Labelled, rows: int, promised: Promised) -> Promised:
    """The promise with the limit of each label that has enough rows; the others are in `reviewed`.

    A label has enough where its calibration rows are likely to prove the limit on its misses. promised.reviewed: labels
    that have too few rows of all.
    """
    task = cast(LabelwiseTask, policy.task)
    limits = limits_of_labels(task.labels, promised.max_error, promised.max_miss)
    true = [set(task.members(gold)) for gold in validation.truth]
    kept = {}
    for name, (_, miss) in limits.items():
        own = sum(name in one for one in true)
        if name not in promised.reviewed and able(own, len(validation), rows, miss, promised.delta):
            kept[name] = miss
    rest = tuple(sorted(set(task.labels) - set(kept)))
    return replace(promised, max_miss=kept, reviewed=rest)


def few_rows(task: Task, rows: Mapping[str, int]) -> list[str]:
    """The labels of fewer than 30 rows."""
    return [name for name in cast(LabelwiseTask, task).labels if rows.get(name, 0) < SMALL]


def limits_for(labels: Sequence[str], promised: Promised) -> list[LabelLimit]:
    """Every limit that is tested. labels: those that have one, promised: as of `promised_labels`.

    The limit on labels of too few rows, and on answers without a label, is the smallest one on errors.
    """
    errors = promised.max_error
    each = _spread(labels, errors) if isinstance(errors, dict) else dict.fromkeys(labels, errors)
    pairs = {name: (each[name], promised.max_miss[name]) for name in labels}
    least = min(errors.values()) if isinstance(errors, dict) else errors
    return limits_in_order(pairs, least, rare=bool(promised.reviewed))


def _kept(policy: Policy, promised: Promised) -> list[str]:
    """The labels with a limit, in the order of the task."""
    return [name for name in cast(LabelwiseTask, policy.task).labels if name in promised.max_miss]


def label_cases(policy: Policy, labelled: Labelled, kept: Sequence[str]) -> LabelCases:
    """The arrays of labelled rows, with every threshold at its lowest. kept: the labels that have a limit."""
    task = cast(LabelwiseTask, policy.task)
    rest = [name for name in task.labels if name not in set(kept)]
    shape = (len(labelled), len(kept))
    p, given = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=bool)
    truth, forced = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    rare, rare_p = np.zeros(len(labelled), dtype=bool), np.zeros(len(labelled), dtype=np.int64)
    opened = with_thresholds(policy, dict.fromkeys(policy.task.scopes, 0.0))
    free = np.zeros(len(labelled), dtype=bool)
    names = set(kept)
    for row, (facts, gold) in enumerate(zip(labelled.facts, labelled.truth, strict=True)):
        true, decision = set(task.members(gold)), opened.decide("", facts)
        p[row] = [round(facts[f"p.{name}"] * MICRO) for name in kept]
        given[row] = [facts[f"has.{name}"] for name in kept]
        truth[row] = [name in true for name in kept]
        rare[row] = bool(true - names)
        rare_p[row] = max((round(facts[f"p.{name}"] * MICRO) for name in rest), default=0)
        if any(facts[f"has.{name}"] for name in rest):
            rare_p[row] = NEVER
        if decision.forced:
            said = set(task.members(decision.outcome))
            forced[row] = [name in true and name not in said for name in kept]
        free[row] = decision.route == "automatic" and decision.decided_by == "model"
    return LabelCases(p, given, truth, forced, rare, rare_p, free, len(rest))


def fix_labels(policy: Policy, validation: Labelled, rows: int, promised: Promised) -> tuple[Thresholds, ...]:
    """The ordered vectors of thresholds, from validation rows alone. promised: as of `promised_labels`."""
    kept, band = _kept(policy, promised), tolerance_units(policy.spec.tolerance)
    if not kept:
        return ()
    limits = limits_for(kept, promised)
    path = make_path(label_cases(policy, validation, kept), limits, rows, promised.delta)
    return each_once(_named(policy, kept, cuts, band) for cuts in path)


def certify_labels(
    policy: Policy,
    path: Sequence[Thresholds],
    calibration: Labelled,
    promised: Promised,
    used: Sequence[str] = (),
) -> Certificate:
    """Test the path end to end, rules included, on calibration rows that were used for nothing else.

    The certificate has the thresholds of the last step that passed; without one, every case goes to a person. Its error
    is the share of cases with any label wrong or missing, which no limit is about.
    """
    kept, band = _kept(policy, promised), tolerance_units(policy.spec.tolerance)
    cases = label_cases(policy, calibration, kept)
    steps = _tested(policy, path, cases, promised)
    best = last_passed(steps)
    automated = errors = 0
    if best is not None:
        taken = _cuts(policy, kept, best.thresholds).taken(cases, band)
        wrong = (cases.given != cases.truth).any(axis=1) | cases.rare
        automated, errors = int(taken.sum()), int((taken & wrong).sum())
    return filled(
        policy,
        calibration,
        used,
        (automated, errors),
        max_error=promised.max_error,
        confidence=round(1 - promised.delta, 6),
        certified=best is not None,
        thresholds=dict.fromkeys(policy.task.scopes) if best is None else best.thresholds,
        grid={},
        steps=(),
        reviewed=promised.reviewed,
        needs={} if best is not None else {ALL: labels_need(policy, path, calibration, promised)},
        max_miss=dict(promised.max_miss),
        path=tuple(dict(each) for each in path),
        path_steps=tuple(steps),
        by_label=True,
    )


def _tested(policy: Policy, path: Sequence[Thresholds], cases: LabelCases, promised: Promised) -> list[PathStep]:
    """The steps of a path up to and including the first that does not pass."""
    kept, band = _kept(policy, promised), tolerance_units(policy.spec.tolerance)
    limits = limits_for(kept, promised)

    def tests_of(thresholds: Mapping[str, float | None]) -> list[LimitTest]:
        cuts = _cuts(policy, kept, thresholds)
        counted = count(cases, cuts, limits, band)
        tested = zip(limits, counted, p_values(counted, limits, cuts), strict=True)
        return [
            LimitTest(
                kind=one.kind, of=one.name or ALL, limit=one.risk, cases=each.cases, errors=each.errors, p_value=value
            )
            for one, each, value in tested
        ]

    return try_steps(path, promised.delta, tests_of)


def labels_need(
    policy: Policy, path: Sequence[Thresholds], labelled: Labelled, promised: Promised, tested: int | None = None
) -> Need:
    """What more rows would do for the whole path. tested: as of `penjing.prove.needed.needed`."""
    kept, band = _kept(policy, promised), tolerance_units(policy.spec.tolerance)
    cases, limits = label_cases(policy, labelled, kept), limits_for(kept, promised)
    steps = []
    for thresholds in path:
        cuts = _cuts(policy, kept, thresholds)
        counted = count(cases, cuts, limits, band)
        steps.append([each for limit, each in zip(limits, counted, strict=True) if not is_closed(limit, cuts)])
    return needed(steps, len(cases), promised.delta, tested)


def settled_share(policy: Policy, facts_of: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The share of cases in which the model settles each label: none of a case that a rule or its text decides."""
    task, found = cast(LabelwiseTask, policy.task), dict.fromkeys(cast(LabelwiseTask, policy.task).labels, 0)
    for facts in facts_of:
        decision = policy.decide("", facts)
        if decision.decided_by == "rule" or decision.reason not in BY_THRESHOLD:
            continue
        doubts = {task.part_of(scope) for scope in policy.doubts(facts)}
        for name in task.labels:
            found[name] += name not in doubts
    return {name: number / max(1, len(facts_of)) for name, number in found.items()}


def _named(policy: Policy, kept: Sequence[str], cuts: Cuts, band: int) -> Thresholds:
    """The threshold of each scope: of labels without a limit none where they are given, a common one where not."""
    task = cast(LabelwiseTask, policy.task)
    place = {name: column for column, name in enumerate(kept)}
    found: Thresholds = {}
    for name in task.labels:
        yes, no = task.sides(name)
        column = place.get(name)
        pair = (NEVER, cuts.rare) if column is None else (int(cuts.yes[column]), int(cuts.no[column]))
        for scope, least in zip((yes, no), pair, strict=True):
            found[scope] = threshold_of(least, band)
    return found | {task.empty: threshold_of(cuts.empty, band)}


def _cuts(policy: Policy, kept: Sequence[str], thresholds: Mapping[str, float | None]) -> Cuts:
    task = cast(LabelwiseTask, policy.task)
    sides = [task.sides(name) for name in kept]
    rest = [task.sides(name)[1] for name in task.labels if name not in set(kept)]
    yes, no = (np.array([least_of(thresholds[pair[side]]) for pair in sides], dtype=np.int64) for side in (0, 1))
    return Cuts(yes, no, least_of(thresholds[rest[0]]) if rest else 0, least_of(thresholds[task.empty]))
