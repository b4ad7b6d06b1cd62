"""The fields that a rule lacked are named from the record, and such a rule gives no reason."""

from __future__ import annotations

import pytest

from penjing.decide.absent import absent_fields, rule_reasons
from penjing.decide.decider import Decider, Request
from penjing.decide.policy import load_policy

VIP = {"vip": "a valued customer is answered by a person"}


@pytest.mark.parametrize(
    ("fields", "text", "absent", "reasons"),
    [
        ({}, "hello", ("channel",), {}),
        ({"channel": "vip"}, "hello", (), VIP),
        ({"channel": "app"}, "a lottery", (), {"lottery": "lotteries are always spam"}),
        ({"channel": "app"}, "hello", (), {}),
    ],
)
def test_of_recorded_cases(tiny_release, fields, text: str, absent: tuple[str, ...], reasons: dict[str, str]) -> None:
    (made,) = Decider(tiny_release, threads=1).decide([Request(text, fields)])
    policy, decided = load_policy(tiny_release), made.decision.to_json()
    assert (absent_fields(policy, decided), rule_reasons(policy, decided)) == (absent, reasons)


def test_erased_fields_name_none_and_an_unknown_value_of_a_rule_that_holds_keeps_its_reason(tiny_release) -> None:
    policy = load_policy(tiny_release)
    (made,) = Decider(tiny_release, threads=1).decide([Request("hello", {})])
    decided = made.decision.to_json()
    assert decided["reason"] == "missing_field"
    erased = decided | {"facts": decided["facts"] | {"fields": None}}
    assert (absent_fields(policy, erased), rule_reasons(policy, erased)) == ((), {})
    (vip,) = Decider(tiny_release, threads=1).decide([Request("hello", {"channel": "vip"})])
    assert rule_reasons(policy, vip.decision.to_json() | {"reason": "unknown_value"}) == VIP
