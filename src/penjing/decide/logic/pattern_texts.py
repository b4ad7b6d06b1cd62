"""What the check of rules knows of regular expressions: where they are found, texts with them, words they need.

A short text for an expression is made from its own signs: literals, classes, groups, alternatives and repeats. What is
misread gives a text without a match, which is left out, so this may be simple.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from penjing.core.whole_number import whole_number
from penjing.decide.patterns import Patterns

# Readings of one pattern: which alternative is taken, and how often a part is repeated beyond the least.
_READINGS = ((0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (3, 0))
_CLASSES = {"d": "0", "w": "a", "s": " ", "D": "a", "W": "-", "S": "a"}
# RE2 refuses more; other braces are characters of the text.
_MOST_REPEATS = 1000
_NOTHING = "AzbB"  # escapes that stand for a place
# What depends on the text around a match.
_PLACES = re.compile(r"[$^]|\\[AzZbB]")
# Characters of a pattern that stand for themselves; one before a repeat that allows none is not needed.
_PLAIN = re.compile(r"[^\W_]+(?![?*])")
_OTHER_ESCAPES = re.compile(r"\\(?![dDwWsSbB]|[^\w\s])")
_CLASS = re.compile(r"\[\^?\]?[^\]]*\]")
_REPEATS = re.compile(r"\{\d*,?\d*\}")


class PatternTexts:
    """The patterns of a table."""

    def __init__(self, patterns: Sequence[str]) -> None:
        """Raises ValueError for a pattern that RE2 does not take."""
        self._patterns = Patterns(patterns)
        self._found: dict[str, frozenset[str]] = {}
        self._samples: dict[str, tuple[str, ...]] = {}

    def found(self, text: str) -> frozenset[str]:
        """The patterns that are found in a folded text."""
        if text not in self._found:
            self._found[text] = frozenset(self._patterns.found(text))
        return self._found[text]

    def found_around(self, piece: str) -> frozenset[str]:
        """The patterns that are found in every text which has this piece in it."""
        return frozenset(pattern for pattern in self.found(piece) if not _PLACES.search(pattern))

    def samples(self, pattern: str) -> tuple[str, ...]:
        """Texts in which the pattern is found, the simplest first; none where this finds none."""
        if pattern not in self._samples:
            texts = dict.fromkeys(_Reader(pattern, *reading).text() for reading in _READINGS)
            self._samples[pattern] = tuple(text for text in texts if text and pattern in self.found(text))
        return self._samples[pattern]


def needed(pattern: str) -> tuple[str, ...]:
    """Words that every text has in which the pattern is found: its plain characters outside of groups and classes.

    None where alternatives, or escapes of other kinds than a class, a place or a sign, leave it open here.
    """
    if "(?" in pattern or _OTHER_ESCAPES.search(pattern):
        return ()
    plain = _REPEATS.sub("?", _CLASS.sub(".", re.sub(r"\\.", ".", pattern)))
    outside, deep = "", 0
    for sign in plain:
        deep += (sign == "(") - (sign == ")")
        if not deep:
            outside += "." if sign == ")" else sign
    if "|" in outside or "{" in outside:
        return ()
    return tuple(found[0].casefold() for found in _PLAIN.finditer(outside))


class _Reader:
    """One reading of a pattern."""

    def __init__(self, pattern: str, alternative: int, more: int) -> None:
        self._pattern, self._alternative, self._more = pattern, alternative, more
        self._place = 0

    def text(self) -> str:
        """The text of this reading."""
        return self._alternatives()

    def _next(self) -> str:
        return self._pattern[self._place] if self._place < len(self._pattern) else ""

    def _take(self) -> str:
        self._place += 1
        return self._pattern[self._place - 1 : self._place]

    def _alternatives(self) -> str:
        found = [self._sequence()]
        while self._next() == "|":
            self._take()
            found.append(self._sequence())
        return found[self._alternative % len(found)]

    def _sequence(self) -> str:
        found = ""
        while self._next() not in ("", "|", ")"):
            part = self._part()
            found += part * self._times()
        return found

    def _part(self) -> str:
        sign = self._take()
        if sign == "(":
            return self._group()
        if sign == "[":
            return self._class()
        if sign == "\\":
            return self._escape()
        return {".": "的", "^": "", "$": ""}.get(sign, sign)

    def _group(self) -> str:
        if self._next() == "?":
            while self._next() not in ("", ":", ">", ")"):
                self._take()
            if self._next() in (":", ">"):
                self._take()
        found = self._alternatives()
        self._take()
        return found

    def _class(self) -> str:
        negated = self._next() == "^"
        if negated:
            self._take()
        signs = ""
        while self._next() and (self._next() != "]" or not signs):
            sign = self._take()
            signs += self._escape() if sign == "\\" else sign
        self._take()
        if negated:
            return next((sign for sign in "的a0 -" if sign not in signs), "")
        return signs[:1] if "-" in signs or not signs else signs[self._alternative % len(signs)]

    def _escape(self) -> str:
        sign = self._take()
        if sign in ("p", "P"):
            while self._next() not in ("", "}"):
                self._take()
            self._take()
            return "的"
        return "" if sign in _NOTHING else _CLASSES.get(sign, sign)

    def _times(self) -> int:
        least, most = 1, 1
        if self._next() in ("?", "*", "+"):
            least, most = {"?": (0, 1), "*": (0, 3), "+": (1, 3)}[self._take()]
        elif self._next() == "{":
            end = self._pattern.find("}", self._place)
            low, comma, high = self._pattern[self._place + 1 : max(end, 0)].partition(",")
            at_least, at_most = (whole_number(each, 0, _MOST_REPEATS) for each in (low, high))
            if end < 0 or at_least is None:
                return 1
            self._place = end + 1
            least = at_least
            most = at_most if at_most is not None else least + 3 if comma else least
        if self._next() == "?":
            self._take()
        return min(least + self._more, most)
