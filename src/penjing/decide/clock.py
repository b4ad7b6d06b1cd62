"""The clock of a request as local seconds since 1970, and back; the one place where a time in UTC becomes local."""

from __future__ import annotations

from datetime import UTC as UTC_ZONE
from datetime import datetime

from penjing.core.zone import UTC, TimeZone
from penjing.data.dates import day_of, moment_of, span_of

DAY = 86_400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC_ZONE)


def seconds_of(clock: str, zone: TimeZone = UTC) -> int:
    """Whole local seconds since 1970 of a time as it is recorded; one without an offset is local already."""
    moment = datetime.fromisoformat(clock)
    second = int(((moment if moment.tzinfo else moment.replace(tzinfo=UTC_ZONE)) - _EPOCH).total_seconds() // 1)
    return zone.local(second) if moment.tzinfo else second


def local_span(recorded: str, zone: TimeZone) -> tuple[int, int]:
    """The first and the last local second of a date that `parse_date` wrote: one with Z is a time in UTC."""
    first, last = span_of(recorded)
    return (zone.local(first), zone.local(last)) if moment_of(recorded).form == "utc" else (first, last)


def clock_of_date(recorded: str) -> str:
    """The clock of a request that was made on a date, at its first second: local, or in UTC where the date has a Z."""
    first, _ = span_of(recorded)
    return local_clock(first) + ("Z" if moment_of(recorded).form == "utc" else "")


def local_clock(second: int) -> str:
    """A local second since 1970 as the clock of a request, which has no offset."""
    day, rest = divmod(second, DAY)
    return f"{day_of(day)}T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}.000000"
