"""Which language a request prefers, and that only the words of an error follow it."""

from __future__ import annotations

import json
from contextvars import copy_context
from typing import Any

import pytest

from penjing.serve.errors import error_response
from penjing.serve.http_language import follow_request, in_its_language, in_language, prefers_chinese


@pytest.mark.parametrize(
    ("header", "chinese"),
    [
        ("zh", True),
        ("zh-CN,zh;q=0.9,en;q=0.8", True),
        ("ZH-hans-CN", True),
        ("fr, zh;q=0.5", True),
        ("zh;q=0.5, en", False),
        ("en-US,en;q=0.9,zh;q=0.9", False),
        ("zh;q=0", False),
        ("*", False),
        ("", False),
        ("zhx", False),
        ("zh;q=x", False),
        (", ".join(["fr"] * 50) + ", zh", False),
    ],
)
def test_what_a_header_prefers(header: str, chinese: bool) -> None:
    assert prefers_chinese(header) is chinese


def _answer(headers: list[tuple[bytes, bytes]]) -> Any:
    def made() -> Any:
        follow_request(headers)
        return error_response(422, "bad_request", "unknown key `evidance`", "did you mean `evidence`?")

    return copy_context().run(made)


def test_only_the_words_are_translated() -> None:
    english, chinese = _answer([]), _answer([(b"accept-language", b"zh-CN")])
    assert json.loads(english.body)["error"] == {
        "type": "request",
        "code": "bad_request",
        "message": "unknown key `evidance`",
        "fix": "did you mean `evidence`?",
    }
    assert json.loads(chinese.body)["error"] == {
        "type": "request",
        "code": "bad_request",
        "message": "未知的键 `evidance`",
        "fix": "是不是想写 `evidence`？",
    }
    assert chinese.headers["content-language"] == "zh" and "content-language" not in english.headers
    assert chinese.headers["vary"] == english.headers["vary"] == "Accept-Language"


def test_a_language_outside_of_a_request_does_not_last() -> None:
    made = in_language(True, lambda: error_response(405, "method", "this address does not take that method", "see"))
    assert made.headers["content-language"] == "zh"
    assert in_its_language("this address does not take that method") == (
        "this address does not take that method",
        False,
    )


def test_words_without_a_chinese_form_stay_english() -> None:
    def asked() -> tuple[str, bool]:
        follow_request([(b"accept-language", b"zh")])
        return in_its_language("something else")

    assert copy_context().run(asked) == ("something else", False)
