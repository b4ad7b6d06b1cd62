"""Blocks of the report of the task `triples`: scores of each relation, what the errors are, and what probabilities say.

A triple of an answer that is not right, and a triple of gold that no answer has, is counted once, by the first kind
that fits:

    other direction     gold has this relation between the two entities the other way round
    another relation    else, gold has a relation between them in this direction
    no relation         gold has both entities, and no relation between them
    entity wrong        head or tail is not exactly an entity of gold
    entity missed       a gold triple whose head or tail was not found exactly
    relation missed     a gold triple whose entities were found
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from penjing.core.answers import Link, Links, Span
from penjing.core.task import Section
from penjing.tasks.tag_spans import Entity
from penjing.tasks.triples_gold import Graph, Triple

_BINS = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 1.000001)
_DIGITS = 4
_KINDS = (
    "right", "another relation", "other direction", "no relation", "entity wrong", "entity missed", "relation missed",
)  # fmt: skip


def entity_of(span: Span) -> Entity:
    """Place and type of a span."""
    return span.start, span.end, span.label


def triple_of(link: Link) -> Triple:
    """Head, relation and tail of a link."""
    return entity_of(link.head), link.relation, entity_of(link.tail)


def triples_figures(said: Sequence[Links], meant: Sequence[Graph], relations: Sequence[str]) -> tuple[Section, ...]:
    """The blocks; answers and gold of n texts."""
    return _by_relation(said, meant, relations), _errors(said, meant), _reliability(said, meant)


def _by_relation(said: Sequence[Links], meant: Sequence[Graph], relations: Sequence[str]) -> Section:
    hits, given, true, texts = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for answer, gold in zip(said, meant, strict=True):
        truth = gold.triples
        given.update(link.relation for link in answer.links)
        true.update(label for _, label, _ in truth)
        texts.update({label for _, label, _ in truth})
        hits.update(link.relation for link in answer.links if triple_of(link) in truth)
    rows = tuple(
        (
            label,
            float(texts[label]),
            float(true[label]),
            _ratio(hits[label], given[label]),
            _ratio(hits[label], true[label]),
            _ratio(2 * hits[label], given[label] + true[label]),
        )
        for label in sorted({*relations, *true})
    )
    title = {"en": "Triples by relation", "zh": "各关系的三元组"}
    columns = ("relation", "rows", "triples", "precision", "recall", "F1")
    return Section("triples_by_relation", "table", title, columns, rows)  # type: ignore[arg-type]


def _errors(said: Sequence[Links], meant: Sequence[Graph]) -> Section:
    found = Counter[str]()
    for answer, gold in zip(said, meant, strict=True):
        truth, entities = gold.triples, set(gold.entities)
        related = {(head, tail) for head, _, tail in truth}
        for head, relation, tail in map(triple_of, answer.links):
            if (head, relation, tail) in truth:
                found["right"] += 1
            elif (tail, relation, head) in truth:
                found["other direction"] += 1
            elif (head, tail) in related:
                found["another relation"] += 1
            else:
                found["no relation" if head in entities and tail in entities else "entity wrong"] += 1
        given, seen = {triple_of(link) for link in answer.links}, {entity_of(span) for span in answer.spans}
        for head, _, tail in truth - given:
            found["relation missed" if head in seen and tail in seen else "entity missed"] += 1
    title = {"en": "What the triples are", "zh": "三元组判断的结果"}
    rows = tuple((kind, float(found[kind])) for kind in _KINDS)
    return Section("triple_errors", "table", title, ("result", "triples"), rows)  # type: ignore[arg-type]


def _reliability(said: Sequence[Links], meant: Sequence[Graph]) -> Section:
    pairs = [
        (link.p, triple_of(link) in gold.triples)
        for answer, gold in zip(said, meant, strict=True)
        for link in answer.links
    ]
    rows = []
    for low, high in pairwise(_BINS):
        inside = [(p, right) for p, right in pairs if low <= p < high]
        if inside:
            mean, share = (sum(column) / len(inside) for column in zip(*inside, strict=True))
            name = f"{low:g} to {min(high, 1.0):g}"
            rows.append((name, float(len(inside)), round(mean, _DIGITS), round(share, _DIGITS)))
    title = {"en": "Triples by their probability", "zh": "各概率段的三元组"}
    columns = ("probability", "triples", "mean probability", "right")
    return Section("triples_by_probability", "table", title, columns, tuple(rows))  # type: ignore[arg-type]


def _ratio(part: int, whole: int) -> float:
    return round(part / whole, _DIGITS) if whole else 0.0
