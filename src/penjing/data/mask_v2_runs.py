"""Masking version 2: finds the personal numbers among digits and separators by length, prefix and check digit.

A run is what a person may have written as one number: groups of digits with spaces, dashes, dots, slashes, brackets or
line ends between them. Every run of whole groups is a candidate; length, prefix and check digit say what it can be.
Of candidates that overlap, those that cover the most digits are taken, a resident ID before all others. Nothing
here changes once a release was made with it: another rule is another version.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace

from penjing.data.mask_v2_arrays import read_groups_by_arrays
from penjing.data.mask_v2_groups import DigitRun, FoundNumber, read_groups
from penjing.data.mask_v2_kinds import numbers_at

LONG = 3000  # characters from which arrays are faster
_BEFORE, _BEHIND = 340, 180  # how far the rules look, and more
_KEPT = 500


def find_numbers(folded: str, long: int = LONG) -> list[tuple[int, int, str]]:
    """(start, end, kind) of the personal numbers of digits in a folded text, in their order."""
    run = read_groups(folded) if len(folded) < long else read_groups_by_arrays(folded)
    if run is None:
        return []
    long_text = len(folded) >= long
    chosen = _best(
        _by_surroundings(run) if long_text else [each for group in run.heads for each in numbers_at(run, group)]
    )
    if not chosen:
        return []
    followers = [*(each.first for each in chosen[1:]), len(run.places)]
    return [(*_outer(run, each, to), each.kind) for each, to in zip(chosen, followers, strict=True)]


def _by_surroundings(run: DigitRun) -> list[FoundNumber]:
    """The candidates of a long text. A group that repeats with the same text around it is decided once."""
    found: list[FoundNumber] = []
    known: dict[tuple[bool, str, str], list[FoundNumber]] = {}
    for group in run.heads:
        place = run.places[group]
        key = run.crowded(group), run.text[max(0, place - _BEFORE) : place], run.text[place : place + _BEHIND]
        judged = known.get(key)
        if judged is None:
            judged = [replace(each, first=0, last=each.last - group) for each in numbers_at(run, group)]
            if len(known) < _KEPT:
                known[key] = judged
        found += [FoundNumber(each.kind, group, group + each.last, each.score, each.tail) for each in judged]
    return found


def _best(candidates: list[FoundNumber]) -> list[FoundNumber]:
    """Candidates that do not overlap, with the largest sum of scores. They come in the order of their first groups."""
    chosen: list[FoundNumber] = []
    cluster: list[FoundNumber] = []
    reach = -1
    for each in candidates:
        if each.first > reach and cluster:
            chosen += cluster if len(cluster) == 1 else _heaviest(cluster)
            cluster = []
        cluster.append(each)
        reach = max(reach, each.last)
    return chosen + (cluster if len(cluster) < 2 else _heaviest(cluster))


def _heaviest(candidates: list[FoundNumber]) -> list[FoundNumber]:
    """Weighted interval scheduling."""
    ordered = sorted(candidates, key=lambda each: each.last)
    lasts = [each.last for each in ordered]
    sums: list[int] = [0]
    taken: list[int] = []
    for number, each in enumerate(ordered):
        before = bisect_right(lasts, each.first - 1, 0, number)
        with_it = sums[before] + each.score
        taken.append(before if with_it > sums[-1] else -1)
        sums.append(max(with_it, sums[-1]))
    chosen, number = [], len(ordered)
    while number:
        before = taken[number - 1]
        if before >= 0:
            chosen.append(ordered[number - 1])
        number = before if before >= 0 else number - 1
    return chosen[::-1]


def _outer(run: DigitRun, found: FoundNumber, taken: int) -> tuple[int, int]:
    """The number's place in the text, with its plus sign, its brackets and the extension after a dash.

    taken: the group with which the next number begins.
    """
    last = found.last
    follower = last + 1
    if found.kind == "landline" and follower < taken and run.gap(follower) == "-":
        last = follower if run.begins[follower + 1] - run.begins[follower] <= 5 else last
    text = run.text
    start, end = run.places[found.first], run.place_after(last) + found.tail
    before = text[start - 1] if start else ""
    if before == "+":
        start -= 1
        before = text[start - 1] if start else ""
    inside = text[start:end]
    opened, closed = inside.count("("), inside.count(")")
    if closed > opened and before == "(":
        start -= 1
    if opened > closed and text[end : end + 1] == ")":
        end += 1
    return start, end
