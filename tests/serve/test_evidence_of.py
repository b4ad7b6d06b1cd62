"""Evidence of one label over HTTP: the body asks for it, the engines get it, and an unknown label is a bad request."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.cases.record import Ask, work
from penjing.core.artifact import open_release
from penjing.core.errors import RequestError
from penjing.decide.decider import Decider
from penjing.explain.budget import EvidenceBudget
from penjing.serve.bodies import DecideMany, DecideOne, parse_items
from penjing.serve.errors import AnswerError
from penjing.serve.messages import ask_from_json, ask_to_json
from penjing.serve.settings import Settings

TEXT = "hello, my card is lost, why this fee"


@pytest.fixture(scope="module")
def decider() -> Decider:
    return Decider(open_release(Path(__file__).parents[1] / "golden" / "sixth" / "by-label"), threads=1)


def ask(about: str) -> Ask:
    return Ask(TEXT, {}, evidence=True, budget=EvidenceBudget(8, 512, 30.0), about=about)


def test_a_body_with_a_label_asks_for_evidence() -> None:
    settings = Settings()
    items, evidence, _ = parse_items({"text": TEXT, "evidence_of": "fees"}, DecideOne, DecideMany, settings)
    assert evidence and items[0].evidence_of == "fees"
    assert parse_items({"items": [TEXT], "evidence_of": "fees"}, DecideOne, DecideMany, settings)[1]
    assert not parse_items({"text": TEXT}, DecideOne, DecideMany, settings)[1]
    for wrong in ("", 3, ["fees"]):
        with pytest.raises(AnswerError):
            parse_items({"text": TEXT, "evidence_of": wrong}, DecideOne, DecideMany, settings)


def test_each_label_has_evidence_of_its_own(decider: Decider) -> None:
    for label, words in (("card", "my card is lost"), ("fees", "why this fee")):
        sent = ask_from_json(ask_to_json(ask(label)))
        assert sent.about == label
        evidence = work(decider, [sent])[0].shown["evidence"]
        assert evidence["about"] == label and evidence["spans"][0]["text"] in words


def test_an_unknown_label_is_a_bad_request_that_names_the_near_one(decider: Decider) -> None:
    with pytest.raises(RequestError, match="unknown label `cards`") as caught:
        work(decider, [ask("cards")])
    assert "card" in str(caught.value.fix)
