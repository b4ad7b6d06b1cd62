"""Places in a text before and after parts of it were replaced: spans of the user's text and of the masked text convert
both ways.

Places count characters (code points), as Python's `str` does. Between the replaced stretches the characters of the two
texts correspond one to one.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter

from penjing.core.errors import RequestError

# (start, end, length): this stretch of a text is replaced by so many characters. A pass lists them in order.
Edit = tuple[int, int, int]
Edits = Sequence[Edit]
# (raw start, raw end, masked start, masked end).
Stretch = tuple[int, int, int, int]
Span = tuple[int, int]


@dataclass(frozen=True)
class OffsetMap:
    """The replaced stretches, in order; a stretch that was removed is empty in the masked text."""

    raw_length: int
    masked_length: int
    stretches: tuple[Stretch, ...] = ()

    @classmethod
    def of(cls, passes: Sequence[Edits], masked_length: int) -> OffsetMap:
        """The map of several passes over one text, each of which edits what the pass before it gave."""
        lengths = [masked_length]
        for edits in reversed(passes):
            lengths.append(lengths[-1] + sum(end - start - length for start, end, length in edits))
        lengths.reverse()
        found = cls(lengths[0], lengths[0])
        for edits, length in zip(passes, lengths[1:], strict=True):
            found = found.then(cls(found.masked_length, length, _placed(edits)))
        return found

    def then(self, other: OffsetMap) -> OffsetMap:
        """This map, followed by a map of its masked text. Replaced stretches that overlap become one.

        Raises ValueError where the other map is not one of a text of that length.
        """
        if self.masked_length != other.raw_length:
            raise ValueError(f"a map onto {self.masked_length} characters, followed by one of {other.raw_length}")
        if not self.stretches:
            return other
        if not other.stretches:
            return OffsetMap(self.raw_length, other.masked_length, self.stretches)
        return OffsetMap(self.raw_length, other.masked_length, _joined(self.stretches, other.stretches))

    def to_masked(self, start: int, end: int) -> Span:
        """The span of the masked text that holds this span of the raw text.

        A span that touches a replaced stretch is widened to the whole stretch. Raises RequestError for a span that is
        empty, beyond the text, or that holds removed characters only.
        """
        _check(start, end, self.raw_length, "text")
        found = _convert(start, end, self._raw, self._masked)
        if found[0] == found[1]:
            raise RequestError(
                f"the span {start}..{end} holds only characters that are removed before the text is read",
                fix="give a span of visible characters: spaces at the ends and invisible characters are removed",
            )
        return found

    def to_raw(self, start: int, end: int) -> Span:
        """The span of the raw text from which this span of the masked text was made.

        A span that touches a placeholder is widened to all that it replaced. Removed characters at the edges of the
        span are left out. Raises RequestError for a span that is empty or beyond the text.
        """
        _check(start, end, self.masked_length, "masked text")
        return _convert(start, end, self._masked, self._raw)

    @cached_property
    def _raw(self) -> _Side:
        return [one[0] for one in self.stretches], [one[1] for one in self.stretches]

    @cached_property
    def _masked(self) -> _Side:
        return [one[2] for one in self.stretches], [one[3] for one in self.stretches]


# The starts of all stretches in one of the texts, and their ends.
_Side = tuple[list[int], list[int]]


def _check(start: int, end: int, length: int, name: str) -> None:
    if not 0 <= start <= end <= length:
        raise RequestError(
            f"the span {start}..{end} is not within the {name}, which has {length:,} characters",
            fix="count characters from 0; the end is the place after the last one",
        )
    if start == end:
        raise RequestError(
            f"the span {start}..{end} is empty",
            fix="give the start of the first character and the place after the last one",
        )


def _convert(start: int, end: int, one: _Side, other: _Side) -> Span:
    """A span of one text in the other: both ends are moved by the replaced stretches before them."""
    starts, ends = one
    passed = bisect_right(ends, start)
    if passed < len(starts) and starts[passed] <= start:
        first = other[0][passed]
    else:
        first = start + (other[1][passed - 1] - ends[passed - 1] if passed else 0)
    met = bisect_left(starts, end)
    if not met:
        return first, end
    last = max(end - ends[met - 1], 0)
    return first, other[1][met - 1] + last


def _placed(edits: Edits) -> tuple[Stretch, ...]:
    """The edits of one pass with their places in its result."""
    found, moved = [], 0
    for start, end, length in edits:
        found.append((start, end, start + moved, start + moved + length))
        moved += length - (end - start)
    return tuple(found)


def _joined(before: Sequence[Stretch], after: Sequence[Stretch]) -> tuple[Stretch, ...]:
    """The stretches of two maps in a row, clustered by their places in the text between them."""
    # (start, end) in the text between; by how much each lengthened the way to it, and from it on.
    between = [(b0, b1, (b1 - b0) - (a1 - a0), 0) for a0, a1, b0, b1 in before]
    between += [(b0, b1, 0, (c1 - c0) - (b1 - b0)) for b0, b1, c0, c1 in after]
    between.sort(key=itemgetter(0, 1))
    found: list[Stretch] = []
    grown_before = grown_after = 0  # of all stretches before the cluster
    place = 0
    while place < len(between):
        low, high, to_it, from_it = between[place]
        place += 1
        # A stretch that is empty here joins only from the inside: at an edge it is a separate removal.
        while place < len(between) and between[place][0] < high:
            high = max(high, between[place][1])
            to_it += between[place][2]
            from_it += between[place][3]
            place += 1
        start, written = low - grown_before, low + grown_after
        grown_before += to_it
        grown_after += from_it
        found.append((start, high - grown_before, written, high + grown_after))
    return tuple(found)
