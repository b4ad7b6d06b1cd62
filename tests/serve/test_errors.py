"""One form for every error, valid whatever a client sent."""

from __future__ import annotations

import json

from penjing.serve.errors import MOST_FIX, MOST_MESSAGE, AnswerError, error_response


def test_an_error_has_its_four_parts_and_its_status() -> None:
    answer = error_response(413, "too_large", "too large", "send less", {"Retry-After": "1"})
    assert answer.status_code == 413 and answer.headers["retry-after"] == "1"
    told = json.loads(bytes(answer.body))
    assert told == {"error": {"type": "request", "code": "too_large", "message": "too large", "fix": "send less"}}


def test_chinese_is_readable_on_the_wire_and_a_lone_surrogate_is_escaped() -> None:
    raw = bytes(error_response(422, "field", "名称 \ud800", "改正").body)
    assert "名称 \\ud800" in raw.decode("utf-8") and "改正" in raw.decode("utf-8")
    assert json.loads(raw)["error"]["message"] == "名称 \ud800"


def test_a_status_that_is_not_known_is_the_servers() -> None:
    assert json.loads(bytes(error_response(599, "x", "y", "z").body))["error"]["type"] == "server"
    refusal = AnswerError(503, "busy", "wait", "later")
    assert (refusal.status, refusal.code, refusal.headers) == (503, "busy", {})


def test_an_error_is_bounded_whatever_was_sent() -> None:
    raw = bytes(error_response(422, "field", "名" * 10_000, "改" * 10_000).body)
    told = json.loads(raw)["error"]
    assert (len(told["message"]), len(told["fix"])) == (MOST_MESSAGE, MOST_FIX)
    assert told["message"].endswith(" …")
