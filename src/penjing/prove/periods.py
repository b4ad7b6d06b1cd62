"""Certificates where rules have dates: one for each period in which the same rows of the table stand.

The dates of the rules cut time into periods, and the decisions of one period are made by one set of rules. So each
period has thresholds of its own, tested on the labelled rows as the rules of that period decide them. A row with a time
of its own counts in the period of its time, a row without one in every period. The level is divided by the number of
periods that have rows (Bonferroni), so that with confidence 1 - delta every promise of every period holds. In a period
without rows nothing is proven, and every case that no rule decides goes to a person.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from penjing.core.certificate import Certificate
from penjing.core.errors import RuleError
from penjing.decide.clock import clock_at, seconds_of
from penjing.decide.condition import Within
from penjing.decide.policy import Period
from penjing.decide.table import RuleTable
from penjing.prove.certify import CLOCK, Labelled

Span = tuple[int | None, int | None]
Prove = Callable[[Span, Labelled, float], Certificate]


def periods_of(table: RuleTable | None) -> list[Span]:
    """The periods between the dates of rules, as inclusive seconds since 1970; one without bounds where none has."""
    rules = table.rules if table is not None else ()
    begins = {rule.valid_from for rule in rules if rule.valid_from is not None}
    starts = sorted(begins | {rule.valid_to + 1 for rule in rules if rule.valid_to is not None})
    return list(zip([None, *starts], [*(start - 1 for start in starts), None], strict=True))


def counts_days(table: RuleTable | None) -> bool:
    """Whether a rule compares a date with the clock of the request."""
    rules = table.rules if table is not None else ()
    return any(isinstance(each.test, Within) for rule in rules for each in rule.conditions)


def without_time(path: str | None) -> RuleError:
    """The error where rules count days from the clock and no labelled row has a time. path: of the rules file."""
    return RuleError(
        "a rule counts days from the clock (`within`), and no calibration row has a time: nothing can be proven",
        where=path,
        fix="call the column of each row's time `time`, and declare the field `time: date`; or take the conditions out",
    )


def rows_in(labelled: Labelled, period: Span, *, timed: bool = False) -> Labelled:
    """The rows that count in a period. Those without a time of their own do, with a clock in it, unless `timed`."""
    first, last = period
    inside = clock_at(first if first is not None else last or 0)
    kept: list[int] = []
    clocked: list[Mapping[str, Any]] = []
    for place, facts in enumerate(labelled.facts):
        if facts["clock"] == CLOCK and not timed:
            kept.append(place)
            clocked.append({**facts, "clock": inside})
        elif facts["clock"] != CLOCK and _within(seconds_of(facts["clock"]), period):
            kept.append(place)
            clocked.append(facts)
    return Labelled(
        hashes=tuple(labelled.hashes[place] for place in kept),
        truth=tuple(labelled.truth[place] for place in kept),
        facts=tuple(clocked),
        drawn=tuple(labelled.drawn[place] for place in kept) if labelled.drawn else (),
    )


def certify_periods(
    table: RuleTable | None, calibration: Labelled, prove: Prove, delta: float
) -> tuple[Certificate, tuple[Period, ...]]:
    """The certificate, and what is proven in each period; no periods where no rule depends on the time.

    prove: the certificate of labelled rows in a period at a level. Of several periods the certificate is that of the
    one that automates least among those with rows. Where a rule counts days from the clock, only rows with a time of
    their own count: of the others it cannot be said what the rule decides. Raises RuleError if there is no such row.
    """
    periods, timed = periods_of(table), counts_days(table)
    if len(periods) == 1 and not timed:
        return prove(periods[0], calibration, delta), ()
    rows = [rows_in(calibration, period, timed=timed) for period in periods]
    level = delta / max(1, sum(len(own) > 0 for own in rows))
    found: list[Period] = []
    made: list[Certificate] = []
    for (first, last), own in zip(periods, rows, strict=True):
        one = prove((first, last), own, level) if len(own) else None
        thresholds = one.thresholds if one is not None and one.certified else {}
        found.append(Period(first=first, last=last, thresholds=thresholds))
        made += [] if one is None else [one]
    if not made:
        raise without_time(None if table is None else table.path)
    least = min(made, key=lambda one: (one.certified, one.automation))
    hashes = tuple(sorted(calibration.hashes))
    return least.model_copy(update={"confidence": round(1 - delta, 6), "calibration": hashes}), tuple(found)


def _within(second: int, period: Span) -> bool:
    first, last = period
    return (first is None or first <= second) and (last is None or second <= last)
