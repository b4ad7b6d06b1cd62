"""Negations in words and signs other than those of a rules file, which no hint may turn into their opposite."""

from __future__ import annotations

import re
from collections.abc import Sequence

FLAGS = re.DOTALL | re.IGNORECASE
TAIL = r"\s*[:：(]?\s*(.+)"
_AUXILIARY = (
    r"(?:(?:does|do|did|should|must|can|could|would|shall|may|is|are)(?:\s+not|n'?t|n’t)|cannot|must\s+never|never)"
)
_HOLD = r"(?:contain(?:s|ing|ed)?|includ(?:es?|ing|ed)|holds?|have|has|having|mention(?:s|ing)?|i?like)"
# That a text holds something, denied: clear even where the rest could be a value.
_HOLDS_NOT = (
    rf"(?:{_AUXILIARY}\s+{_HOLD}\b|(?:is\s+)?not?\s+\(?\s*{_HOLD}\b|not\s+(?:any\s+of|exists?)\b|!\s*{_HOLD}\b|lacks\b"
    r"|contains?\s+none\s+of\b|excludes?\b|excluding\b"
    r"|(?:不|未|没有?|不能|不要|不可|不应|不得|无|禁止|切勿)\s*(?:包含|含有?|包括|提到|提及|出现)|不能有|不可有)"
)
# Of a text, which is never compared whole, these deny too.
_OF_TEXT = (
    r"(?:!=+|<>|≠|!|(?:is\s+)?not\b(?:\s+(?:in|equals?(?:\s+to)?)\b)?|isn'?t\b|no\b|non-|none\s+of\b|neither\b|nor\b|never\b|ne\b"
    r"|without\b|except(?:\s+for)?\b|other\s+than\b|anything\s+but\b|没有|不要|无|禁止|排除|不是|不为|不等于|不属于|不在|不开头是|非)"
)
HOLDS_NOT = re.compile(rf"{_HOLDS_NOT}{TAIL}", FLAGS)
TEXT_NOT = re.compile(rf"{_OF_TEXT}{TAIL}", FLAGS)
BUT = re.compile(r"除了?\s*(.+?)\s*(?:以外|之外|外)|除了\s*(.+)", re.DOTALL)
# Of a value: what follows is the value that is denied.
VALUE_NOT = re.compile(
    r"(?:!=+|<>|≠|!\s*(?=\S)|NOT\s+(?:IN\b\s*)?|not\s+in\b\s*|not\s+(?=[\u4e00-\u9fff])|(?:none\s+of|neither|nor|never|not\s+any\s+of)\s+"
    r"|不是|不等于|不在|不为|不属于|排除|禁止|(?:非|无)\s+|(?:no|ne|without)\s+(?=[\u4e00-\u9fff])"
    r"|(?:[iI]s\s+not(?:\s+in\b)?|isn'?t|except(?:\s+for)?|other\s+than|anything\s+but|excluding|exclude|not\s+equals?(?:\s+to)?)\s+)"
    r"\s*(.+?)\s*(?:之?中|里)?",
    re.DOTALL,
)
# These may also begin a value, as in `无锡`.
MAY_DENY = re.compile(r"(?:没有|不要|非|无|不)\s*(.+)", re.DOTALL)
_MARKS = re.compile(
    r"\b(?:not|no|non|ne|never|neither|nor|none|without|except|exclud\w*|other\s+than|but|lacks|cannot)\b|n['’]?t\b"
    r"|[!~^≠]|<>|[不非没无未除]|禁止|排除|切勿",
    re.IGNORECASE,
)


def known_in(plain: str, known: Sequence[str]) -> list[str]:
    """The known values that a cell names and denies; nothing where it names none, or denies nothing."""
    named: list[str] = []
    rest = plain
    for value in sorted(known, key=len, reverse=True):
        found = re.search(_as_word(value), rest, re.IGNORECASE)
        if found:
            named.append(value)
            rest = f"{rest[: found.start()]} {rest[found.end() :]}"
    return [value for value in known if value in named] if _MARKS.search(rest) else []


def _as_word(value: str) -> str:
    """The value, in Latin letters only as a word of its own."""
    return rf"(?<![A-Za-z0-9]){re.escape(value)}(?![A-Za-z0-9])"
