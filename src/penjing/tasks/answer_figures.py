"""Blocks of the report of the task `answer`: what the answers are, and what their probabilities say.

F1 of a place with a right one = 2 common characters / (characters of both);   the best of all right ones
of no answer: 1 where there is none, else 0
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from penjing.core.answers import Spans
from penjing.core.task import Section

Place = tuple[int, int]
_BINS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 1.000001)
_DIGITS = 4


def overlap(said: Place | None, right: Sequence[Place]) -> float:
    """The best F1 in characters of a place with the right ones."""
    if said is None or not right:
        return float(said is None and not right)
    common = ((max(min(said[1], end) - max(said[0], start), 0), end - start) for start, end in right)
    return max(2 * shared / (said[1] - said[0] + length) for shared, length in common)


def answer_figures(said: Sequence[Spans], right: Sequence[Sequence[Place]]) -> tuple[Section, ...]:
    """The blocks; answers of n questions, and the places of the right ones."""
    places = [(one.spans[0].start, one.spans[0].end) if one.spans else None for one in said]
    return _by_kind(places, right), _errors(places, right), _reliability(said, places, right)


def _is_right(place: Place | None, right: Sequence[Place]) -> bool:
    return place in right if place is not None else not right


def _by_kind(places: Sequence[Place | None], right: Sequence[Sequence[Place]]) -> Section:
    rows = []
    for name, wanted in (("with an answer", True), ("without an answer", False)):
        own = [(place, golds) for place, golds in zip(places, right, strict=True) if bool(golds) is wanted]
        if own:
            exact = sum(_is_right(*each) for each in own) / len(own)
            f1 = sum(overlap(*each) for each in own) / len(own)
            rows.append((name, float(len(own)), round(exact, _DIGITS), round(f1, _DIGITS)))
    title = {"en": "Questions with and without an answer", "zh": "有答案与无答案的问题"}
    return Section("answers_by_kind", "table", title, ("questions", "rows", "exact match", "F1"), tuple(rows))  # type: ignore[arg-type]


def _errors(places: Sequence[Place | None], right: Sequence[Sequence[Place]]) -> Section:
    kinds = ("right", "other edges", "another place", "not answered", "answered without an answer")
    found = dict.fromkeys(kinds, 0)
    for place, golds in zip(places, right, strict=True):
        found[_kind(place, golds)] += 1
    title = {"en": "What the answers are", "zh": "答案判断的结果"}
    rows = tuple((kind, float(count)) for kind, count in found.items())
    return Section("answer_errors", "table", title, ("result", "rows"), rows)  # type: ignore[arg-type]


def _kind(place: Place | None, right: Sequence[Place]) -> str:
    if _is_right(place, right):
        return "right"
    if place is None:
        return "not answered"
    if not right:
        return "answered without an answer"
    return "other edges" if overlap(place, right) else "another place"


def _reliability(said: Sequence[Spans], places: Sequence[Place | None], right: Sequence[Sequence[Place]]) -> Section:
    pairs = [(one.p, _is_right(place, golds)) for one, place, golds in zip(said, places, right, strict=True)]
    rows = []
    for low, high in pairwise(_BINS):
        inside = [(p, hit) for p, hit in pairs if low <= p < high]
        if inside:
            mean, share = (sum(column) / len(inside) for column in zip(*inside, strict=True))
            name = f"{low:g} to {min(high, 1.0):g}"
            rows.append((name, float(len(inside)), round(mean, _DIGITS), round(share, _DIGITS)))
    title = {"en": "Answers by their probability", "zh": "各概率段的答案"}
    columns = ("probability", "rows", "mean probability", "right")
    return Section("answers_by_probability", "table", title, columns, tuple(rows))  # type: ignore[arg-type]
