"""What an engine is asked and answers: places of errors, empty texts, evidence within its bounds, costs."""

from __future__ import annotations

import pytest

from penjing.cases.record import Ask, work
from penjing.core.errors import RequestError
from penjing.core.nouns import Release
from penjing.decide.decider import Decider
from penjing.explain.budget import EvidenceBudget
from penjing.explain.evidence import MOST_VARIANTS

FIELDS = {"channel": "web"}


@pytest.fixture(scope="module")
def decider(tiny_release: Release) -> Decider:
    return Decider(tiny_release, threads=1)


def test_an_error_names_the_place_in_the_request_and_not_in_the_pass(decider: Decider) -> None:
    asks = [Ask(text, FIELDS, False, index=200 + n, count=256) for n, text in enumerate(("fine", "a\x00b"))]
    with pytest.raises(RequestError) as caught:
        work(decider, asks)
    assert caught.value.where == "request 202"
    with pytest.raises(RequestError) as caught:
        work(decider, [Ask("a\x00b", FIELDS, False)])
    assert caught.value.where is None


@pytest.mark.parametrize("text", ["", "   ", "\u200b"])
def test_a_text_that_is_empty_is_refused_whether_it_is_decided_or_predicted(decider: Decider, text: str) -> None:
    for decide in (True, False):
        with pytest.raises(RequestError, match="the text is empty"):
            work(decider, [Ask(text, FIELDS, False, decide=decide)])


def test_decisions_and_predictions_share_a_pass(decider: Decider) -> None:
    asks = [Ask("win cash now", FIELDS, False), Ask("win cash now", {}, False, decide=False)]
    decided, predicted = work(decider, asks)
    assert decided.record is not None
    assert decided.record.record.predicted().to_json() == predicted.shown
    assert predicted.record is None
    assert (decided.shown["outcome"], decided.decided_by) == ("spam", decided.shown["decided_by"])


def test_evidence_beyond_its_bounds_is_marked_and_the_decision_stands(decider: Decider) -> None:
    budget = EvidenceBudget(1, 4096, 60)
    asks = [Ask("明天开会。win cash now", FIELDS, True, index=n, count=2, budget=budget) for n in range(2)]
    whole, left_out = (answer.shown for answer in work(decider, asks))
    assert "cut" not in whole["evidence"]
    assert whole["evidence"]["spans"]
    assert left_out["outcome"] == whole["outcome"]
    assert left_out["evidence"]["spans"] == []
    assert "the first 1 texts" in left_out["evidence"]["cut"]
    answer = work(decider, asks[1:])[0]
    assert answer.record is not None
    assert answer.record.record.evidence == answer.shown["evidence"]


def test_the_cost_is_characters_times_what_is_asked() -> None:
    assert Ask("x" * 100, {}, False).cost() == Ask("x" * 100, {}, False, decide=False).cost() == 100
    assert Ask("x" * 100, {}, True).cost() == 100 * (1 + MOST_VARIANTS)
    assert Ask("", {}, False).cost() == 1


def test_a_text_is_masked_once_whatever_is_asked_of_it(tiny_release: Release, maskings: list[str]) -> None:
    decider = Decider(tiny_release, threads=1)
    maskings.clear()
    answers = work(
        decider,
        [Ask("win cash now", FIELDS, False), Ask("call 13812345678", FIELDS, True), Ask("hi", {}, False, decide=False)],
    )
    assert sorted(maskings) == ["call 13812345678", "hi", "win cash now"]
    assert answers[1].shown["text"] == "call ⟦mobile⟧"


def test_an_answer_has_the_reason_of_the_rule_that_fired(decider: Decider) -> None:
    by_rule, by_model = work(decider, [Ask("13812345678", FIELDS, False), Ask("win cash now", FIELDS, False)])
    assert by_rule.shown["fired"] and by_rule.shown["rule_why"] == decider.policy.reasons[by_rule.shown["fired"][0]]
    assert by_rule.record is not None and "rule_why" not in by_rule.record.record.decided()
    assert not by_model.shown["fired"] and "rule_why" not in by_model.shown
    (lacking,) = work(decider, [Ask("win cash now", {}, False)])
    assert (lacking.shown["reason"], lacking.shown["fired"]) == ("missing_field", ["vip"])
    assert "rule_why" not in lacking.shown  # nobody knows whether the customer is one of these
