"""Dates: every form that is read, those with two meanings that are not, and the parts of each."""

from __future__ import annotations

import datetime

import numpy as np
import pytest

from penjing.core.errors import RequestError
from penjing.data.dates import DateParts, day_of, moment_of, parse_date, span_of, written_at
from penjing.data.fields import read_field


@pytest.mark.parametrize(
    ("written", "recorded"),
    [
        ("2026-01-05", "2026-01-05"),
        ("2026/1/5", "2026-01-05"),
        ("2026.1.5", "2026-01-05"),
        ("２０２６年１月５日", "2026-01-05"),
        ("20260105", "2026-01-05"),
        ("0999-12-31T00:00", "0999-12-31T00:00:00"),
        ("2026-01-05T10:30", "2026-01-05T10:30:00"),
        ("2026/1/5 9:05:07", "2026-01-05T09:05:07"),
        ("2026-01-05 10:30:00.250", "2026-01-05T10:30:00"),
        ("2026-01-05T10:30:00Z", "2026-01-05T10:30:00Z"),
        ("2026-01-05T00:30:00+08:00", "2026-01-04T16:30:00Z"),
        ("2026-01-05T20:30:00 -0430", "2026-01-06T01:00:00Z"),
    ],
)
def test_reads(written: str, recorded: str) -> None:
    assert parse_date(written) == recorded
    assert parse_date(recorded) == recorded
    assert read_field("day", written, "date") == recorded


@pytest.mark.parametrize(
    "written",
    ["05/01/2026", "1/5/2026", "2026-1/5", "2026-02-30", "2026-13-01", "20261301", "46027", "2026-01-05T24:01", "today",
     "2026-01-05Z", "2026-01-05T10:30+08:99", "2026", "0001-01-01T00:00+08:00", "x" * 200],
)  # fmt: skip
def test_refuses(written: str) -> None:
    assert parse_date(written) is None
    with pytest.raises(RequestError, match="not a date"):
        read_field("day", written, "date")


def test_values_of_programs() -> None:
    assert read_field("day", datetime.date(2026, 1, 5), "date") == "2026-01-05"
    at = datetime.datetime(2026, 1, 5, 8, 0, tzinfo=datetime.timezone(datetime.timedelta(hours=8)))
    assert read_field("day", at, "date") == "2026-01-05T00:00:00Z"
    for unit in ("s", "us", "ns"):
        assert read_field("day", np.datetime64("2026-01-05T10:30:00", unit), "date") == "2026-01-05T10:30:00"
    assert read_field("day", np.datetime64("2026-01-05", "D"), "date") == "2026-01-05"
    assert read_field("day", np.datetime64("NaT", "ns"), "date") is None
    assert read_field("day", 20260105, "date") == "2026-01-05"
    assert read_field("day", " ", "date") is read_field("day", None, "date") is None
    with pytest.raises(RequestError):
        read_field("day", True, "date")


def test_parts_and_spans() -> None:
    assert moment_of("1970-01-02") == DateParts(1, 1, 4, None, None, "day")
    assert moment_of("2026-01-05T10:30:07Z") == DateParts(20_458, 1, 0, 10, 37_807, "utc")
    assert span_of("1970-01-02") == (86_400, 172_799)
    assert span_of("1970-01-02T00:00:01") == (86_401, 86_401)
    assert [written_at(">=", second) for second in (86_400, 86_401)] == ["1970-01-02", "1970-01-02T00:00:01"]
    first, last = 86_400, 2 * 86_400 - 1
    bounds = [(operator, second) for operator in ("<", "<=", ">", "=") for second in (first, last)]
    days = {bound: written_at(*bound) for bound in bounds}
    assert [bound for bound in bounds if days[bound] == "1970-01-02"] == [("<", first), ("<=", last), (">", last)]
    assert days["=", first] == days["<=", first] == "1970-01-02T00:00:00"
    assert (day_of(20_458), day_of(10**9), day_of(-(10**9))) == ("2026-01-05", "9999-12-31", "0001-01-01")
