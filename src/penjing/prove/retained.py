"""What a release still knows of an earlier one that it goes on from: its regression suite, and a matrix of scores.

    forgotten = cases of the earlier regression suite that the new release answers wrongly / all of its cases

The suite holds rows that the earlier release answered rightly, and that it was not trained on. The matrix has the share
of right answers of both releases on the test rows of both. Source: Lopez-Paz, Ranzato, Gradient Episodic Memory for
Continual Learning, 2017 (the matrix from which forgetting is read).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from penjing.core.certificate import Gate
from penjing.core.nouns import Release, Table
from penjing.data.features import rows_of
from penjing.measure.evaluate import Interval
from penjing.prove.gates import at_most_exact
from penjing.prove.sequence import lower_bound, upper_bound
from penjing.runtime.open import open_served
from penjing.runtime.session import Session

RELEASES = ("the earlier release", "this release")
FORGET = "forget"
EARLIER, TEST = "earlier test rows", "test rows"


@dataclass(frozen=True)
class Retained:
    """What a release still knows. matrix: (release, rows, share of right answers); lost: positions in the suite."""

    earlier: str
    cases: int
    lost: tuple[int, ...]
    examples: tuple[tuple[str, str, str], ...]  # text, label, what the new release says, of the first lost cases
    matrix: tuple[tuple[str, str, Interval], ...]


def retained(releases: tuple[Release, Release], suite: Table, tests: Mapping[str, Table], threads: int) -> Retained:
    """Both releases, the earlier one first, on its suite and on test rows of either, which have names."""
    sessions = {name: open_served(one, threads=threads) for name, one in zip(RELEASES, releases, strict=True)}
    new = sessions[RELEASES[1]]
    said, golds, lost = _outcomes(new, suite), suite.labels or (), lost_of(new, suite)
    matrix = tuple(
        (name, rows, _right(session, table))
        for name, session in sessions.items()
        for rows, table in tests.items()
        if len(table)
    )
    examples = tuple((suite.texts[place], golds[place], said[place]) for place in lost[:20])
    return Retained(releases[0].id, len(suite), lost, examples, matrix)


def forget_gate(promised: float | None, lost: int, cases: int) -> tuple[Gate, ...]:
    """The promise `forget`, where it is made; it is about these cases, so that its figure has no uncertainty."""
    if promised is None:
        return ()
    return (at_most_exact(FORGET, promised, lost / max(1, cases), f"{lost} of {cases} cases"),)


def lost_of(session: Session, suite: Table) -> tuple[int, ...]:
    """The positions of the cases that a model answers wrongly."""
    pairs = zip(_outcomes(session, suite), suite.labels or (), strict=True)
    return tuple(place for place, (one, gold) in enumerate(pairs) if session.task.wrong(one, gold))


def _outcomes(session: Session, table: Table) -> list[str]:
    task = session.task
    return [task.outcome(task.facts(each.answer)) for each in session.predict(table.texts, rows_of(table))]


def _right(session: Session, table: Table) -> Interval:
    """The share of right answers, with its exact two-sided 95 % interval."""
    said, golds, n = _outcomes(session, table), table.labels or (), len(table)
    right = sum(not session.task.wrong(one, gold) for one, gold in zip(said, golds, strict=True))
    return Interval(right / n, lower_bound(right, n, 0.025), upper_bound(right, n, 0.025))
