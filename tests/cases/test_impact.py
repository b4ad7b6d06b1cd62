"""Change impact: which recorded decisions another rule set would change, in groups with ids."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from penjing.cases.impact import Change, impact
from penjing.core.nouns import Prediction, Release
from penjing.decide.decider import Decider, Request
from penjing.decide.examine import load_rules
from penjing.decide.policy import Policy, load_policy


@dataclass(frozen=True)
class Kept:
    """A record as the store gives it."""

    decision: dict[str, Any]
    text: str | None
    prediction: Prediction

    def decided(self) -> dict[str, Any]:
        return self.decision

    def predicted(self) -> Prediction:
        return self.prediction


@pytest.fixture(scope="module")
def decider(tiny_release: Release) -> Decider:
    return Decider(tiny_release, threads=1)


@pytest.fixture(scope="module")
def records(decider: Decider) -> list[Kept]:
    texts = ["a lottery today", "see you at lunch", "call 13812345678", "free prize win cash now"] * 100
    asked = [Request(text, {"channel": "web"}, id=f"c{i}") for i, text in enumerate(texts)]
    return [Kept(each.decision.to_json(), each.masked.text, each.prediction) for each in decider.decide(asked)]


def amended(decider: Decider, folder: Path, rules: str) -> Policy:
    (folder / "new.csv").write_text(rules, encoding="utf-8")
    table = load_rules(folder / "new.csv", decider.policy.schema)
    return dataclasses.replace(decider.policy, rules=table, release_id="n" * 64)


def test_the_same_release_changes_nothing(decider: Decider, records: list[Kept]) -> None:
    found = impact(decider.policy, decider.session, records)
    assert (found.judged, found.changed, found.unjudged) == (400, 0, {})
    assert found.in_words() == "this would change 0 of 400 recorded decisions"


def test_new_rules_are_judged_case_by_case(decider: Decider, records: list[Kept], tmp_path: Path) -> None:
    policy = amended(
        decider, tmp_path, "name,text,then\nlottery,contains lottery,review\nlunch,contains lunch,review\n"
    )
    before = {each.decision["outcome"] for each in records if "lunch" in (each.text or "")}
    found = impact(policy, decider.session, records)
    groups = {str(change): ids for change, ids in found.changes.items()}
    assert before == {"ham"}
    assert groups["ham, automatic -> ham, review"] == [f"c{i}" for i in range(1, 400, 4)]
    assert sum(len(ids) for ids in groups.values()) == found.changed
    # The number in the third text was reviewed by a rule that is gone.
    assert any(change.route_before == "review" and change.route_after == "automatic" for change in found.changes)
    largest = found.to_json()["groups"][0]
    assert largest["count"] == 100 and len(largest["ids"]) == 100


def test_what_cannot_be_judged_is_counted(decider: Decider, records: list[Kept]) -> None:
    gone = dataclasses.replace(records[0], text=None)
    facts = {**records[1].decision["facts"], "fields": {"branch": "north"}}
    other = dataclasses.replace(records[1], decision={**records[1].decision, "facts": facts})
    found = impact(decider.policy, decider.session, [gone, other, records[2]])
    assert found.judged == 1
    assert found.unjudged == {"its fields do not fit this release": 1, "the text was not kept": 1}
    assert found.in_words() == (
        "this would change 0 of 1 recorded decisions; 2 could not be judged "
        "(its fields do not fit this release, the text was not kept)"
    )


def test_decisions_of_other_services_are_counted_only(decider: Decider, records: list[Kept]) -> None:
    other = dataclasses.replace(records[1], decision={**records[1].decision, "release": "o" * 64})
    found = impact(decider.policy, decider.session, [records[0], other], {"o" * 64})
    assert (found.judged, found.unjudged) == (1, {"another service decided it": 1})


def test_the_draw_for_audit_is_no_change(tiny_release: Release, decider: Decider, records: list[Kept]) -> None:
    policy = load_policy(tiny_release)
    always = dataclasses.replace(policy, spec=policy.spec.model_copy(update={"audit": 1.0}), release_id="x")
    drawn = [
        Kept(always.decide(each.decision["id"], each.decision["facts"]).to_json(), each.text, each.prediction)
        for each in records
    ]
    assert any(each.decision["reason"] == "audit" for each in drawn)
    assert impact(always, decider.session, drawn).changed == 0


def test_changes_sort_and_read() -> None:
    change = Change("ham", "spam", "review", "automatic")
    assert str(change) == "ham, review -> spam, automatic"


def test_a_recorded_text_is_masked_once_and_the_model_sees_what_the_rules_see(
    tiny_release: Release, records: list[Kept], maskings: list[str]
) -> None:
    decider = Decider(tiny_release, threads=1)
    seen: list[str] = []

    class Session:
        masking = decider.session.masking

        def predict(self, masked: Sequence[str], fields: object = None) -> list[Prediction]:  # noqa: ARG002
            seen.extend(masked)
            return decider.session.predict(masked)

    maskings.clear()
    late = dataclasses.replace(records[1], text="call 13812345678")  # as by a masking that did not find it
    impact(decider.policy, Session(), [records[0], late])
    assert maskings == [records[0].text, "call 13812345678"]
    assert seen == [records[0].text, "call ⟦mobile⟧"]
