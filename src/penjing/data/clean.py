"""A text as all later steps get it: one kind of space and of line end, no invisible characters, its case kept."""

from __future__ import annotations

import re
import unicodedata

from penjing.core.errors import RequestError
from penjing.data.offsets import Edit, Edits

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]+")
# Nearly every text has none of these and skips the other steps.
_SUSPECT = re.compile(
    "[\x00-\x1f\x7f-\xa0\xad\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ud800-\udfff]|  |^ | $"
)
_FORBIDDEN = re.compile("[\x00\ud800-\udfff]")
# White space and control characters, by number, so that cleaning does not depend on the version of Python.
_BLANK = "[\x01- \x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
# Those that are not already one space, or one line end, between words.
_BLANKS = re.compile(f"{_BLANK}(?:{_BLANK}+|(?<![ \n])|(?<=^[ \n])|\\Z)")
_LINE_END = re.compile("[\n\r\x0b\x0c\x85\u2028\u2029]")
# Characters that composition may change or join, with the one before them; all others stay as they are.
_MAY_COMPOSE = re.compile("[^\x00-\u02ff\u4e00-\u9fff\uff00-\uffef]+")
# Characters of combining class 0 that compose with the one before them, in addition to the vowels and finals of Hangul.
_JOINING = frozenset(
    "\u09be\u09d7\u0b3e\u0b56\u0b57\u0bbe\u0bd7\u0cc2\u0cd5\u0cd6\u0d3e\u0d57\u0dcf\u0ddf\u102e\u1b35"
    "\U00011127\U0001133e\U00011357\U000114b0\U000114ba\U000114bd\U000115af\U00011930"
)


def clean(text: str) -> str:
    """The text with white space, line ends and composed characters unified and invisible characters removed.

    Idempotent. Runs of spaces become one, runs of line ends one; other control characters become a space.
    Raises RequestError for NUL and lone surrogates, which no tokenizer and no database takes.
    """
    return clean_with_edits(text)[0]


def clean_with_edits(text: str) -> tuple[str, tuple[Edits, ...]]:
    """The same, and what was replaced in each pass."""
    if not _SUSPECT.search(text):
        if text.isascii() or unicodedata.is_normalized("NFC", text):
            return text, ()
        composed, edits = _compose(text)
        if not _SUSPECT.search(composed):
            return composed, (edits,)
    refused = _FORBIDDEN.search(text)
    if refused:
        code = ord(refused.group())
        name = "a NUL character" if code == 0 else f"a lone surrogate (\\u{code:04x})"
        raise RequestError(
            f"the text has {name} at character {refused.start() + 1}",
            fix="remove it; it usually comes from a file that was cut or read in a wrong encoding",
        )
    passes: list[Edits] = []
    for one_pass in (_without_invisible, _compose, _with_single_blanks):
        text, edits = one_pass(text)
        if edits:
            passes.append(edits)
    return text, tuple(passes)


def _without_invisible(text: str) -> tuple[str, Edits]:
    edits = [(*found.span(), 0) for found in _INVISIBLE.finditer(text)]
    return (_INVISIBLE.sub("", text) if edits else text), edits


def _with_single_blanks(text: str) -> tuple[str, Edits]:
    """White space in one form: a run of it is one line end where it has one, else one space; none at both ends."""
    pieces: list[str] = []
    edits: list[Edit] = []
    done, length = 0, len(text)
    for found in _BLANKS.finditer(text):
        start, end = found.span()
        written = "" if start == 0 or end == length else "\n" if _LINE_END.search(found.group()) else " "
        pieces += [text[done:start], written]
        edits.append((start, end, len(written)))
        done = end
    return "".join([*pieces, text[done:]]), edits


def _compose(text: str) -> tuple[str, Edits]:
    """The text in normal form C, and the pieces that this changed, each a character with its marks."""
    composed = unicodedata.normalize("NFC", text)
    if composed == text:
        return text, ()
    pieces: list[str] = []
    edits: list[Edit] = []
    done = 0
    for run in _MAY_COMPOSE.finditer(text):
        for start, end in _clusters(text, max(run.start() - 1, 0), run.end()):
            written = unicodedata.normalize("NFC", text[start:end])
            if written != text[start:end]:
                pieces += [text[done:start], written]
                edits.append((start, end, len(written)))
                done = end
    if "".join([*pieces, text[done:]]) != composed:  # characters that are newer than the list above
        return composed, [(0, len(text), len(composed))]
    return composed, edits


def _clusters(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """The characters between two places, each with the marks that follow it."""
    heads = [start]
    for place in range(start + 1, end):
        mark = text[place]
        if not (unicodedata.combining(mark) or mark in _JOINING or "\u1161" <= mark <= "\u11ff"):
            heads.append(place)
    return list(zip(heads, [*heads[1:], end], strict=True))
