"""The certificate of several tasks in one: one path of threshold vectors, a limit for each task.

A case is decided without a person where every task reaches its own threshold. The limit of task j is on

    error(j) = P(the answer of task j is wrong | the case is decided without a person)

over cases that have gold for it. Validation rows fix an ordered path of vectors t_1, t_2, ..., each of which automates
more: at vector i the threshold of each task is the lowest one above which its estimated error is at most u_i times its
limit, with u_i rising. On calibration rows step i tests "some task exceeds its limit at t_i"; its p-value is the
largest of the exact binomial p-values of the tasks (intersection-union test, Berger 1982), and testing ends at the
first step that does not pass (fixed sequence, as in `sequence.py`). So the level is divided neither by the number of
steps nor by the number of tasks, and what holds is about the cases that are decided, not about each task by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from penjing.core.certificate import Certificate, LimitTest, Need
from penjing.core.errors import RecipeError
from penjing.core.options import nearest
from penjing.core.task import ALL, JointTask
from penjing.decide.by_model import tolerance_units
from penjing.decide.policy import Policy
from penjing.decide.schema import MICRO
from penjing.prove.certify import Labelled, MaxError, filled, with_thresholds
from penjing.prove.misses import Promised, Thresholds
from penjing.prove.needed import LimitCount, needed
from penjing.prove.path_steps import last_passed, least_of, try_steps
from penjing.prove.sequence import STEPS, Bools, Cases, Ints, binomial_tail, pass_chance

# Shares of the limit that a path goes through, from the strictest on.
_SHARES = np.geomspace(0.02, 2.0, 120)


@dataclass(frozen=True, eq=False)
class JointCases:
    """Labelled cases of k tasks as arrays: p (n, k) in millionths; known, wrong (n, k); open, wrong_any (n,).

    known: whether a case has gold for a task. open: whether the model decides if the thresholds allow it. wrong: of
    what is known.
    """

    p: Ints
    known: Bools
    wrong: Bools
    open: Bools

    def __len__(self) -> int:
        return len(self.open)

    def taken(self, vector: Ints, band: int = 0) -> Bools:
        """The cases that the model decides under these thresholds in millionths, (n,)."""
        found: Bools = self.open & (self.p >= vector + band).all(axis=1)
        return found

    def count(self, vector: Ints, band: int = 0) -> list[tuple[int, int]]:
        """(decided cases with gold, errors among them) of each task."""
        decided = self.taken(vector, band)[:, None]
        cases, errors = (decided & self.known).sum(axis=0), (decided & self.wrong).sum(axis=0)
        return list(zip(cases.tolist(), errors.tolist(), strict=True))


def limits_of_tasks(scopes: Sequence[str], max_error: MaxError) -> dict[str, float]:
    """The limit of each task. Raises RecipeError for an unknown name, and where a task has no limit."""
    if not isinstance(max_error, dict):
        return dict.fromkeys(scopes, max_error)
    for name in max_error:
        if name not in scopes:
            raise RecipeError(f"`max_error` has the unknown task {name!r}", fix=nearest(name, list(scopes)))
    for name in scopes:
        if name not in max_error:
            raise RecipeError(f"`max_error` has no limit for the task `{name}`", fix=f"add `{name}: 0.05` there")
    return {name: max_error[name] for name in scopes}


def joint_cases(policy: Policy, labelled: Labelled) -> JointCases:
    """The arrays of labelled rows, with every threshold at its lowest."""
    task, scopes = policy.task, policy.task.scopes
    place = {name: column for column, name in enumerate(scopes)}
    size = (len(labelled), len(scopes))
    p, known, wrong = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=bool), np.zeros(size, dtype=bool)
    for row, (facts, gold) in enumerate(zip(labelled.facts, labelled.truth, strict=True)):
        for name, (_, own) in cast(JointTask, task).apart(facts).items():
            p[row, place[name]] = round(own["p"] * MICRO)
        for unit in task.units(facts, gold):
            known[row, place[unit.scope]] = True
            wrong[row, place[unit.scope]] |= unit.wrong
    opened = with_thresholds(policy, dict.fromkeys(scopes, 0.0))
    decided = [opened.decide("", facts) for facts in labelled.facts]
    free = [each.route == "automatic" and each.decided_by == "model" for each in decided]
    return JointCases(p, known, wrong, np.array(free, dtype=bool))


def whole_cases(policy: Policy, labelled: Labelled) -> Cases:
    """The rows as cases of one answer that is wrong where any task is, with the p of all tasks together."""
    found = joint_cases(policy, labelled)
    p = np.array([round(facts["p"] * MICRO) for facts in labelled.facts], dtype=np.int64)
    right: Bools = ~np.asarray(found.wrong.any(axis=1))
    return Cases(np.zeros(len(found), dtype=np.int64), p, right, found.open)


def fix_joint(policy: Policy, validation: Labelled, rows: int, promised: Promised) -> tuple[Thresholds, ...]:
    """The ordered vectors of thresholds, from validation rows alone. rows: number of calibration rows."""
    scopes, band = policy.task.scopes, tolerance_units(policy.spec.tolerance)
    risks = np.array(list(limits_of_tasks(scopes, promised.max_error).values()))
    cases = joint_cases(policy, validation)
    vectors = joint_path(cases, risks, rows, delta=promised.delta)
    lowered = [tuple(max(0, least - band) for least in vector) for vector in vectors]
    unique = dict.fromkeys(lowered)
    return tuple({name: round(p / MICRO, 6) for name, p in zip(scopes, each, strict=True)} for each in unique)


def joint_path(cases: JointCases, risks: np.ndarray, rows: int, *, delta: float) -> list[tuple[int, ...]]:
    """At most 50 vectors in millionths, each of which automates more cases than the one before.

    It begins at the vector that is the most likely to pass on `rows` calibration rows.
    """
    walk: list[tuple[tuple[int, ...], float]] = []
    last = 0
    for share in _SHARES.tolist():
        vector = tuple(
            _lowest(cases.p[cases.open, j], cases.wrong[cases.open, j], cases.known[cases.open, j], share * risks[j])
            for j in range(cases.p.shape[1])
        )
        decided = int(cases.taken(np.array(vector)).sum())
        if decided > last:
            walk.append((vector, _chance(cases, vector, risks, rows, delta)))
            last = decided
    if not walk:
        return [tuple([MICRO] * cases.p.shape[1])]
    best = max(chance for _, chance in walk)
    level = [i for i, (_, chance) in enumerate(walk) if chance >= best - 1e-3]
    first = level[len(level) // 2]
    kept = np.unique(np.linspace(first, len(walk) - 1, min(STEPS, len(walk) - first)).round().astype(int))
    return [walk[i][0] for i in kept.tolist()]


def _lowest(p: Ints, wrong: Bools, known: Bools, risk: float) -> int:
    """The lowest threshold above which the estimated error of a task is at most `risk`, beyond all p if there is none.

    Estimated as the mean of the share of errors and of 1 - p, as in `make_grid`.
    """
    order = np.argsort(-p[known], kind="stable")
    falling, errors = p[known][order], np.cumsum(wrong[known][order])
    counts = np.arange(1, len(falling) + 1)
    rates = (errors + np.cumsum(1 - falling / MICRO) + 0.5) / (2 * counts + 3)
    ends = np.append(falling[1:] != falling[:-1], True) if len(falling) else np.zeros(0, dtype=bool)
    able = np.flatnonzero(ends & (rates <= risk))
    return int(falling[able[-1]]) if len(able) else MICRO + 1


def _chance(cases: JointCases, vector: tuple[int, ...], risks: np.ndarray, rows: int, delta: float) -> float:
    """The probability that every task passes, as if they were independent."""
    decided, chance, known = cases.taken(np.array(vector)), 1.0, max(1, len(cases))
    for j, risk in enumerate(risks.tolist()):
        own = decided & cases.known[:, j]
        count, errors = int(own.sum()), int((own & cases.wrong[:, j]).sum())
        expected = float((1 - cases.p[own, j] / MICRO).sum())
        rate = (errors + expected + 0.5) / (2 * count + 3)
        chance *= pass_chance(count, known, rows / known, rate, risk, delta)
    return chance


def certify_joint(
    policy: Policy,
    path: Sequence[Thresholds],
    calibration: Labelled,
    promised: Promised,
    used: Sequence[str] = (),
) -> Certificate:
    """Test the path end to end, rules included, on calibration rows that were used for nothing else.

    The certificate has the thresholds of the last step that passed; without one, every case goes to a person. Its
    error is that of any task. Raises RecipeError as `limits_of_tasks`.
    """
    limits, band = limits_of_tasks(policy.task.scopes, promised.max_error), tolerance_units(policy.spec.tolerance)
    cases = joint_cases(policy, calibration)

    def tests_of(thresholds: Mapping[str, float | None]) -> list[LimitTest]:
        counted = cases.count(_vector(policy, thresholds), band)
        tested = zip(limits.items(), counted, p_values(counted, list(limits.values())), strict=True)
        return [
            LimitTest(kind="error", of=name, limit=limit, cases=decided, errors=errors, p_value=value)
            for (name, limit), (decided, errors), value in tested
        ]

    steps = try_steps(path, promised.delta, tests_of)
    best = last_passed(steps)
    automated = errors = 0
    if best is not None:
        decided = cases.taken(_vector(policy, best.thresholds), band)
        automated, errors = int(decided.sum()), int((decided & cases.wrong.any(axis=1)).sum())
    return filled(
        policy,
        calibration,
        used,
        (automated, errors),
        max_error=limits,
        confidence=round(1 - promised.delta, 6),
        certified=best is not None,
        thresholds=dict.fromkeys(policy.task.scopes) if best is None else best.thresholds,
        grid={},
        steps=(),
        reviewed=(),
        needs={} if best is not None else {ALL: joint_need(policy, path, calibration, promised)},
        path=tuple(dict(each) for each in path),
        path_steps=tuple(steps),
    )


def p_values(counted: Sequence[tuple[int, int]], risks: Sequence[float]) -> list[float]:
    """The p-value of each task, from its decided cases and the errors among them."""
    return [binomial_tail(errors, cases, risk) for (cases, errors), risk in zip(counted, risks, strict=True)]


def joint_need(
    policy: Policy, path: Sequence[Thresholds], labelled: Labelled, promised: Promised, tested: int | None = None
) -> Need:
    """What more rows would do for the whole path. tested: as of `penjing.prove.needed.needed`."""
    limits, band = limits_of_tasks(policy.task.scopes, promised.max_error), tolerance_units(policy.spec.tolerance)
    cases = joint_cases(policy, labelled)
    counts = [
        [
            LimitCount(*each, risk)
            for each, risk in zip(cases.count(_vector(policy, one), band), limits.values(), strict=True)
        ]
        for one in path
    ]
    return needed(counts, len(cases), promised.delta, tested)


def _vector(policy: Policy, thresholds: Mapping[str, float | None]) -> Ints:
    return np.array([least_of(thresholds[name]) for name in policy.task.scopes], dtype=np.int64)
