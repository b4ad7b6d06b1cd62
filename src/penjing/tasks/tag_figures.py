"""Blocks of the report of the task `tag`: F1 by type, what the errors are, and what the probabilities of entities say.

Of entities that are not right, each is counted once:

    another type    the place of a gold entity, exactly
    other edges     not exactly the place of a gold entity, but it shares a character with one
    not there       no gold entity at the place
    missed          a gold entity without any answer at its place
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from penjing.core.answers import Span
from penjing.core.task import Section
from penjing.tasks.tag_spans import Entity

_BINS = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 1.000001)
_DIGITS = 4


def tag_figures(
    said: Sequence[Sequence[Span]], meant: Sequence[Sequence[Entity]], types: Sequence[str]
) -> tuple[Section, ...]:
    """The blocks; answers and gold of n texts."""
    return _by_type(said, meant, types), _errors(said, meant), _reliability(said, meant)


def _by_type(said: Sequence[Sequence[Span]], meant: Sequence[Sequence[Entity]], types: Sequence[str]) -> Section:
    hits, told, true, texts = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for answers, golds in zip(said, meant, strict=True):
        truth = set(golds)
        told.update(one.label for one in answers)
        true.update(label for _, _, label in golds)
        texts.update({label for _, _, label in golds})
        hits.update(one.label for one in answers if _place(one) in truth)
    rows = tuple(
        (
            label,
            float(texts[label]),
            float(true[label]),
            _ratio(hits[label], told[label]),
            _ratio(hits[label], true[label]),
            _ratio(2 * hits[label], told[label] + true[label]),
        )
        for label in sorted({*types, *true})
    )
    title = {"en": "Entities by type", "zh": "各类型的实体"}
    return Section("entities_by_type", "table", title, ("type", "rows", "entities", "precision", "recall", "F1"), rows)  # type: ignore[arg-type]


def _errors(said: Sequence[Sequence[Span]], meant: Sequence[Sequence[Entity]]) -> Section:
    found = Counter[str]()
    for answers, golds in zip(said, meant, strict=True):
        truth, places = set(golds), {(start, end) for start, end, _ in golds}
        for one in answers:
            if _place(one) in truth:
                found["right"] += 1
            elif (one.start, one.end) in places:
                found["another type"] += 1
            elif any(one.start < end and start < one.end for start, end, _ in golds):
                found["other edges"] += 1
            else:
                found["not there"] += 1
        found["missed"] += sum(
            not any(one.start < end and start < one.end for one in answers) for start, end, _ in golds
        )
    kinds = ("right", "another type", "other edges", "not there", "missed")
    title = {"en": "What the entities are", "zh": "实体判断的结果"}
    rows = tuple((kind, float(found[kind])) for kind in kinds)
    return Section("entity_errors", "table", title, ("result", "entities"), rows)  # type: ignore[arg-type]


def _reliability(said: Sequence[Sequence[Span]], meant: Sequence[Sequence[Entity]]) -> Section:
    pairs = [(one.p, _place(one) in set(golds)) for answers, golds in zip(said, meant, strict=True) for one in answers]
    rows = []
    for low, high in pairwise(_BINS):
        inside = [(p, right) for p, right in pairs if low <= p < high]
        if inside:
            mean, share = (sum(column) / len(inside) for column in zip(*inside, strict=True))
            name = f"{low:g} to {min(high, 1.0):g}"
            rows.append((name, float(len(inside)), round(mean, _DIGITS), round(share, _DIGITS)))
    title = {"en": "Entities by their probability", "zh": "各概率段的实体"}
    columns = ("probability", "entities", "mean probability", "right")
    return Section("entities_by_probability", "table", title, columns, tuple(rows))  # type: ignore[arg-type]


def _place(span: Span) -> Entity:
    return span.start, span.end, span.label


def _ratio(part: int, whole: int) -> float:
    return round(part / whole, _DIGITS) if whole else 0.0
