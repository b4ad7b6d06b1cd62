"""The clock of a request as seconds since 1970, and back."""

from __future__ import annotations

from datetime import UTC, datetime

from penjing.data.dates import day_of

DAY = 86_400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def seconds_of(clock: str) -> int:
    """Whole seconds from 1970 to a time as it is recorded; one without an offset is in UTC."""
    moment = datetime.fromisoformat(clock)
    return int(((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH).total_seconds() // 1)


def clock_at(second: int) -> str:
    """A second since 1970 as the clock of a request is recorded."""
    day, rest = divmod(second, DAY)
    return f"{day_of(day)}T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}.000000Z"
