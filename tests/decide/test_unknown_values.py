"""A new value of an enumerated field sends its case to a person, is named and not recorded, and replays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from penjing.cases.replay import decide_again, replay_decision
from penjing.core.answers import Choice
from penjing.core.canon import canonical_json
from penjing.core.errors import RequestError
from penjing.core.nouns import Prediction
from penjing.data.mask import mask
from penjing.decide.examine import load_rules
from penjing.decide.policy import Policy, PolicySpec

RULES = "name,channel,text,then\nvip,vip,,review\nlottery,,contains lottery,outcome spam\n"
FIELDS = {"channel": ("web", "app", "vip"), "region": ("n", "s"), "amount": "float"}
SURE = Prediction("a" * 64, Choice(("ham", "spam"), (0.95, 0.05)))
CLOCK = "2026-01-01T00:00:00Z"


def _policy(folder: Path, rules: str = RULES, **more: Any) -> Policy:
    values = {"unknown_values": "review", "thresholds": {"ham": 0.9, "spam": 0.9}, "audit": 0.0, **more}
    spec = PolicySpec(format=4, rules="2", facts="3", labels=("ham", "spam"), fields=FIELDS, **values).newest_rules()
    (folder / "rules.csv").write_text(rules, encoding="utf-8")
    table = load_rules(folder / "rules.csv", spec.schema_of_facts()) if rules else None
    return Policy(spec=spec, rules=table, release_id="r" * 64)


def _decide(made: Policy, text: str = "hello", **fields: Any):
    read = made.schema.read(fields)
    return made.decide("id", made.facts(SURE, mask(text), made.schema.read(read), CLOCK))


def test_the_case_goes_to_review_and_the_field_is_named(tmp_path: Path) -> None:
    made = _policy(tmp_path)
    sure = _decide(made, channel="web", region="n", amount=1)
    assert (sure.route, "unknown" in sure.facts) == ("automatic", False)
    new = _decide(made, channel="web", region="13812345678", amount=1)
    assert (new.route, new.reason, new.outcome, new.decided_by) == ("review", "unknown_value", "ham", "model")
    assert new.facts["unknown"] == ["region"] and new.facts["fields"]["region"] is None
    assert "13812345678" not in canonical_json(new.to_json()).decode()
    assert replay_decision(made, new.to_json()).same


def test_a_rule_that_tests_the_field_and_a_forced_outcome_are_held_back_too(tmp_path: Path) -> None:
    made = _policy(tmp_path)
    tested = _decide(made, channel="小程序", region="n", amount=1)
    assert (tested.reason, tested.decided_by, tested.fired) == ("unknown_value", "rule", ("vip",))
    forced = _decide(made, "a lottery", channel="web", region="x", amount=1)
    assert (forced.outcome, forced.route, forced.reason) == ("spam", "review", "unknown_value")
    absent = _decide(made, region="x", amount=1)
    assert (absent.reason, absent.fired) == ("missing_field", ("vip",))


def test_other_wrong_values_are_refused_as_before(tmp_path: Path) -> None:
    made = _policy(tmp_path)
    for wrong in ({"amount": "many"}, {"channel": ["web"]}, {"channel": "x" * 2000}, {"chanel": "web"}):
        with pytest.raises(RequestError):
            made.schema.read(wrong)
    assert made.schema.from_strings({"channel": "new", "other": "x"}).unknown == ("channel",)
    with pytest.raises(RequestError, match="not one of web, app, vip"):
        made.schema.strict().read({"channel": "new"})


def test_a_release_that_refuses_keeps_its_bytes_and_its_behaviour(tmp_path: Path) -> None:
    refusing = _policy(tmp_path, unknown_values="refuse")
    assert "unknown_values" not in refusing.spec.model_dump(mode="json")
    assert _policy(tmp_path).spec.model_dump(mode="json")["unknown_values"] == "review"
    with pytest.raises(RequestError, match="not one of"):
        refusing.schema.read({"channel": "new"})
    with pytest.raises(ValidationError, match="name no fields with unknown values"):
        PolicySpec(format=4, labels=("a", "b"), thresholds={}, facts="2", unknown_values="review")


def test_another_release_judges_it_only_if_it_can_say_so(tmp_path: Path) -> None:
    made = _policy(tmp_path)
    recorded = _decide(made, channel="web", region="x", amount=1).to_json()
    again = decide_again(made, recorded, mask("hello"), SURE)
    assert again.to_json() == recorded
    with pytest.raises(RequestError, match="which this release refuses"):
        decide_again(_policy(tmp_path, unknown_values="refuse"), recorded, mask("hello"), SURE)
