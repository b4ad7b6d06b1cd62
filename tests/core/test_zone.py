"""Time zones as tables of offsets: local seconds, days of 23 and 25 hours, names that are not known."""

from __future__ import annotations

from datetime import UTC as UTC_ZONE
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from penjing.core.zone import UTC, TimeZone, find_zone, nearest_zone

NAMES = ["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "Africa/Casablanca"]
HOUR = 3600


def second(written: str) -> int:
    return int(datetime.fromisoformat(written).timestamp())


@given(name=st.sampled_from(NAMES), at=st.integers(0, second("2100-01-01T00:00Z") - 1))
def test_the_local_second_is_what_the_zone_database_says(name: str, at: int) -> None:
    clock = datetime.fromtimestamp(at, ZoneInfo(name)).replace(tzinfo=UTC_ZONE)
    assert find_zone(name).local(at) == int(clock.timestamp())


@given(name=st.sampled_from(NAMES), local=st.integers(0, second("2099-12-01T00:00Z")))
def test_the_second_in_utc_is_the_first_at_which_the_clock_shows_it_or_a_later_one(name: str, local: int) -> None:
    zone = find_zone(name)
    found = zone.utc(local)
    assert zone.local(found) >= local
    assert zone.local(found - 1) < local


def test_days_have_23_and_25_hours_where_the_clock_is_changed() -> None:
    berlin = find_zone("Europe/Berlin")

    def hours(day: str, next_day: str) -> float:
        return (berlin.utc(second(f"{next_day}T00:00Z")) - berlin.utc(second(f"{day}T00:00Z"))) / HOUR

    lengths = [hours("2026-03-29", "2026-03-30"), hours("2026-10-25", "2026-10-26"), hours("2026-05-01", "2026-05-02")]
    assert lengths == [23, 25, 24]
    assert berlin.utc(second("2026-03-29T02:30Z")) == second("2026-03-29T01:00Z")  # a time that the clock skips


def test_utc_shifts_nothing_and_times_outside_the_table_have_its_ends() -> None:
    assert find_zone("UTC") is UTC and (UTC.local(7), UTC.utc(7)) == (7, 7)
    zone = TimeZone(name="X", offsets=((100, 5), (200, -5)))
    assert (zone.local(0), zone.local(199), zone.local(10**12)) == (5, 204, 10**12 - 5)


@pytest.mark.parametrize("offsets", [(), ((5, 0), (5, 1)), ((5, 0), (1, 0)), ((0, 86_400),)])
def test_a_table_that_is_not_in_order_is_refused(offsets: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(ValidationError, match="in order of time"):
        TimeZone(name="X", offsets=offsets)


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("asia/shanghai", "did you mean `Asia/Shanghai`?"),
        ("Asia/Shangai", "did you mean `Asia/Shanghai`?"),
        ("北京", "write `Asia/Shanghai`"),
        ("UTC+8", "write `Asia/Shanghai`"),
        ("../etc/passwd", "write a name of the IANA zone database, such as `Asia/Shanghai` or `Europe/Berlin`"),
        ("Asia", "did you mean"),
    ],
)
def test_an_unknown_name_has_a_fix(name: str, fix: str) -> None:
    with pytest.raises(KeyError):
        find_zone(name)
    assert nearest_zone(name).startswith(fix)
