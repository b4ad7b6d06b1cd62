"""The words of a cell in another syntax, without its comparison, and whether it denies: the last word on every hint.

A hint is made by the first syntax that fits, and a cell may mix several. So a hint whose words begin with a comparison
or a negation is replaced by one that is made of the bare words and of the number of negations before them.
"""

from __future__ import annotations

import re

from penjing.decide.keywords import Language, split_form
from penjing.decide.listed import HAN

Hint = tuple[str, str]  # what is wrong, and what to write
_DENIES = re.compile(r"(?:not\b|!=+|!|<>|≠|不是|没有(?=包含|含)|不(?=包含|含|属于|等于|匹配|在))\s*", re.IGNORECASE)
_COMPARES = re.compile(
    r"(?:i?like\b|contains?\b|includes?\b|in\b|is\b|equals?\b|==?|包含|含有?|属于|等于|在(?=\s))\s*", re.IGNORECASE
)
_SHOWN = re.compile(r"`([^`]+)`")
_SIGNS = "%*"
_SEVERAL = "says more than one comparison, and would be searched as one phrase"
_JOINED = re.compile(r"\s(?:and|or|but)\s|&&|\|\||[,，、;；]|或|但|且|[“”\"']", re.IGNORECASE)


def settled(found: Hint | None, plain: str, *, of_text: bool) -> Hint | None:
    """The hint for a cell of a text, or of a value that is compared whole, after a look at all of its negations."""
    language: Language = "zh" if HAN.search(plain) else "en"
    if found is None:
        return mixed_hint(plain, of_text, language)
    return (found[0], plain_hint(plain, of_text, language)) if is_unsafe(found[1]) else found


def is_unsafe(fix: str) -> bool:
    """Whether a form that a hint offers has a comparison or a negation among the words that would be searched."""
    for written in _SHOWN.findall(fix):
        form = split_form(written.removeprefix("="), joined=True)
        words = form.rest if form.key else ""
        if not written.startswith("=") and any(_begins(part) for part in words.split("|")):
            return True
    return False


def _begins(word: str) -> bool:
    word = word.strip()
    found = _DENIES.match(word) or _COMPARES.match(word)
    return found is not None and bool(found[0].strip()) and found.end() < len(word)


def plain_hint(plain: str, of_text: bool, language: Language) -> str:
    """What to write for a cell of a text, or of a value that is compared whole, with as many negations as it has."""
    rest, denied = plain.strip(), False
    while found := _DENIES.match(rest) or _COMPARES.match(rest):
        denied ^= _DENIES.match(rest) is not None
        rest = rest[found.end() :].strip()
    starts, ends = rest.endswith(tuple(_SIGNS)), rest.startswith(tuple(_SIGNS))
    words = rest.strip(_SIGNS).strip()
    zh = language == "zh"
    if (
        not words
        or _JOINED.search(words)
        or any(sign in words for sign in "%*!<>=≠")
        or (not of_text and rest != words)
    ):
        if of_text:
            return (
                "write the words alone behind `contains`, `not contains`, `contains all` or `starts`, a column for each"
            )
        return "write the values alone behind `=`, `!=`, `in` or `not in`: `in a|b`"
    if not of_text:
        several = "|" in words
        key = {
            (False, False): "", (False, True): "!=", (True, False): "属于 " if zh else "in ",
            (True, True): "不属于 " if zh else "not in ",
        }[several, denied]  # fmt: skip
        return f"write `{key}{words}`"
    kind = "starts" if starts and not ends else "matches" if ends and not starts else "contains"
    names = {"starts": ("开头是", "开头不是"), "matches": ("匹配", "不匹配"), "contains": ("包含", "不包含")}[kind]
    key = names[denied] if zh else f"{'not ' if denied else ''}{kind}"
    end = "$" if kind == "matches" else ""
    return f"write `{key} {words}{end}`"


_BUT = re.compile(r"[但而](?:不|没有?|又不)?(?:包含|含有?|提到)|\bbut\s+(?:not|no|without)\b", re.IGNORECASE)
_COUNTED = re.compile(r"\bat\s+least\s+\w+\s+of\b|至少\S{0,3}个", re.IGNORECASE)
_QUOTED = re.compile("[\"'“‘].*[\"'”’]", re.DOTALL)
_FILLED = re.compile(r"!\s*(?:empty|为空)|(?:!=|<>)\s*(?:\"\"|'')", re.IGNORECASE)
_AGAIN = re.compile(r"\s(?:and|or)\s+(?:!=|<>|not\b)", re.IGNORECASE)


def mixed_hint(plain: str, of_text: bool, language: Language) -> Hint | None:
    """What is wrong with a cell that can be read but mixes several comparisons, and what to write; None if none is."""
    form = split_form(plain, joined=of_text)
    if of_text and form.key and (_BUT.search(form.rest) or _COUNTED.match(form.rest)):
        return _SEVERAL, plain_hint("", of_text, language)
    if of_text:
        return None
    if _FILLED.fullmatch(plain):
        keyword = "不为空" if language == "zh" else "not empty"
        return "asks whether there is a value in other words", f"write `{keyword}`"
    if form.key in ("!=", "not in") and form.rest:
        parts = [part.strip() for part in form.rest.split("|")]
        if any(_QUOTED.fullmatch(part) for part in parts):
            bare = "|".join(part.strip("\"'“”‘’") for part in parts)
            return "has quotes, which would belong to the value", plain_hint(f"!={bare}", of_text, language)
        if _AGAIN.search(form.rest) or any(part.strip(_SIGNS) != part and part.strip(_SIGNS) for part in parts):
            return _SEVERAL, plain_hint("", of_text, language)
    return None
