"""The facts of an answer of `triples`: how many relations and entities of each kind, and where they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from penjing.core.answers import Links
from penjing.core.task import FactKind
from penjing.tasks.triples_figures import entity_of


def triple_kinds(types: Sequence[str], relations: Sequence[str]) -> dict[str, FactKind]:
    """Those that rules may name."""
    counts: dict[str, FactKind] = {f"relation.{label}.count": "count" for label in relations}
    counts |= {f"entity.{label}.count": "count" for label in types}
    return {"relations": "count", "entities": "count", "p": "unit", **counts}


def triple_facts(answer: Links, types: Sequence[str], relations: Sequence[str]) -> dict[str, Any]:
    """How many relations and entities, of all kinds and of each; p of the whole set; where they are, without any text.

    spans: [start, end, type] of each entity. links: [place of the head in spans, relation, place of the tail].
    """
    related, found = Counter(link.relation for link in answer.links), Counter(span.label for span in answer.spans)
    spans = list(answer.spans)
    return {
        "relations": len(answer.links),
        "entities": len(spans),
        "p": answer.p,
        **{f"relation.{label}.count": related[label] for label in relations},
        **{f"entity.{label}.count": found[label] for label in types},
        "spans": [list(entity_of(span)) for span in spans],
        "links": [[spans.index(link.head), link.relation, spans.index(link.tail)] for link in answer.links],
    }
