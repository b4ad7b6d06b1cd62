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

from penjing.core.answers import Span
from penjing.core.task import Section
from penjing.tasks.piece_figures import rows_by_label, rows_by_probability
from penjing.tasks.tag_spans import Entity


def tag_figures(
    said: Sequence[Sequence[Span]], meant: Sequence[Sequence[Entity]], types: Sequence[str]
) -> tuple[Section, ...]:
    """The blocks; answers and gold of n texts."""
    return _by_type(said, meant, types), _errors(said, meant), _reliability(said, meant)


def _by_type(said: Sequence[Sequence[Span]], meant: Sequence[Sequence[Entity]], types: Sequence[str]) -> Section:
    places = [[_place(one) for one in answers] for answers in said]
    rows = rows_by_label(places, meant, types, lambda entity: entity[2])
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
    title = {"en": "Entities by their probability", "zh": "各概率段的实体"}
    columns = ("probability", "entities", "mean probability", "right")
    return Section("entities_by_probability", "table", title, columns, rows_by_probability(pairs))  # type: ignore[arg-type]


def _place(span: Span) -> Entity:
    return span.start, span.end, span.label
