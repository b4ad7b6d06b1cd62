"""Rows of a table by the value of one fact: for each number, or each listed value, the rows that it does not refuse.

A set of rows is one whole number, whose bit i is the i-th row in the order of decision.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence

from penjing.decide.condition import Ranges

# So many changed rows are listed before the set is stored anew. A set for every bound would take a megabyte for each
# thousand bounds of a table with 8,000 rows.
_LISTED = 6


class NumberAxis:
    """The rows that a number does not refuse: those without a test of it (`untested`), and those whose tests hold."""

    def __init__(self, rows: int, tests: Mapping[int, Sequence[Ranges]]) -> None:
        """rows: of the table. tests: for each row that tests the number, ranges of which it must meet each; the bounds
        are inclusive, None is no bound.
        """
        changes: dict[int, list[int]] = {}
        held = self.untested = (1 << rows) - 1
        for row in tests:
            self.untested ^= 1 << row
        for row, each in tests.items():
            held ^= 1 << row
            for low, high in common(each):
                if low is None:
                    held |= 1 << row
                else:
                    changes.setdefault(low, []).append(row)
                if high is not None:
                    changes.setdefault(high + 1, []).append(row)
        self._edges = sorted(changes)
        # Of each cell between two bounds: a set that several cells share, and the rows in which this cell differs.
        self._cells: list[tuple[int, tuple[int, ...]]] = [(held, ())]
        for edge in self._edges:
            stored, listed = self._cells[-1]
            listed = (*listed, *changes[edge])
            self._cells.append((stored, listed) if len(listed) <= _LISTED else (_changed(stored, listed), ()))

    def at(self, number: int) -> int:
        """The rows that this number does not refuse."""
        return _changed(*self._cells[bisect_right(self._edges, number)])

    def cell(self, number: int) -> tuple[int | None, int | None]:
        """The bounds of the rows around a number: the last one that it reaches, the first one that it does not."""
        place = bisect_right(self._edges, number)
        return self._edges[place - 1] if place else None, self._edges[place] if place < len(self._edges) else None


class ValueAxis:
    """The rows that a listed value does not refuse, and those without a test of it (`untested`)."""

    def __init__(
        self, rows: int, known: Collection[object], tests: Mapping[int, Sequence[tuple[frozenset[object], bool]]]
    ):
        """known: the listed values. tests: for each row that tests the fact, pairs of values and whether these are the
        ones refused.
        """
        free = (1 << rows) - 1
        for row in tests:
            free ^= 1 << row
        self._other = self.untested = free
        self._of = dict.fromkeys(known, free)
        for row, each in tests.items():
            for value in known:
                if all((value in values) != negated for values, negated in each):
                    self._of[value] |= 1 << row
            if all(negated for _, negated in each):
                self._other |= 1 << row

    def at(self, value: object) -> int:
        """The rows that this value does not refuse."""
        return self._of.get(value, self._other)


def common(tests: Sequence[Ranges]) -> list[tuple[int | None, int | None]]:
    """The numbers that are in each of several unions of ranges, as disjoint ranges in rising order, none adjacent."""
    found = joined(tests[0])
    for other in tests[1:]:
        found = [meet for one in found for two in joined(other) if (meet := _meet(one, two)) is not None]
    return found


def joined(ranges: Ranges) -> list[tuple[int | None, int | None]]:
    """A union of ranges as disjoint ranges in rising order, none adjacent to the next; empty ranges are left out."""
    whole = [(low, high) for low, high in ranges if low is None or high is None or low <= high]
    found: list[tuple[int | None, int | None]] = []
    for low, high in sorted(whole, key=lambda each: (each[0] is not None, each[0] or 0)):
        if found and (found[-1][1] is None or low is None or low <= found[-1][1] + 1):
            before = found[-1][1]
            found[-1] = (found[-1][0], None if before is None or high is None else max(before, high))
        else:
            found.append((low, high))
    return found


def _meet(
    one: tuple[int | None, int | None], two: tuple[int | None, int | None]
) -> tuple[int | None, int | None] | None:
    lows = [each for each in (one[0], two[0]) if each is not None]
    highs = [each for each in (one[1], two[1]) if each is not None]
    low, high = max(lows, default=None), min(highs, default=None)
    return None if low is not None and high is not None and low > high else (low, high)


def _changed(held: int, rows: Sequence[int]) -> int:
    for row in rows:
        held ^= 1 << row
    return held
