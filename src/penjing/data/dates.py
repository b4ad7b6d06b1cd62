"""Dates and times of declared fields: one written form of each, and the parts that a model or a rule reads of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Literal

from penjing.data.fold import fold_width

# A day; a day with a clock; a day with a clock in UTC, where an offset was given.
DateForm = Literal["day", "clock", "utc"]
_EPOCH = date(1970, 1, 1)
_DAY = 86_400  # seconds
_WRITTEN = re.compile(
    r"(\d{4})(?:([-/.])(\d{1,2})\2(\d{1,2})|年(\d{1,2})月(\d{1,2})日|(\d{2})(\d{2}))"
    r"(?:[Tt\s]\s*(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d{1,9})?)?\s*([Zz]|[+-]\d{2}(?::?\d{2})?)?)?"
)


@dataclass(frozen=True)
class DateParts:
    """A date as numbers. days: since 1970-01-01; weekday: 0 is Monday; hour, seconds (of the day): None of a day."""

    days: int
    month: int
    weekday: int
    hour: int | None
    seconds: int | None
    form: DateForm


def parse_date(text: str) -> str | None:
    """A date as it is recorded: 2026-01-05, 2026-01-05T10:30:00, or with Z in UTC. None where it is no date.

    Read are 2026-01-05, 2026/1/5, 2026.1.5, 2026年1月5日 and 20260105 in any width, each also with a time after T or a
    space (10:30, 10:30:00.250) and an offset (Z, +08:00). A time with an offset is converted to UTC; parts of a second
    are left out. Dates that begin with the day or the month have two meanings and are not read.
    """
    found = _WRITTEN.fullmatch(fold_width(text.strip()))
    if found is None:
        return None
    year, _, *rest = found.groups()
    month, day = next((a, b) for a, b in zip(rest[0:6:2], rest[1:6:2], strict=True) if a is not None)
    hour, minute, second, offset = rest[6:]
    try:
        if hour is None:
            return date(int(year), int(month), int(day)).isoformat()
        moment = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0))
        if offset is None:
            return moment.isoformat()
        return moment.replace(tzinfo=_zone(offset)).astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
    except (ValueError, OverflowError):
        return None


def moment_of(recorded: str) -> DateParts:
    """The parts of a date that `parse_date` wrote. Raises ValueError for another text."""
    day = date.fromisoformat(recorded[:10])
    if len(recorded) == len("2026-01-05"):
        return DateParts((day - _EPOCH).days, day.month, day.weekday(), None, None, "day")
    clock = datetime.fromisoformat(recorded[:19])
    seconds = clock.hour * 3600 + clock.minute * 60 + clock.second
    form: DateForm = "utc" if recorded.endswith("Z") else "clock"
    return DateParts((day - _EPOCH).days, day.month, day.weekday(), clock.hour, seconds, form)


def span_of(recorded: str) -> tuple[int, int]:
    """The first and the last second of a date, since 1970-01-01: those of a whole day, or one of a time."""
    moment = moment_of(recorded)
    first = moment.days * _DAY + (moment.seconds or 0)
    return first, first if moment.seconds is not None else first + _DAY - 1


def written_at(operator: str, second: int) -> str:
    """How a rule writes that second since 1970-01-01 after an operator: a day alone where it means the same.

    In a rule a day is all of its seconds: `>= day` and `< day` are about its first one, `> day` and `<= day` about its
    last one, and `= day` is no single second.
    """
    day, rest = divmod(second, _DAY)
    if rest == {">=": 0, "<": 0, ">": _DAY - 1, "<=": _DAY - 1}.get(operator):
        return day_of(day)
    return f"{day_of(day)}T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"


def day_of(days: int) -> str:
    """The day this many days after 1970-01-01, as it is recorded; at most the last one that can be written."""
    least, most = (date.min - _EPOCH).days, (date.max - _EPOCH).days
    return (_EPOCH + timedelta(days=min(max(days, least), most))).isoformat()


def _zone(offset: str) -> timezone:
    if offset in "Zz":
        return UTC
    digits = offset[1:].replace(":", "")
    if int(digits[2:] or 0) > 59:
        raise ValueError(f"an offset of more than 59 minutes: {offset}")
    minutes = int(digits[:2]) * 60 + int(digits[2:] or 0)
    return timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes))
