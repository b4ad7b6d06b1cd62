"""The language of an error's words: English, or Chinese where the request prefers it (`Accept-Language`, RFC 9110).

Only `message` and `fix` are translated; `type` and `code`, which programs read, are not. A refusal because of a head
that cannot be read is in English.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from contextvars import ContextVar, copy_context
from typing import TypeVar

from penjing.core.chinese import chinese

_PREFERS_CHINESE: ContextVar[bool] = ContextVar("prefers_chinese", default=False)
_RANGE = re.compile(r"\s*(zh|en|\*)\b[-a-z0-9]*\s*(?:;\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*)?", re.IGNORECASE)
_MOST_RANGES = 20
Made = TypeVar("Made")
_LONGEST = 300  # characters of a message that are looked up; an answer shows fewer


def follow_request(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Set the language of this context to the one that the request headers prefer."""
    _PREFERS_CHINESE.set(headers_prefer_chinese(headers))


def headers_prefer_chinese(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether the request headers prefer Chinese."""
    value = next((value for name, value in headers if name == b"accept-language"), b"")
    return bool(value) and prefers_chinese(value.decode("latin-1"))


def in_language(chinese: bool, make: Callable[[], Made]) -> Made:
    """What `make` returns in this language, outside the context of a request."""

    def made() -> Made:
        _PREFERS_CHINESE.set(chinese)
        return make()

    return copy_context().run(made)


def prefers_chinese(header: str) -> bool:
    """Whether Chinese has a higher weight than English in an `Accept-Language`, or the same and comes first."""
    weights: dict[str, float] = {}
    for part in header.split(",")[:_MOST_RANGES]:
        if found := _RANGE.fullmatch(part):
            weights.setdefault(found[1].lower(), float(found[2] or 1))
    best = max(weights, key=lambda name: weights[name], default="")
    return best == "zh" and weights["zh"] > 0


def in_its_language(text: str) -> tuple[str, bool]:
    """The text of an error in the language of this context, and whether it is Chinese."""
    if not _PREFERS_CHINESE.get() or len(text) > _LONGEST:
        return text, False
    translated = chinese(text)
    return translated, translated != text
