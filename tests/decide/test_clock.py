"""Clocks of requests as seconds, and seconds as clocks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from penjing.core.answers import Choice
from penjing.core.canon import canonical_json
from penjing.core.nouns import Prediction
from penjing.core.zone import find_zone
from penjing.data.mask import mask
from penjing.decide.clock import clock_of_date, local_clock, seconds_of
from penjing.decide.examine import load_rules
from penjing.decide.policy import Period, Policy, PolicySpec

LABELS = ("ham", "spam")
RULES = """name,valid_from,valid_to,due,then
february,2026-02-01,2026-02-28,,review
near,,,within last 2 days,outcome spam
second,,,2026-06-02,review
"""


def policy(folder: Path, zone: str, rules: str = RULES, **changes: Any) -> Policy:
    values: dict[str, Any] = {"format": 4 if zone == "UTC" else 5, "rules": "2", "facts": "3", "folding": "3"}
    values |= {"labels": LABELS, "fields": {"due": "date"}, "thresholds": dict.fromkeys(LABELS, 0.5), "audit": 0.0}
    spec = PolicySpec.model_validate({**values, "time_zone": find_zone(zone), **changes})
    (folder / "rules.csv").write_text(rules, encoding="utf-8")
    return Policy(spec, load_rules(folder / "rules.csv", spec.schema_of_facts()), "r" * 64)


def fired(made: Policy, clock: str, due: str | None = "2020-01-01") -> tuple[str, ...]:
    prediction = Prediction("a" * 64, Choice(LABELS, (0.9, 0.1)))
    return made.decide("id", made.facts(prediction, mask("hello"), {"due": due}, clock)).fired


@pytest.mark.parametrize(
    ("clock", "second"),
    [
        ("1970-01-01T00:00:00.000000Z", 0),
        ("1970-01-02T00:00:01.999999Z", 86_401),
        ("1970-01-01T08:00:00+08:00", 0),
        ("1970-01-02", 86_400),
        ("1969-12-31T23:59:59.500000Z", -1),
    ],
)
def test_a_clock_is_whole_seconds_in_utc(clock: str, second: int) -> None:
    assert seconds_of(clock) == second


@pytest.mark.parametrize("second", [0, -1, 1_767_225_599, 1_767_225_600])
def test_a_second_is_written_as_a_clock_that_is_read_back(second: int) -> None:
    assert seconds_of(local_clock(second)) == second
    assert local_clock(second).endswith(".000000")


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "Europe/Berlin"])
def test_a_clock_without_an_offset_is_local(zone: str) -> None:
    made = find_zone(zone)
    assert seconds_of("1970-01-02", made) == 86_400
    assert seconds_of("2026-02-01T00:00:00Z", made) == made.local(1_769_904_000)
    assert clock_of_date("2026-02-01") == "2026-02-01T00:00:00.000000"
    assert clock_of_date("2026-02-01T10:30:00Z") == "2026-02-01T10:30:00.000000Z"


@pytest.mark.parametrize(
    ("zone", "clock", "expected"),
    [
        ("UTC", "2026-01-31T16:00:00Z", ()),
        ("UTC", "2026-02-28T23:59:59Z", ("february",)),
        ("Asia/Shanghai", "2026-01-31T15:59:59.999999Z", ()),
        ("Asia/Shanghai", "2026-01-31T16:00:00.000000Z", ("february",)),
        ("Asia/Shanghai", "2026-02-28T15:59:59.000000Z", ("february",)),
        ("Asia/Shanghai", "2026-02-28T16:00:00.000000Z", ()),
        ("America/New_York", "2026-02-01T04:59:59Z", ()),
        ("America/New_York", "2026-02-01T05:00:00Z", ("february",)),
    ],
)
def test_a_rule_begins_and_ends_at_midnight_of_the_zone(
    tmp_path: Path, zone: str, clock: str, expected: tuple[str, ...]
) -> None:
    assert fired(policy(tmp_path, zone), clock) == expected


@pytest.mark.parametrize(
    ("zone", "clock", "due", "expected"),
    [
        # 3 May in Shanghai is from 16:00 of 2 May on, and the 1st is then two days ago.
        ("Asia/Shanghai", "2026-05-02T15:59:59Z", "2026-04-30", ("near",)),
        ("Asia/Shanghai", "2026-05-02T16:00:00Z", "2026-04-30", ()),
        ("Asia/Shanghai", "2026-05-02T16:00:00Z", "2026-05-01", ("near",)),
        ("UTC", "2026-05-02T16:00:00Z", "2026-04-30", ("near",)),
        # A field with an offset is recorded in UTC: 16:30 of 30 April is 1 May in Shanghai.
        ("Asia/Shanghai", "2026-05-02T16:00:00Z", "2026-04-30T16:30:00Z", ("near",)),
        ("Asia/Shanghai", "2026-05-02T16:00:00Z", "2026-04-30T15:30:00Z", ()),
        ("Asia/Shanghai", "2026-05-02T16:00:00Z", "2026-04-30T23:59:59", ()),
        ("Asia/Shanghai", "2026-09-01T00:00:00Z", "2026-06-01T15:59:59Z", ()),
        ("Asia/Shanghai", "2026-09-01T00:00:00Z", "2026-06-01T16:00:00Z", ("second",)),
        # The day on which the clock of Berlin is set forward has 23 hours, that on which it is set back has 25.
        ("Europe/Berlin", "2026-03-29T21:59:59Z", "2026-03-27", ("near",)),
        ("Europe/Berlin", "2026-03-29T22:00:00Z", "2026-03-27", ()),
        ("Europe/Berlin", "2026-10-25T22:59:59Z", "2026-10-23", ("near",)),
        ("Europe/Berlin", "2026-10-25T23:00:00Z", "2026-10-23", ()),
    ],
)
def test_days_are_those_of_the_zone(tmp_path: Path, zone: str, clock: str, due: str, expected: tuple[str, ...]) -> None:
    assert fired(policy(tmp_path, zone), clock, due) == expected


def test_a_date_of_a_rule_with_an_offset_is_the_local_time(tmp_path: Path) -> None:
    made = policy(tmp_path, "Asia/Shanghai", "name,valid_from,then\nx,2026-02-01T00:00Z,review\n")
    assert fired(made, "2026-01-31T23:59:59Z") == ()
    assert fired(made, "2026-02-01T00:00:00Z") == ("x",)


def test_the_thresholds_are_those_of_the_local_period(tmp_path: Path) -> None:
    start = seconds_of("2026-02-01")
    periods = (Period(last=start - 1, thresholds={"ham": 0.5}), Period(first=start, thresholds={"ham": 0.7}))
    made = policy(tmp_path, "Asia/Shanghai", periods=periods)
    assert made.thresholds_at("2026-01-31T15:59:59.900000Z") == {"ham": 0.5}
    assert made.thresholds_at("2026-01-31T16:00:00.000000Z") == {"ham": 0.7}


def test_the_policy_seals_the_offsets_and_one_in_utc_keeps_its_bytes(tmp_path: Path) -> None:
    spec = policy(tmp_path, "Europe/Berlin").spec
    sealed = json.loads(canonical_json(spec.model_dump(mode="json")))
    assert sealed["time_zone"]["name"] == "Europe/Berlin" and len(sealed["time_zone"]["offsets"]) > 200
    assert PolicySpec.model_validate(sealed) == spec and spec.newest_rules().format == 5
    plain = policy(tmp_path, "UTC").spec
    assert "time_zone" not in plain.model_dump(mode="json") and plain.newest_rules().format == 4
    with pytest.raises(ValidationError, match="is for a scope or a time zone"):
        PolicySpec.model_validate({**sealed, "format": 4})
