"""What is said to change a decision does change it, needs every piece that is deleted, and keeps to its bounds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from penjing.decide.decider import Decider, Request
from penjing.explain.counterfactual import counterfactual, in_chinese


@pytest.fixture(scope="module")
def decider(tiny_release) -> Decider:
    return Decider(tiny_release, threads=1)


FIELDS = {"channel": "app", "amount": 1.0}


def _decided(decider: Decider, text: str) -> tuple[dict[str, Any], str]:
    (made,) = decider.decide([Request(text, FIELDS)])
    return made.decision.to_json(), made.masked.text


@pytest.mark.parametrize(
    ("text", "removed"),
    [
        ("thanks mum, a lottery for you", ("lottery",)),
        ("明天开会，彩票在桌上，收到谢谢", ("彩票",)),
        ("see you at lunch 13812345678 meeting moved", ("⟦mobile⟧",)),
    ],
)
def test_the_word_of_a_rule_is_found(decider: Decider, text: str, removed: tuple[str, ...]) -> None:
    decision, masked = _decided(decider, text)
    found = counterfactual(decider, decision, masked)
    assert [piece.strip() for piece in found.removed] == list(removed)
    (again,) = decider.decide([Request(found.text, FIELDS)])
    assert (again.decision.outcome, again.decision.route) == (found.outcome, found.route)
    assert (found.outcome, found.route) != (decision["outcome"], decision["route"])


def test_several_words_are_found_together_and_each_is_needed(decider: Decider) -> None:
    decision, masked = _decided(decider, "win cash now urgent offer claim your reward free prize see you at lunch")
    assert (decision["outcome"], decision["route"]) == ("spam", "automatic")
    found = counterfactual(decider, decision, masked)
    assert len(found.removed) > 1 and not found.none
    (again,) = decider.decide([Request(found.text, FIELDS)])
    assert (again.decision.outcome, again.decision.route) == (found.outcome, found.route) != ("spam", "automatic")
    for piece in found.removed:
        left = [each for each in found.removed if each != piece]
        text = masked
        for each in left:
            text = text.replace(each, " ", 1)
        (made,) = decider.decide([Request(text, FIELDS)])
        assert (made.decision.outcome, made.decision.route) == ("spam", "automatic"), piece


def test_what_would_leave_another_text_is_not_shown(decider: Decider) -> None:
    decision, masked = _decided(decider, "免费领奖 点击链接中奖 限时优惠 " * 6)
    found = counterfactual(decider, decision, masked)
    assert found.none == "only deleting more than half of the words changes the decision"


def test_the_bounds_are_kept_and_said(decider: Decider) -> None:
    decision, masked = _decided(decider, "win cash now urgent offer claim your reward free prize " * 20)
    few = counterfactual(decider, decision, masked, most=8)
    assert few.texts <= 8 and few.none == "no change was found within the bounds of the search"
    late = counterfactual(decider, decision, masked, seconds=-1.0)
    assert (late.texts, bool(late.none)) == (0, True)
    assert late.to_json() == {"none": late.none, "texts": 0}


def test_a_case_that_only_the_audit_sent_to_a_person_is_as_if_it_was_not_drawn(decider: Decider) -> None:
    """Else every deletion would seem to keep the route."""
    drawn = replace(decider.policy, spec=decider.policy.spec.model_copy(update={"audit": 1.0}))
    decision, masked = _decided(decider, "a lottery")
    before = decider.policy
    decider.policy = drawn
    try:
        audited = drawn.decide(decision["id"], decision["facts"]).to_json()
        assert audited["reason"] == "audit"
        found = counterfactual(decider, audited, masked)
        assert found.removed == ("lottery",)
        note = f"compared with the decision before the draw for audit: `{decision['outcome']}`, automatic"
        assert found.to_json()["note"] == note
        assert in_chinese(found.to_json())["note"] == f"与抽检之前的决定相比：`{decision['outcome']}`，自动决定"
        none = counterfactual(decider, audited, masked, seconds=-1.0).to_json()
        assert none["note"] == note and in_chinese(none)["none"] == "在搜索的限度内没有找到改变"
        assert "note" not in counterfactual(decider, decision, masked).to_json()
    finally:
        decider.policy = before
