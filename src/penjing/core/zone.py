"""Time zones as tables of offsets: a second in UTC as a second of a local clock, and back."""

from __future__ import annotations

import difflib
from bisect import bisect_right
from datetime import UTC as UTC_ZONE
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, model_validator

_DAY = 86_400
_YEARS = (1970, 2100)  # the table of a zone: later seconds have its last offset, earlier ones its first
# What people write for a zone that has another name in the table of IANA.
_CHINA = ("beijing", "asia/beijing", "北京", "上海", "中国", "cst", "utc+8", "gmt+8", "utc+08:00", "+08:00", "+8", "8")


class TimeZone(BaseModel):
    """The clock of a place. A local second is what its clock shows, counted from 1970-01-01T00:00 on that clock.

    name: as IANA writes it. offsets: (second in UTC, seconds ahead of UTC from it on), in order of time. The table is
    kept, not looked up by name, so that a later version of the zone database changes no decision.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    offsets: tuple[tuple[int, int], ...]

    @model_validator(mode="after")
    def _in_order(self) -> TimeZone:
        starts = [start for start, _ in self.offsets]
        if not starts or starts != sorted(set(starts)) or any(abs(ahead) >= _DAY for _, ahead in self.offsets):
            raise ValueError("a time zone has a table of offsets of less than a day, in order of time")
        return self

    def local(self, second: int) -> int:
        """What the clock shows at a second in UTC. Where it is set back, it shows an hour twice."""
        place = bisect_right(self.offsets, second, key=lambda each: each[0]) - 1
        return second + self.offsets[max(place, 0)][1]

    def utc(self, local: int) -> int:
        """The first second in UTC at which the clock shows this second or, where it is skipped, a later one."""
        for place, (start, ahead) in enumerate(self.offsets):
            second = local - ahead if place == 0 else max(local - ahead, start)
            if place + 1 == len(self.offsets) or second < self.offsets[place + 1][0]:
                break
        return second


UTC = TimeZone(name="UTC", offsets=((0, 0),))


@cache
def find_zone(name: str) -> TimeZone:
    """The zone of a name of IANA, its offsets from 1970 to 2100 as the zone database of this machine has them.

    Raises KeyError for a name that it does not have.
    """
    if name == UTC.name:
        return UTC
    if name not in available_timezones():
        raise KeyError(name)
    zone = ZoneInfo(name)
    first, last = (int(datetime(year, 1, 1, tzinfo=UTC_ZONE).timestamp()) for year in _YEARS)
    offsets = [(first, _ahead(zone, first))]
    for day in range(first + _DAY, last, _DAY):
        if _ahead(zone, day) != offsets[-1][1]:
            start = _changed(zone, day - _DAY, day)
            offsets.append((start, _ahead(zone, start)))
    return TimeZone(name=name, offsets=tuple(offsets))


def nearest_zone(name: str) -> str:
    """What to write instead of a name that is not known."""
    plain = name.strip().casefold()
    known = sorted(available_timezones())
    if not known:
        return "this machine has no zone database: `pip install tzdata`"
    if plain in _CHINA:
        return "write `Asia/Shanghai`"
    near = {each.casefold(): each for each in known}
    if found := difflib.get_close_matches(plain, near, n=1, cutoff=0.6):
        return f"did you mean `{near[found[0]]}`?"
    return "write a name of the IANA zone database, such as `Asia/Shanghai` or `Europe/Berlin`"


def _changed(zone: ZoneInfo, before: int, after: int) -> int:
    """The second at which the offset changes between two seconds with different ones."""
    old = _ahead(zone, before)
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (middle, after) if _ahead(zone, middle) == old else (before, middle)
    return after


def _ahead(zone: ZoneInfo, second: int) -> int:
    ahead = datetime.fromtimestamp(second, zone).utcoffset()
    assert ahead is not None  # a ZoneInfo always has one
    return int(ahead.total_seconds())
