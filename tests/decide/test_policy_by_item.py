"""The policy of limits by item: its format, which items are decided, and when a text needs no person."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from penjing.cases.rule_reasons import doubts
from penjing.core.canon import canonical_json
from penjing.decide.policy import Policy, PolicySpec
from penjing.explain.why import why

PLAIN = {
    "format": 4, "task": {"type": "tag", "types": ["org", "place"]}, "thresholds": {"entity": 0.8, "empty": 0.7},
    "masking": "2", "folding": "2", "rules": "2", "facts": "4", "audit": 0.0,
}  # fmt: skip
BY_ITEM = {**PLAIN, "format": 7, "certify": "item", "most_items": 2}


def facts(*items: tuple[str, float], p: float = 0.9, **more: Any) -> dict[str, Any]:
    spans = [[10 * place, 10 * place + 4, kind] for place, (kind, _) in enumerate(items)]
    own = {"entities": len(items), "p": p, "spans": spans, "span_p": [each for _, each in items]}
    common = {"too_long": False, "pii": {}, "fields": {}, "clock": "2026-01-01T00:00:00.000000Z", "text": {}}
    return own | common | {"version": "4", "features": {}} | more


def policy(**changes: Any) -> Policy:
    return Policy(PolicySpec.model_validate({**BY_ITEM, **changes}), None, "")


def shown(one: Policy, given: dict[str, Any]) -> dict[str, str]:
    found: dict[str, dict[str, str]] = doubts(one, one.decide("", given).to_json())
    return found.get("doubts", {})


def test_format_7_is_that_of_items() -> None:
    spec = PolicySpec.model_validate(BY_ITEM)
    assert spec.opened_task().scopes == ("entity", "empty")
    assert PolicySpec.model_validate_json(canonical_json(spec.model_dump(mode="json"))) == spec
    assert spec.newest_rules().format == 7
    plain = PolicySpec.model_validate(PLAIN).model_dump(mode="json")
    assert "certify" not in plain and "most_items" not in plain
    for wrong in ({"certify": "case"}, {"format": 5, "scope": True}, {"most_items": 0}, {"most_items": -1}):
        with pytest.raises(ValidationError):
            PolicySpec.model_validate({**BY_ITEM, **wrong})
    with pytest.raises(ValidationError, match="format 7 is for certificates item by item"):
        PolicySpec.model_validate({**PLAIN, "most_items": 3})


def test_a_text_is_decided_where_every_entity_is() -> None:
    one = policy()
    sure, doubtful = facts(("org", 0.9), ("place", 0.8), p=0.1), facts(("org", 0.9), ("place", 0.79))
    assert one.decide("", sure).route == "automatic" and shown(one, sure) == {}, "p of the whole is not compared"
    decided = one.decide("", doubtful)
    assert (decided.route, decided.reason, shown(one, doubtful)) == (
        "review",
        "below_threshold",
        {"1": "below_threshold"},
    )
    said = why(decided.to_json(), one)[0]
    assert said == "the model finds `10..14 (place)` in the text with p 0.79, below the certified 0.8: a person decides"


def test_of_many_entities_the_surest_are_decided() -> None:
    one, many = policy(), facts(("org", 0.9), ("place", 0.85), ("org", 0.95), ("org", 0.3))
    decided = one.decide("", many)
    assert decided.route == "review" and shown(one, many) == {"1": "too_many", "3": "below_threshold"}
    assert "of a text at most 2 are decided" in why(decided.to_json(), one)[0]
    assert "最多自动决定 2 个" in why(decided.to_json(), one, language="zh")[0]


def test_a_text_without_entities_has_a_threshold_of_its_own() -> None:
    one = policy()
    assert one.decide("", facts(p=0.7)).route == "automatic"
    assert one.decide("", facts(p=0.69)).reason == "below_threshold"
    closed = policy(thresholds={"entity": 0.8, "empty": None})
    assert shown(closed, facts(p=0.99)) == {"empty": "not_certified"}
    assert "finds nothing" in why(closed.decide("", facts(p=0.99)).to_json(), closed)[0]


def test_what_sends_the_whole_text_to_a_person_leaves_every_entity_open() -> None:
    one = policy()
    long = facts(("org", 0.9), ("place", 0.9), too_long=True)
    assert shown(one, long) == {"0": "too_long", "1": "too_long"}
    audited = policy(audit=1.0)
    drawn = facts(("org", 0.9), audit={"draw": 0.1, "probability": 1.0})
    assert audited.decide("", drawn).reason == "audit" and shown(audited, drawn) == {}, "it could be decided"


def test_a_score_that_another_machine_may_move_is_open() -> None:
    one = policy(tolerance=0.01)
    assert shown(one, facts(("org", 0.805), ("place", 0.82))) == {"0": "within_tolerance"}
    assert shown(policy(tolerance=0.01, thresholds={"entity": 0.3, "empty": 0.7}), facts(("org", 0.505))) == {
        "0": "within_tolerance"
    }, "another entity may be the answer there"
