"""Digits with separators between them -> the personal numbers among them: by length, prefix and check digit.

A run is what a person may have written as one number: groups of digits with spaces, dashes, dots, slashes or brackets
between them. Every stretch of whole groups is a candidate; length, prefix and check digit say what it can be. Of
candidates that overlap, those are taken that cover the most digits, a resident ID before all others. Nothing here
changes once a release was made with it: another rule is another version.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from penjing.data.mask_v2_groups import DigitRun, FoundNumber
from penjing.data.mask_v2_kinds import numbers_at

_GAP = r"(?: {0,2}-{1,2} {0,2}| {1,3}|[./·_。]|\)(?: |-| - )?|[ -]?\()"
_RUN = re.compile(rf"[0-9]+(?:{_GAP}[0-9]+)*(?:{_GAP}?[Xx])?")
_GROUP = re.compile("[0-9]+|[Xx]")
# Groups of a number that stands among others, and among very many; one that stands alone may be written digit by digit.
_MOST_GROUPS, _FEW_GROUPS, _MANY = 8, 5, 64
_LEAST, _LONGEST = 10, 19  # digits of the shortest number that is looked for, and of the longest


def find_numbers(folded: str) -> list[tuple[int, int, str]]:
    """(start, end, kind) of the personal numbers of digits in a folded text, in their order."""
    found: list[tuple[int, int, str]] = []
    for match in _RUN.finditer(folded):
        if match.end() - match.start() >= _LEAST:
            found += _in_run(folded, match)
    return found


def _in_run(folded: str, match: re.Match[str]) -> list[tuple[int, int, str]]:
    places, begins, parts, gaps, ends = [], [0], [], [], {}
    behind = match.start()
    for number, group in enumerate(_GROUP.finditer(match.group())):
        place = match.start() + group.start()
        gaps.append(_gap(folded[behind:place]))
        places.append(place)
        parts.append(group.group())
        begins.append(begins[-1] + len(parts[-1]))
        ends[begins[-1]] = number
        behind = place + len(parts[-1])
    if begins[-1] < _LEAST or (len(parts) > _LONGEST and max(map(len, parts)) == 1):
        return []
    most = _MOST_GROUPS if len(parts) <= _MANY else _FEW_GROUPS
    run = DigitRun(folded, "".join(parts).upper(), begins, places, gaps, ends, len(parts) - 1, most)
    chosen = _best([each for group in _heads(run) for each in numbers_at(run, group)])
    followers = [each.first for each in chosen[1:]]
    return [(*_outer(run, each, to), each.kind) for each, to in zip(chosen, [*followers, len(parts)], strict=False)]


def _heads(run: DigitRun) -> Iterator[int]:
    """The groups that a number may begin with: enough digits follow in as many groups as it may have."""
    begins, count = run.begins, len(run.places)
    yield 0
    for group in range(1, count):
        reach = begins[min(group + run.most, count)] - begins[group]
        if reach >= _LEAST or count - group <= _LONGEST:
            yield group


def _gap(between: str) -> str:
    for mark in "(-./·_。":
        if mark in between or (mark == "(" and ")" in between):
            return mark
    return " " if between else ""


def _best(candidates: list[FoundNumber]) -> list[FoundNumber]:
    """Candidates that do not overlap, with the largest sum of scores (weighted interval scheduling)."""
    if len(candidates) < 2:
        return candidates
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
    """The number's place in the text with its plus sign, its brackets and the extension behind a dash.

    taken: the group with which the next number begins.
    """
    last = found.last
    follower = last + 1
    dashed = found.kind == "landline" and follower < taken and run.gaps[follower] == "-"
    if dashed and run.begins[follower + 1] - run.begins[follower] <= 5:
        last = follower
    start, end = run.places[found.first], run.place_after(last)
    if start and run.text[start - 1] == "+":
        start -= 1
    inside = run.text[start:end]
    if inside.count(")") > inside.count("(") and start and run.text[start - 1] == "(":
        start -= 1
    if inside.count("(") > inside.count(")") and run.text[end : end + 1] == ")":
        end += 1
    return start, end
