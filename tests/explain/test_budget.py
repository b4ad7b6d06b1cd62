"""The bounds of evidence: texts, tokens and time; what is beyond them says so, and what is within is unchanged."""

from __future__ import annotations

import pytest

from penjing.explain.budget import EvidenceBudget, explain_within
from penjing.explain.evidence import explain
from penjing.runtime.session import Session

TEXT = "昨天到了，早餐太差，房间，快递"


def within(session: Session, text: str, budget: EvidenceBudget, place: int = 0):
    return explain_within(session, text, session.predict([text])[0], budget, place)


def test_within_its_bounds_evidence_is_what_it_was(session: Session) -> None:
    assert within(session, TEXT, EvidenceBudget(16, 4096, 60)) == explain(session, TEXT)
    assert "cut" not in explain(session, TEXT).to_json()


@pytest.mark.parametrize(
    ("budget", "place", "said"),
    [
        (EvidenceBudget(2, 4096, 60), 2, "evidence is given for the first 2 texts of a request"),
        (EvidenceBudget(2, 16, 60), 0, "evidence is given for texts of at most 16"),
        (EvidenceBudget(2, 4096, 60, spent=60), 0, "the time limit of 60 s for the evidence of a request was reached"),
    ],
)
def test_what_is_left_out_keeps_the_label_and_says_why(
    session: Session, budget: EvidenceBudget, place: int, said: str
) -> None:
    text = TEXT * 4
    found, label = within(session, text, budget, place), session.predict([text])[0].answer.top()
    assert (found.to_json()["label"], found.to_json()["p"]) == label
    assert found.spans == ()
    assert said in found.cut
    assert found.to_json()["cut"] == found.cut


def test_time_that_runs_out_on_the_way_cuts_evidence_short(session: Session) -> None:
    text = "，".join(["房间很干净", "早餐太差", "快递", "服务", "很好", "昨天"] * 60)
    whole, cut = explain(session, text), explain(session, text, stop=lambda: "no more")
    assert cut.cut == "no more"
    assert cut.answer == whole.answer
    assert set(cut.spans) < set(whole.spans), "the weights that are there are those of the whole evidence"
    assert explain(session, text, stop=lambda: "") == whole


def test_time_is_counted_over_the_texts_of_a_request(session: Session) -> None:
    budget = EvidenceBudget(16, 4096, 60)
    within(session, TEXT, budget)
    once = budget.spent
    within(session, TEXT, budget, 1)
    assert budget.spent > once > 0
