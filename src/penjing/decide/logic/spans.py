"""Sets of whole numbers as inclusive ranges in rising order: what two have in common, and what only one has."""

from __future__ import annotations

from collections.abc import Iterable

from penjing.decide.condition import Ranges

Spans = tuple[tuple[int, int], ...]


def joined(ranges: Iterable[tuple[int, int]]) -> Spans:
    """Ranges in rising order, none of which touches the next; empty ones are left out."""
    found: list[tuple[int, int]] = []
    for low, high in sorted(each for each in ranges if each[0] <= each[1]):
        if found and low <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(high, found[-1][1]))
        else:
            found.append((low, high))
    return tuple(found)


def bounded(ranges: Ranges, limits: tuple[int, int]) -> Spans:
    """Ranges of a test within the limits of its fact; None is no bound."""
    least, most = limits
    return joined(
        (least if low is None else max(low, least), most if high is None else min(high, most)) for low, high in ranges
    )


def common(one: Spans, other: Spans) -> Spans:
    """The numbers that are in both."""
    found, i, j = [], 0, 0
    while i < len(one) and j < len(other):
        low, high = max(one[i][0], other[j][0]), min(one[i][1], other[j][1])
        if low <= high:
            found.append((low, high))
        if one[i][1] < other[j][1]:
            i += 1
        else:
            j += 1
    return tuple(found)


def without(one: Spans, other: Spans) -> Spans:
    """The numbers of the first that are not in the second."""
    found = []
    for low, high in one:
        start = low
        for first, last in other:
            if last < start or first > high:
                continue
            if first > start:
                found.append((start, first - 1))
            start = last + 1
        if start <= high:
            found.append((start, high))
    return tuple(found)
