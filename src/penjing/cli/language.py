"""The language of messages: `--lang`, else PENJING_LANG, else that of the system, else that of the texts.

Output for programs (JSON, exit codes, report.json) has no language.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Literal, get_args

from penjing.core.chinese import chinese, chinese_word
from penjing.core.errors import UsageError

Language = Literal["en", "zh"]
_HAN = re.compile("[\u4e00-\u9fff]")
_asked: Language | None = None
_followed: Language | None = None


def take_option(arguments: Sequence[str]) -> list[str]:
    """The command line without `--lang LANGUAGE`, which may be anywhere before `--`. Raises UsageError."""
    global _asked, _followed
    _asked = _followed = None
    end = arguments.index("--") if "--" in arguments else len(arguments)
    kept: list[str] = []
    before = iter(arguments[:end])
    for each in before:
        name, equals, value = each.partition("=")
        if name != "--lang":
            kept.append(each)
            continue
        if _asked is not None:
            raise UsageError("--lang is given twice", fix="keep one of the two")
        value = value if equals else next(before, "")
        if value not in get_args(Language):
            raise UsageError(f"there is no language `{value[:40]}`", fix="write `--lang zh` or `--lang en`")
        _asked = "zh" if value == "zh" else "en"
    return [*kept, *arguments[end:]]


def asked() -> Language | None:
    """The language that the command line or PENJING_LANG asks for."""
    return _asked or _from_setting()


def follow_texts(texts: Sequence[str]) -> None:
    """Use the language of these texts, if neither option, setting nor locale names one."""
    global _followed
    together = "".join(texts)
    _followed = "zh" if len(_HAN.findall(together)) > len(together) / 5 else "en"


def language() -> Language:
    """The language of messages now."""
    return asked() or _from_locale() or _followed or "en"


class Worded(str):
    """A line that has the reader's words already, such as one with cells of their file: it is not translated."""

    __slots__ = ()


def translate(text: str) -> str:
    """A sentence of the program, or several lines of them, in the language of messages."""
    return text if language() == "en" or isinstance(text, Worded) else chinese(text)


def translate_word(text: str) -> str:
    """One word of the program, such as the heading of a column, in that language."""
    return text if language() == "en" else chinese_word(text)


def _from_setting() -> Language | None:
    """The setting. It is read here because `serve/settings`, which checks it, is slow to load."""
    value = os.environ.get("PENJING_LANG", "").strip().lower()[:2]
    return "zh" if value == "zh" else "en" if value == "en" else None


def _from_locale() -> Language | None:
    """The language of the locale; None for C, POSIX and other languages."""
    given = next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := os.environ.get(name))), "")
    return "zh" if given.lower().startswith("zh") else "en" if given.lower().startswith("en") else None
