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

from penjing.core.answers import Link, Links, Span
from penjing.core.task import Section
from penjing.tasks.piece_figures import rows_by_label, rows_by_probability
from penjing.tasks.tag_spans import Entity
from penjing.tasks.triples_gold import Graph, Triple

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
    given = [[triple_of(link) for link in answer.links] for answer in said]
    rows = rows_by_label(given, [tuple(gold.triples) for gold in meant], relations, lambda triple: triple[1])
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
    title = {"en": "Triples by their probability", "zh": "各概率段的三元组"}
    columns = ("probability", "triples", "mean probability", "right")
    return Section("triples_by_probability", "table", title, columns, rows_by_probability(pairs))  # type: ignore[arg-type]
