"""Groups of digits with separators between them, and the numbers that are found among them, of the second masking."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FoundNumber:
    """A number of `kind` in groups [first, last]; `score` decides between two that overlap."""

    kind: str
    first: int
    last: int
    score: int


@dataclass(slots=True)
class DigitRun:
    """Groups of digits in a text.

    begins: place of each group in `digits`, and at the end the number of digits; places: of each group in the text;
    gaps: what is before each group, as one character (`(` for brackets).
    """

    text: str
    digits: str
    begins: list[int]
    places: list[int]
    gaps: list[str]
    ends: dict[int, int]  # where a group ends in `digits` -> the group
    last: int
    most: int  # groups of a number that has others beside it

    def place_after(self, group: int) -> int:
        """The place in the text behind a group."""
        return self.places[group] + self.begins[group + 1] - self.begins[group]

    def sizes(self, first: int, last: int, skipped: int = 0) -> tuple[int, ...]:
        """Digits of each group, without so many digits in front."""
        found = []
        for group in range(first, last + 1):
            size = self.begins[group + 1] - self.begins[group]
            taken = min(size, skipped)
            skipped -= taken
            if size > taken:
                found.append(size - taken)
        return tuple(found)

    def alone(self, first: int, last: int) -> bool:
        """Nothing beside these groups is written as if it belonged to them."""
        inside = set(self.gaps[first + 1 : last + 1]) or {self.gaps[first] if first else ""}
        before = first > 0 and self.gaps[first] in inside
        return not before and not (last < self.last and self.gaps[last + 1] in inside)
