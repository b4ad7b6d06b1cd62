"""Certificates where rules have dates: one for each period in which the same rows of the table stand.

The dates of the rules cut time into periods, by the clock of the release's zone, and the decisions of one period are
made by one set of rules. So each
period has thresholds of its own, tested on the labelled rows as the rules of that period decide them. A row with a time
of its own counts in the period of its time, a row without one in every period. The level is divided by the number of
periods that have rows (Bonferroni), so that with confidence 1 - delta every promise of every period holds. In a period
without rows nothing is proven, and every case that no rule decides goes to a person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from penjing.core.certificate import Certificate, CertifiedPeriod, Counted
from penjing.core.errors import RuleError
from penjing.core.periods import in_order, in_words, standing
from penjing.core.zone import UTC, TimeZone
from penjing.decide.clock import local_clock, seconds_of
from penjing.decide.condition import Within
from penjing.decide.fired import names_fired
from penjing.decide.policy import Period
from penjing.decide.table import RuleTable
from penjing.prove.certify import CLOCK, Labelled
from penjing.prove.certify import in_words as certificate_in_words
from penjing.prove.item_words import periods_by_item_in_words

Span = tuple[int | None, int | None]
Prove = Callable[[Span, Labelled, float], Certificate]


def periods_of(table: RuleTable | None) -> list[Span]:
    """The periods between the dates of rules, as inclusive local seconds since 1970; one where no rule has a date."""
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
        fix="name the column of each row's time under `data:`, as `time: COLUMN`; or take the conditions out",
    )


def zone_of(table: RuleTable | None) -> TimeZone:
    """The zone by whose clock rules are dated."""
    return UTC if table is None else table.schema.zone


def certified_period(table: RuleTable | None, period: Span) -> CertifiedPeriod:
    """A period of these rules in which nothing is proven yet."""
    zone, (first, last) = zone_of(table), period
    if zone == UTC:
        return CertifiedPeriod(first=first, last=last)
    # The last second is the one before the next period begins, so that no second in UTC lies in two periods or in none.
    ahead = (0 if first is None else first - zone.utc(first), 0 if last is None else last - (zone.utc(last + 1) - 1))
    return CertifiedPeriod(first=first, last=last, time_zone=zone.name, ahead=ahead)


def rows_in(labelled: Labelled, period: Span, zone: TimeZone = UTC, *, timed: bool = False) -> Labelled:
    """The rows that count in a period of a zone's clock.

    Those without a time of their own do, with a clock in it, unless `timed`.
    """
    clocked = _facts_in(labelled.facts, period, zone, timed=timed)
    kept = list(clocked)
    return Labelled(
        hashes=tuple(labelled.hashes[place] for place in kept),
        truth=tuple(labelled.truth[place] for place in kept),
        facts=tuple(clocked.values()),
        drawn=tuple(labelled.drawn[place] for place in kept) if labelled.drawn else (),
        least=labelled.least,
    )


def rows_by_period(table: RuleTable | None, clocks: Sequence[str]) -> list[int]:
    """How many labelled rows count in each period, by the clocks of the rows (CLOCK: without a time of their own)."""
    timed, seconds = counts_days(table), [seconds_of(clock, zone_of(table)) for clock in clocks if clock != CLOCK]
    alike = 0 if timed else len(clocks) - len(seconds)
    return [alike + sum(_within(second, period) for second in seconds) for period in periods_of(table)]


def fired_in_periods(table: RuleTable, facts: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, ...], ...]:
    """In each period that has rows, of each of these rows the name of the rule that decides it, "" where none does."""
    timed, zone = counts_days(table), zone_of(table)
    parts = (_facts_in(facts, period, zone, timed=timed) for period in periods_of(table))
    return tuple(tuple(names_fired(table, part.values())) for part in parts if part)


def _facts_in(
    rows: Sequence[Mapping[str, Any]], period: Span, zone: TimeZone, *, timed: bool
) -> dict[int, Mapping[str, Any]]:
    """The facts of the rows that count in a period, with a clock in it, by the position of the row."""
    first, last = period
    inside = local_clock(first if first is not None else last or 0)
    found: dict[int, Mapping[str, Any]] = {}
    for place, facts in enumerate(rows):
        if facts["clock"] == CLOCK and not timed:
            found[place] = {**facts, "clock": inside}
        elif facts["clock"] != CLOCK and _within(seconds_of(facts["clock"], zone), period):
            found[place] = facts
    return found


def level_of(delta: float, rows: Sequence[int]) -> float:
    """The level of each period: it is shared by those that have rows."""
    return delta / max(1, sum(count > 0 for count in rows))


def is_dated(table: RuleTable | None) -> bool:
    """Whether what rules decide depends on the time."""
    return len(periods_of(table)) > 1 or counts_days(table)


def period_at(table: RuleTable | None, clocks: Sequence[str], second: int, delta: float) -> tuple[Span, int, float]:
    """The period that holds at a second since 1970 in UTC, how many of the rows count in it, and its level.

    clocks: of the labelled rows that certify, as of `rows_by_period`; delta: the level of all periods together.
    """
    rows, second = rows_by_period(table, clocks), zone_of(table).local(second)
    place, span = next((i, each) for i, each in enumerate(periods_of(table)) if _within(second, each))
    return span, rows[place], level_of(delta, rows)


def certify_periods(
    table: RuleTable | None, calibration: Labelled, prove: Prove, delta: float
) -> tuple[Certificate, tuple[Period, ...]]:
    """The certificate, and what is proven in each period; no periods where no rule depends on the time.

    prove: the certificate of labelled rows in a period at a level. Of several periods the certificate is that of the
    one that automates least among those with rows, and it names what is proven in each (`periods`). Where a rule counts
    days from the clock, only rows with a time of their own count: of the others nobody can say what the rule decides.
    Raises RuleError if there is no such row.
    """
    periods, timed = periods_of(table), counts_days(table)
    if len(periods) == 1 and not timed:
        return prove(periods[0], calibration, delta), ()
    rows = [rows_in(calibration, period, zone_of(table), timed=timed) for period in periods]
    level = level_of(delta, [len(own) for own in rows])
    tested = [prove(period, own, level) if len(own) else None for period, own in zip(periods, rows, strict=True)]
    made = [one for one in tested if one is not None]
    if not made:
        raise without_time(None if table is None else table.path)
    proven = [_proven(certified_period(table, period), one) for period, one in zip(periods, tested, strict=True)]
    least = min(made, key=lambda one: (one.certified, one.automation))
    update: dict[str, Any] = {"confidence": round(1 - delta, 6), "calibration": tuple(sorted(calibration.hashes))}
    if len(proven) > 1:
        update["periods"] = tuple(proven)
        if any(each.counted != "cases" for each in proven):
            update["format"] = 4
    # One period is all time: no rule has dates, so a case without a threshold is `not_certified`, as in any release.
    whole = len(proven) == 1
    found = (
        Period(first=each.first, last=each.last, thresholds=each.thresholds if whole or each.certified else {})
        for each in proven
    )
    return least.model_copy(update=update), tuple(found)


def _proven(period: CertifiedPeriod, made: Certificate | None) -> CertifiedPeriod:
    if made is None:
        return period
    names = set(CertifiedPeriod.model_fields) & set(Certificate.model_fields)
    counted: Counted = "items" if made.most_items else "labels" if made.by_label else "cases"
    return period.model_copy(update={"counted": counted, **{name: getattr(made, name) for name in names}})


def lines_in_words(certificate: Certificate, second: int) -> Iterator[str]:
    """The certificate in sentences for a person: one, or one for each period, that of a second since 1970 first."""
    if not certificate.periods:
        yield certificate_in_words(certificate)
        return
    limit, sure = certificate.max_error, f"{100 * certificate.confidence:.6g}%"
    if any(each.certified for each in standing(certificate.periods, second)):
        promise = f"at most {100 * limit:.6g}%" if isinstance(limit, float) else "within the limit of its label"
        if certificate.by_label:
            promise = "within the limit of each label that is settled as given"
        if certificate.most_items:
            yield periods_by_item_in_words(certificate, sure)
        else:
            yield (
                f"rules have dates: with {sure} confidence the error among automated decisions is {promise} in every "
                "period"
            )
    else:
        yield (
            "nothing is certified in the period that holds now and in those to come: cases without a rule go to review"
        )
    for place, each in enumerate(in_order(certificate.periods, second)):
        yield "  " + in_words(each, now=place == 0, weighted=certificate.weighted)


def _within(second: int, period: Span) -> bool:
    first, last = period
    return (first is None or first <= second) and (last is None or second <= last)
