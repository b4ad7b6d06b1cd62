"""The certificate where misses of true labels are limited: one path of threshold vectors, all limits at once.

The statistics are in `path.py`; here the cases are those of a policy, its rules included.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from penjing.core.certificate import Certificate, LimitTest, Need
from penjing.core.errors import RecipeError
from penjing.core.options import nearest
from penjing.core.task import ALL
from penjing.decide.by_model import tolerance_units
from penjing.decide.policy import Policy
from penjing.decide.schema import MICRO
from penjing.prove.certify import Labelled, MaxError, cases_of, filled, limits_of
from penjing.prove.path import Limit, PathCases, Vector, count, make_path, p_values, vectors_need
from penjing.prove.path_steps import last_passed, try_steps
from penjing.prove.sequence import DELTA

Thresholds = dict[str, float | None]


@dataclass(frozen=True)
class Promised:
    """The limits of a recipe: errors among automated decisions, and misses by true label.

    reviewed: labels with too few rows, which the model never decides. delta: the level of the whole path.
    """

    max_error: MaxError
    max_miss: Mapping[str, float]
    reviewed: tuple[str, ...] = ()
    delta: float = DELTA


def limits_on(policy: Policy, promised: Promised) -> list[Limit]:
    """Every limit, those on errors first. Raises RecipeError for a label that the task does not have."""
    scopes = policy.task.scopes
    if scopes == (ALL,):
        raise RecipeError(
            "`max_miss` has limits by label, and the answers of this task are no labels", fix="take `max_miss` out"
        )
    for name in promised.max_miss:
        if name not in scopes:
            raise RecipeError(f"`max_miss` has the unknown label {name!r}", fix=nearest(name, scopes))
    errors = limits_of(policy, promised.max_error, promised.reviewed)
    misses = [Limit("miss", name, scopes.index(name), risk) for name, risk in promised.max_miss.items()]
    return [*(Limit("error", each.name, each.place, each.risk) for each in errors), *misses]


def path_cases(policy: Policy, labelled: Labelled, promised: Promised) -> PathCases:
    """The arrays of labelled rows, with every threshold at its lowest. A label without a limit on errors is closed."""
    scopes, limits = policy.task.scopes, promised.max_error
    unlimited = [name for name in scopes if isinstance(limits, dict) and name not in limits]
    closed = sorted({*promised.reviewed, *unlimited})
    index = {name: place for place, name in enumerate(scopes)}
    decided = [policy.decide("", facts) for facts in labelled.facts]
    wrong = [policy.task.wrong(one.outcome, gold) for one, gold in zip(decided, labelled.truth, strict=True)]
    rows = [[facts["probabilities"].get(name, 0.0) for name in scopes] for facts in labelled.facts]
    return PathCases(
        cases=cases_of(policy, labelled, closed),
        truth=np.array([index.get(gold, -1) for gold in labelled.truth], dtype=np.int64),
        forced=np.array([one.forced and bad for one, bad in zip(decided, wrong, strict=True)], dtype=bool),
        chances=np.array(rows, dtype=np.float64).reshape(len(rows), len(scopes)),
    )


def fix_path(policy: Policy, validation: Labelled, rows: int, promised: Promised) -> tuple[Thresholds, ...]:
    """The ordered vectors of thresholds, from validation rows alone. rows: number of calibration rows."""
    band = tolerance_units(policy.spec.tolerance)
    cases, limits = path_cases(policy, validation, promised), limits_on(policy, promised)
    vectors = make_path(cases, limits, rows, delta=promised.delta, band=band)
    return tuple(_named(policy, vector) for vector in vectors)


def certify_path(
    policy: Policy,
    path: Sequence[Thresholds],
    calibration: Labelled,
    promised: Promised,
    used: Sequence[str] = (),
) -> Certificate:
    """Test the path end to end, rules included, on calibration rows that were used for nothing else.

    The certificate has the thresholds of the last step that passed; without one, every case goes to a person but those
    whose outcome a rule forces. Raises RecipeError as `limits_on`.
    """
    limits, band = limits_on(policy, promised), tolerance_units(policy.spec.tolerance)
    cases = path_cases(policy, calibration, promised)

    def tests_of(thresholds: Mapping[str, float | None]) -> list[LimitTest]:
        vector = _vector(policy, thresholds)
        tallies = count(cases, vector, limits, band)
        tested = zip(limits, tallies, p_values(tallies, limits, vector), strict=True)
        return [
            LimitTest(kind=one.kind, of=one.name, limit=one.risk, cases=tally.cases, errors=tally.errors, p_value=value)
            for one, tally, value in tested
        ]

    steps = try_steps(path, promised.delta, tests_of)
    best = last_passed(steps)
    chosen = dict.fromkeys(policy.task.scopes, None) if best is None else best.thresholds
    needs = {} if best is not None else {ALL: path_need(policy, path, calibration, promised)}
    return filled(
        policy,
        calibration,
        used,
        _automated(policy, cases, chosen, band),
        max_error=promised.max_error,
        confidence=round(1 - promised.delta, 6),
        certified=best is not None,
        thresholds=chosen,
        grid={},
        steps=(),
        reviewed=tuple(sorted(promised.reviewed)),
        needs=needs,
        max_miss=dict(promised.max_miss),
        path=tuple(dict(each) for each in path),
        path_steps=tuple(steps),
    )


def path_need(
    policy: Policy, path: Sequence[Thresholds], labelled: Labelled, promised: Promised, tested: int | None = None
) -> Need:
    """What more rows would do for the whole path. tested: as of `penjing.prove.needed.needed`."""
    limits, band = limits_on(policy, promised), tolerance_units(policy.spec.tolerance)
    vectors = [_vector(policy, thresholds) for thresholds in path]
    return vectors_need(path_cases(policy, labelled, promised), vectors, limits, promised.delta, band, tested)


def _automated(policy: Policy, cases: PathCases, thresholds: Thresholds, band: int) -> tuple[int, int]:
    every = [Limit("error", ALL, None, 0.5)]
    (tally,) = count(cases, _vector(policy, thresholds), every, band)
    return tally.cases, tally.errors


def _vector(policy: Policy, thresholds: Mapping[str, float | None]) -> Vector:
    return tuple(None if (p := thresholds.get(name)) is None else round(p * MICRO) for name in policy.task.scopes)


def _named(policy: Policy, vector: Vector) -> Thresholds:
    pairs = zip(policy.task.scopes, vector, strict=True)
    return {name: None if least is None else round(least / MICRO, 6) for name, least in pairs}
