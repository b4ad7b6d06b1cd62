"""Cells with `any of`, `all of`, `任一`, `全部` or a colon at their keyword, refused with the form that means it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from penjing.decide.keywords import Language, comparison_keys
from penjing.decide.listed import HAN, parts_of
from penjing.decide.plainly import Hint

Write = Callable[[str, str, Language], str]
_SAID = "says any or all in words that a rules file does not have"
_SIGNS = re.compile(r"[\\.^$*+?(){}\[\]]")  # of a regular expression, without the bar
# Quantifiers behind a keyword or at the beginning of a cell.
_ALL_ZH, _ANY_ZH = (
    r"全部的?|所有的?|每一?个",
    r"任[一意何]一?[个种]?|其中(?:之一|一个)|至少一个",
)
_ALL_OF, _ANY_OF = (
    r"(?:all|both|each|every\s+one)\s+of(?:\s+the)?",
    r"(?:any(?:\s+one)?|(?:at\s+least\s+)?one|either|some)\s+of(?:\s+the)?",
)
_ALL, _ANY = r"both|each|every|all", r"any(?:\s+one)?|either"
# Adverbs before a keyword, with the keyword that they make of it.
_BEFORE = (
    (r"(?:都|全都?|均|完全)不(?:包含|含有?)|任[一意何](?:一?个)?(?:都|均)?不(?:包含|含有?)", "not contains"),
    (r"不(?:都|全都|同时)(?:包含|含有?)", "not contains all"),
    (r"(?:都|全都?|全部|均|同时)(?:包含|含有?)", "contains all"),
    (r"(?:任[一意何](?:一?个)?|至少)(?:包含|含有?)", "contains"),
)
_AND, _OR = r"\s+and\s+|\s*[和与及且]\s*", r"\s+or\s+|\s*或者?\s*"


@dataclass(frozen=True)
class _Quantified:
    """A cell in its parts.

    quantity: "any", "all" or "" (a mark alone); said: the quantifier as it is written; mark: a colon or `=`.
    """

    key: str
    quantity: str
    said: str
    rest: str
    language: Language
    mark: str = ""


def in_quantity(plain: str, kind: str, known: Sequence[str], write: Write) -> Hint | None:
    """What is wrong with such a cell, and what to write; None for any other cell.

    kind: of the fact. known: its values, if they are listed: a cell of known values is none of these.
    """
    found = _adverb(plain) or _behind_keyword(plain, known) or _alone(plain)
    if kind == "str" and plain.startswith("="):
        return None
    if found is None or (not found.rest and found.key not in ("empty", "not empty")):
        return None
    key, rest = _key(found, kind), _rest(found, kind, known)
    exact = f"; `={plain[:60]}` means exactly that" if kind == "str" else ""
    if not found.quantity:
        return f"has `{found.mark}` behind its keyword", write(key, rest, found.language) + exact
    if key == "not contains" and found.quantity == "all":
        none, missing = write(key, rest, found.language), write(f"{key} all", rest, found.language)
        return _SAID, f"{none} where none of them may occur, {missing.removeprefix('write ')} where one may be missing"
    fix = write(key, rest, found.language)
    literal = f"{found.said} {found.rest}"
    if kind != "text" or not found.said or _SIGNS.search(literal):
        return _SAID, fix + exact
    pattern = f"^(?:{literal})" if "starts" in key else f"(?:{literal})"
    words = write("not matches" if key.startswith("not ") else "matches", pattern, found.language)
    return _SAID, f"{fix}, or {words.removeprefix('write ')} for exactly these words"


def _rest(found: _Quantified, kind: str, known: Sequence[str]) -> str:
    """What is compared, as a rules file lists it."""
    if found.key.endswith("matches"):
        return found.rest
    if kind in ("text", "str") or known:
        return "|".join(_words(found))
    return "|".join(part.strip() for part in found.rest.split("|"))


def _key(found: _Quantified, kind: str) -> str:
    """The keyword that means the cell."""
    negated = found.key.startswith(("not ", "!"))
    every = found.quantity == "all" and len(_words(found)) > 1
    if kind == "text" and found.key in ("in", "not in", "=", "!=", ""):
        base = "contains all" if every and not negated else "contains"
        return f"not {base}" if negated else base
    if found.key.endswith("contains all"):
        return found.key if len(_words(found)) > 1 else found.key.removesuffix(" all")
    if found.key == "contains" and every:
        return "contains all"
    if found.key in ("", "=", "!=") and (found.quantity or "|" in found.rest):
        return "not in" if negated else "in"
    return found.key


def _words(found: _Quantified) -> list[str]:
    parts = parts_of(found.rest)
    if len(parts) == 1 and found.quantity:
        parts = [part for part in re.split(_AND if found.quantity == "all" else _OR, parts[0]) if part] or parts
    return parts


def _adverb(plain: str) -> _Quantified | None:
    for pattern, key in _BEFORE:
        if found := re.fullmatch(rf"(?:{pattern})\s*:?\s*(.+)", plain, re.DOTALL):
            return _Quantified(key, "all" if key.endswith("all") else "any", "", found[1], "zh")
    return None


def _behind_keyword(plain: str, known: Sequence[str]) -> _Quantified | None:
    found = _keyword().match(plain)
    if found is None:
        return None
    word = re.sub(r"\s+", " ", found[0].strip()).lower()
    key, behind = comparison_keys()[word], plain[found.end() :]
    language: Language = "zh" if HAN.search(word) else "en"
    rest = behind.strip()
    if known and all(part.strip() in known for part in rest.split("|")):
        return None
    spaced = "" if key.endswith("matches") else r"|\s+[:=](?=\s|[\u4e00-\u9fff])"
    sign = re.match(rf"(?::|=+{spaced})\s*", behind)
    mark = sign[0].strip() if sign else ""
    if sign:
        rest = behind[sign.end() :].strip()
    glued = not behind[:1].isspace() and language == "zh"
    if not (mark or glued or behind[:1].isspace() or key in ("=", "!=")):
        return None
    if key.endswith(("contains all", "empty")):
        of = re.match(r"of\s+(?:the\s+)?:?\s*", rest, re.IGNORECASE) if language == "en" and "all" in key else None
        if of:
            return _Quantified(key, "all", f"all {of[0].strip()}", rest[of.end() :], language)
        return _Quantified(key, "", "", rest, language, mark) if mark else None
    said = _quantifier(rest, glued=glued)
    if said and not (key.endswith("matches") and said[0] == "all"):
        return _Quantified(key, said[0], said[1], said[2], language)
    return _Quantified(key, "", "", rest, language, mark) if mark else None


def _alone(plain: str) -> _Quantified | None:
    """`任一 a|b` without a keyword."""
    said = _quantifier(plain, glued=False)
    if said is None or ("|" not in said[2] and not said[1].lower().startswith(("both", "either"))):
        return None
    return _Quantified("", *said, "zh" if HAN.search(said[1]) else "en")


def _quantifier(rest: str, *, glued: bool) -> tuple[str, str, str] | None:
    """The quantity, the quantifier and what follows it; None where the words may be a phrase.

    glued: the quantifier is written onto a Chinese keyword, so that its words may be written onto it.
    """
    for quantity, chinese, of, plain in (("all", _ALL_ZH, _ALL_OF, _ALL), ("any", _ANY_ZH, _ANY_OF, _ANY)):
        if found := re.fullmatch(rf"({chinese})(?:\s*:\s*|\s+)(.+)", rest, re.DOTALL):
            return quantity, found[1], found[2]
        if glued and "|" in rest and (found := re.fullmatch(rf"({chinese})(.+)", rest, re.DOTALL)):
            return quantity, found[1], found[2]
        if found := re.fullmatch(rf"({of})(?:\s*:\s*|\s+)(.+)", rest, re.DOTALL | re.IGNORECASE):
            return quantity, found[1], found[2]
        if found := re.fullmatch(rf"({plain})(\s*:\s*|\s+)(.+)", rest, re.DOTALL | re.IGNORECASE):
            pair = (found[1].lower() == "both" and " and " in found[3]) or (
                found[1].lower() == "either" and " or " in found[3]
            )
            # `any 律师` is no phrase of either language; `any refund` may be one.
            if "|" in found[3] or ":" in found[2] or pair or HAN.match(found[3]):
                return quantity, found[1], found[3]
    return None


@cache
def _keyword() -> re.Pattern[str]:
    listed = sorted(comparison_keys(), key=len, reverse=True)
    words = "|".join(re.escape(word).replace(r"\ ", r"\s+") for word in listed if word not in ("=", "!="))
    return re.compile(rf"(?:{words})(?![a-z])|!?=(?![<>=])", re.IGNORECASE)
