"""Gold of the task `triples`: the entities of a text and the relations between them as JSON, read in one form.

    {"entities": [{"start": 0, "end": 4, "label": "ORG"}, {"start": 10, "end": 14, "label": "ORG"}],
     "relations": [{"head": 0, "tail": 1, "label": "buys"}]}

Head and tail are places in the list of entities, counted from 0. Entities are sorted by place, relations by head, tail
and label, without blanks. A triple is (head, relation, tail) with the place and the type of both entities.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from penjing.core.errors import DataError, RequestError, shown
from penjing.core.json_signs import with_odd_sign
from penjing.core.task import MaskedText
from penjing.data.labels import LONGEST_LABEL, read_label
from penjing.tasks.tag_spans import Entity, each_key_once, read_entities

# (place of the head, relation, place of the tail) in the list of entities.
Relation = tuple[int, str, int]
Triple = tuple[Entity, str, Entity]
_KEYS = {"head", "tail", "label"}
_FORM = 'write {"entities": [{"start": 0, "end": 4, "label": "ORG"}, …], "relations": [{"head": 0, "tail": 1, "label": "buys"}]}'  # noqa: E501 - one example
_MOST = 10_000


@dataclass(frozen=True)
class Graph:
    """The entities of a text in their order, and the relations between them."""

    entities: tuple[Entity, ...] = ()
    relations: tuple[Relation, ...] = ()

    @property
    def triples(self) -> frozenset[Triple]:
        """Each relation with its two entities."""
        return frozenset((self.entities[head], label, self.entities[tail]) for head, label, tail in self.relations)

    def without(self, label: str) -> Graph:
        """The same without the relations of this label; all entities stay."""
        return Graph(self.entities, tuple(one for one in self.relations if one[1] != label))


def read_graph(cell: str, masked: MaskedText | None = None) -> Graph:
    """The entities and relations of a cell; with `masked`, places are moved from the user's text to the masked one.

    Raises DataError for another form, for places beyond the text, for entities that overlap, and for a relation of an
    entity that is not there or of an entity with itself.
    """
    try:
        value = json.loads(cell, object_pairs_hook=each_key_once)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict) or set(value) != {"entities", "relations"}:
        what = f"`{shown(cell.strip(), 40)}` is no JSON object with `entities` and `relations`"
        what = with_odd_sign(what, cell) if value is None else what
        raise DataError(what, fix=f"{_FORM}; files of annotated texts have it in the column `triples`")
    listed, relations = value["entities"], value["relations"]
    if not isinstance(relations, list) or len(relations) > _MOST:
        raise DataError(f"the relations are no list, or more than {_MOST:,}", fix=_FORM)
    plain = read_entities(json.dumps(listed))
    starts = [start for start, _, _ in plain]
    places = [starts.index(one["start"]) for one in listed]
    found = {_relation(one, places) for one in relations}
    moved = plain if masked is None else read_entities(json.dumps(listed), masked)
    return Graph(tuple(moved), tuple(sorted(found, key=lambda one: (one[0], one[2], one[1]))))


def write_graph(graph: Graph) -> str:
    """The canonical form of gold and outcomes, of a graph whose entities are in order."""
    value = {
        "entities": [{"start": start, "end": end, "label": label} for start, end, label in graph.entities],
        "relations": [
            {"head": head, "tail": tail, "label": label}
            for head, label, tail in sorted(graph.relations, key=lambda one: (one[0], one[2], one[1]))
        ],
    }
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _relation(value: Any, places: Sequence[int]) -> Relation:
    written = shown(json.dumps(value, ensure_ascii=False), 60)
    if not isinstance(value, dict) or set(value) != _KEYS or not isinstance(value["label"], str):
        raise DataError(f"the relation {written} has not the keys `head`, `tail` and `label` alone", fix=_FORM)
    head, tail = value["head"], value["tail"]
    if any(type(end) is not int or not 0 <= end < len(places) for end in (head, tail)):
        fix = "head and tail are places in the list of entities, counted from 0"
        raise DataError(f"the relation {written} names an entity that is not there", fix=fix)
    if head == tail:
        raise DataError(f"the relation {written} is of an entity with itself", fix="take it out")
    try:
        name = read_label(value["label"])
    except RequestError as error:
        raise DataError(error.what, fix=error.fix) from None
    if not name or len(name) > LONGEST_LABEL:
        raise DataError(f"the relation {written} has an empty or a very long label", fix="name the relation")
    return places[head], name, places[tail]
