"""Words that a person lists in other ways than `a|b`: by commas, AND and OR, in brackets and quotes."""

from __future__ import annotations

import re
from typing import Literal

HAN = re.compile("[\u4e00-\u9fff]")
Join = Literal["", "any", "all", "list"]
_LISTED = re.compile(r"\s*[,，、;；]\s*")
_AND = re.compile(r"\s+AND\s+|\s*&&\s*|\s+(?:且|并且|和|与|以及)\s+|(?<=[\u4e00-\u9fff])\s*[&+]\s*(?=[\u4e00-\u9fff])")
_OR = re.compile(r"\s+OR\s+|\s*\|\|\s*|\s+(?:或|或者)\s+|(?<=[\u4e00-\u9fff])\s*/\s*(?=[\u4e00-\u9fff])")
# Between Chinese words in Latin letters, or without spaces: a Chinese value hardly ever contains these.
_HAN_AND = re.compile(r"(?<=[\u4e00-\u9fff])(?:\s+and\s+|并且|且)(?=[\u4e00-\u9fff])", re.IGNORECASE)
_HAN_OR = re.compile(r"(?<=[\u4e00-\u9fff])(?:\s+or\s+|或者?)(?=[\u4e00-\u9fff])", re.IGNORECASE)
_JOINS: tuple[tuple[re.Pattern[str], Join], ...] = ((_AND, "all"), (_OR, "any"))
_HAN_JOINS: tuple[tuple[re.Pattern[str], Join], ...] = ((_HAN_AND, "all"), (_HAN_OR, "any"))
_QUOTED = re.compile("[\"'“‘「『](.+)[\"'”’」』]", re.DOTALL)
_BRACKETED = re.compile(r"[(\[{（【](.+)[)\]}）】]", re.DOTALL)
_REGULAR = re.compile(
    r"\.[*+?{]|(?<=[\u4e00-\u9fff])\$$|\\[dwsbDWSB]|\[\^|\[[^\]\s]-[^\]\s]\]|\(\?|^\^|[\u4e00-\u9fff)\]]\{\d|\)[*+?]|[\u4e00-\u9fff][*+]\S"
)
_SHORT = {True: 12, False: 4}  # longest word in a list of words, in characters: Latin, other scripts


def inside(written: str) -> str:
    """What is within brackets, or all of it; without a bracket that a function call left at the end."""
    found = _BRACKETED.fullmatch(written.strip())
    if found:
        return found[1].strip()
    plain = written.strip()
    return plain.removesuffix(")").strip() if plain.count(")") > plain.count("(") else plain


def unquoted(written: str) -> str:
    """What is within quotes, or all of it."""
    found = _QUOTED.fullmatch(written.strip())
    return found[1].strip() if found else written.strip()


def join_of(written: str) -> Join:
    """How the words of a list are joined: AND, OR, a comma; "" where it is no list in another syntax."""
    plain = inside(written)
    listed = inside(written) != written.strip() and "|" in plain
    for pattern, join in _JOINS:
        if pattern.search(plain):
            return join
    for pattern, join in _HAN_JOINS:
        if pattern.search(plain) and all(map(is_word, pattern.split(plain))):
            return join
    if "、" in plain or (_LISTED.search(plain) and all(is_word(unquoted(part)) for part in _LISTED.split(plain))):
        return "list"
    return "any" if listed else ""


def parts_of(written: str) -> list[str]:
    """The words of a list, however they are joined, without brackets and quotes."""
    pieces = [inside(written)]
    for mark in (_AND, _OR, _HAN_AND, _HAN_OR, _LISTED):
        pieces = [piece for part in pieces for piece in mark.split(part)]
    pieces = [unquoted(inside(piece)) for part in pieces for piece in re.split(r"[|｜]", part)]
    return [piece for piece in dict.fromkeys(pieces) if piece]


def joined(written: str) -> str:
    """The words of a list between bars."""
    return "|".join(parts_of(written))[:200] or "a|b"


def is_word(part: str) -> bool:
    """Whether a part of a list is as short as a word."""
    return 0 < len(part) <= _SHORT[part.isascii()] and " " not in part


def looks_regular(written: str) -> bool:
    """Whether a text holds signs that only a regular expression has."""
    return _REGULAR.search(written) is not None
