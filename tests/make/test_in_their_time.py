"""Each row is decided at its own time; what the model decides without a person."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from penjing.core.nouns import Decision, Table
from penjing.decide.decider import Request
from penjing.decide.policy import Period, Policy, PolicySpec
from penjing.make.in_their_time import by_model, decide_in_their_time, requests_of


@pytest.mark.parametrize("dated", [True, False])
def test_test_rows_are_decided_at_their_own_time_else_now_where_rules_have_dates(dated: bool) -> None:
    periods = (Period(first=None, last=9, thresholds={}), Period(first=10, last=None, thresholds={}))
    spec = PolicySpec(
        format=4, labels=("a", "b"), thresholds={}, fields={"time": "date"}, rules="2", facts="3", folding="3",
        periods=periods if dated else (),
    )  # fmt: skip

    class Clocks:
        policy = Policy(spec, None, "")

        def decide(self, requests: list[Request], clock: str) -> list[str]:
            return [f"{request.text} {clock[:10]}" for request in requests]

    times = ("2026-01-05", None, "2025-12-31", "2026-01-05")
    requests = [Request(f"{number}", {"time": time}) for number, time in enumerate(times)]
    found = decide_in_their_time(Clocks(), requests)  # type: ignore[arg-type]
    today = f"{datetime.now(UTC):%Y-%m-%d}" if dated else "1970-01-01"
    assert found == ["0 2026-01-05", f"1 {today}", "2 2025-12-31", "3 2026-01-05"]


def test_rows_are_requests_with_their_fields_and_masked_texts() -> None:
    one, two = requests_of(Table(["a ⟦email⟧", "b"], ["x", "y"], [1, 2], None, {"n": [3, None]}))
    assert one.text.counts["email"] == 1 and one.fields == {"n": 3}  # type: ignore[union-attr]
    assert two.text.text == "b" and two.fields == {"n": None}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("by", "reason", "automatic"),
    [("model", "above_threshold", True), ("model", "audit", True), ("model", "below_threshold", False),
     ("rule", "outcome", False)],
)  # fmt: skip
def test_a_drawn_case_was_decided_by_the_model_too(by: str, reason: str, automatic: bool) -> None:
    decision = Decision("1", "r", "a", "automatic", by, False, reason, {})  # type: ignore[arg-type]
    assert by_model(decision) == automatic
