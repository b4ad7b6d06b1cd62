"""What goes between the service and the process of its slow lanes comes out as it went in."""

from __future__ import annotations

import pytest

from penjing.cases.record import Ask, work
from penjing.core.errors import DamageError, PenjingError, RequestError
from penjing.core.nouns import Release
from penjing.decide.decider import Decider
from penjing.explain.budget import EvidenceBudget
from penjing.serve.errors import AnswerError
from penjing.serve.messages import (
    answer_from_json,
    answer_to_json,
    ask_from_json,
    ask_to_json,
    decode,
    encode,
    error_from_json,
    error_to_json,
)


@pytest.mark.parametrize(
    "ask",
    [
        Ask("明天 \u2028 \ud800", {"channel": "网", "amount": 0.1, "vip": True, "count": None}, False),
        Ask("", {}, True, decide=False, index=3, count=7, budget=EvidenceBudget(1, 2, 0.25, 0.125)),
    ],
)
def test_asks(ask: Ask) -> None:
    assert ask_from_json(decode(encode(ask_to_json(ask)))) == ask


def test_answers_with_their_prepared_records(tiny_release: Release) -> None:
    decider = Decider(tiny_release, threads=1)
    texts = ["win cash now", "明天开会", "see you 13812345678"]
    asks = [Ask(text, {"channel": "web"}, evidence) for text in texts for evidence in (True, False)]
    asks.append(Ask("win cash", {}, False, decide=False))
    for answer in work(decider, asks):
        assert answer_from_json(decode(encode(answer_to_json(answer)))) == answer


@pytest.mark.parametrize(
    "error", [RequestError("no", where="request 2", fix="do"), DamageError("x"), PenjingError("y")]
)
def test_errors_keep_their_class_and_words(error: PenjingError) -> None:
    found = error_from_json(decode(encode(error_to_json(error))))
    assert type(found) is type(error)
    assert (found.what, found.where, found.fix) == (error.what, error.where, error.fix)


def test_an_error_of_another_module_becomes_the_common_one() -> None:
    found = error_from_json(error_to_json(AnswerError(503, "busy", "full", "later")))
    assert type(found) is PenjingError
    assert error_from_json({"kind": "shown", "what": "w", "where": None, "fix": None}).what == "w"
