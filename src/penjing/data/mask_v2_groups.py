"""Masking version 2: groups of digits with separators between them, and the numbers found among them.

A short text is split here, a long one in `mask_v2_arrays`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, field

from penjing.data.mask_v2_tables import MANY

# What may be between two groups of one number. `RARE` marks count only in the usual shapes.
RARE = ",:|*~+\\"
GAP = re.compile(
    r" {0,2}-{1,2} {0,2}| {1,4}| ?-?\n{1,2} ?|[./·_。]|\)(?: |-| - )?|[ -]?\(|[,:|*~+\\] ?"
)  # fmt: skip
_RUN = re.compile(rf"[0-9]+(?:(?:{GAP.pattern})[0-9]+)*")
_GROUP = re.compile("[0-9]+")
LEAST = 10  # digits of the shortest number that is looked for


@dataclass(frozen=True, slots=True)
class FoundNumber:
    """A number of `kind` in groups [first, last]; `score` decides between two that overlap.

    tail: characters behind the last group that belong to it (the X of a resident ID and the gap before it).
    """

    kind: str
    first: int
    last: int
    score: int
    tail: int = 0


@dataclass(slots=True)
class DigitRun:
    """The groups of digits of a text.

    begins: place of each group in `digits`, and at the end the number of digits; places: of each group in the text.
    """

    text: str
    digits: str
    begins: list[int]
    places: list[int]
    heads: list[int]  # groups that a number may begin with
    marks: str = ""  # of a long text: what is before each group where that is one character, else `?`
    known: dict[int, str] = field(default_factory=dict)
    extent: tuple[int, int] = (0, -1)  # groups of the run that was asked for last

    def gap(self, group: int) -> str:
        """What is before a group, as one character (`(` for brackets); "" where nothing joins it to the one before."""
        if self.marks and group < len(self.places) and self.marks[group] in _ONE:
            return self.marks[group]
        found = self.known.get(group)
        if found is None:
            found = ""
            if 0 < group < len(self.places):
                between = self.text[self.place_after(group - 1) : self.places[group]]
                found = between if between in _ONE else _gap(between)
            self.known[group] = found
        return found

    def gaps(self, first: int, last: int) -> list[str]:
        """The gaps within groups [first, last]."""
        return [self.gap(group) for group in range(first + 1, last + 1)]

    def place_after(self, group: int) -> int:
        """The place in the text behind a group."""
        return self.places[group] + self.begins[group + 1] - self.begins[group]

    def last_of(self, first: int, length: int) -> int | None:
        """The last group of `length` digits from a group on; None if they do not end with a group."""
        end = self.begins[first] + length
        if end > self.begins[-1]:
            return None
        follower = bisect_left(self.begins, end, first)
        return follower - 1 if self.begins[follower] == end else None

    def sizes(self, first: int, last: int, skipped: int = 0) -> tuple[int, ...]:
        """The number of digits of each group, without the first `skipped` digits."""
        found = []
        for group in range(first, last + 1):
            size = self.begins[group + 1] - self.begins[group]
            taken = min(size, skipped)
            skipped -= taken
            if size > taken:
                found.append(size - taken)
        return tuple(found)

    def alone(self, first: int, last: int) -> bool:
        """Whether no group next to these is written as if it belonged to them."""
        before, inside = self.gap(first), set(self.gaps(first, last))
        if not inside:
            return not before
        return before not in inside and self.gap(last + 1) not in inside

    def crowded(self, group: int) -> bool:
        """Whether the group is one of very many, as in a table of numbers."""
        low, high = self.extent
        if not low <= group <= high:
            low = high = group
            while self.gap(low):
                low -= 1
            while self.gap(high + 1):
                high += 1
            self.extent = low, high
        return high - low >= MANY


_ONE = frozenset(" -./·_。\n")


def _gap(between: str) -> str:
    if GAP.fullmatch(between) is None:
        return ""
    for mark in "\n(-./·_。" + RARE:
        if mark in between or (mark == "(" and ")" in between):
            return mark
    return " "


def read_groups(text: str) -> DigitRun | None:
    """The groups of a folded text that number enough digits, or None where there are none."""
    parts: list[str] = []
    places: list[int] = []
    heads: list[int] = []
    for run in _RUN.finditer(text):
        start, end = run.span()
        if end - start < LEAST:
            continue
        kept = len(parts)
        for group in _GROUP.finditer(text, start, end):
            places.append(group.start())
            parts.append(group.group())
        heads += range(kept, len(parts))
    if not parts:
        return None
    begins = [0]
    for part in parts:
        begins.append(begins[-1] + len(part))
    return DigitRun(text, "".join(parts), begins, places, heads)
