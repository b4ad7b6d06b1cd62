"""Gold of triples: one form of what people write, places in the masked text, and what is refused."""

from __future__ import annotations

import json

import pytest

from penjing.core.errors import DataError
from penjing.data.mask import VERSION, open_masking
from penjing.tasks.triples_gold import Graph, read_graph, write_graph

BOLT, ACME = {"start": 10, "end": 14, "label": "ORG"}, {"start": 0, "end": 4, "label": "ORG"}


def cell(entities: object, relations: object) -> str:
    return json.dumps({"entities": entities, "relations": relations})


def test_entities_are_sorted_and_relations_follow_them() -> None:
    buys = {"head": 1, "tail": 0, "label": " buys "}
    found = read_graph(cell([BOLT, ACME], [buys, buys]))
    assert found == Graph(((0, 4, "ORG"), (10, 14, "ORG")), ((0, "buys", 1),))
    assert found.triples == {((0, 4, "ORG"), "buys", (10, 14, "ORG"))}
    assert read_graph(write_graph(found)) == found


def test_places_are_moved_to_the_masked_text() -> None:
    text = "13800138000 of Acme"
    entities = [{"start": 15, "end": 19, "label": "ORG"}, {"start": 0, "end": 11, "label": "PHONE"}]
    masked = open_masking(VERSION).prepare(text)
    found = read_graph(cell(entities, [{"head": 0, "tail": 1, "label": "has"}]), masked)
    assert [masked.text[start:end] for start, end, _ in found.entities] == ["⟦mobile⟧", "Acme"]
    assert found.relations == ((1, "has", 0),)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("[]", "no JSON object with `entities` and `relations`"),
        ("buys", "no JSON object"),
        (cell([ACME], [])[:-1] + ', "relations": []}', "the key `relations` occurs twice"),
        (cell([ACME], {}), "the relations are no list"),
        (cell([ACME, BOLT], [{"head": 0, "tail": 2, "label": "x"}]), "names an entity that is not there"),
        (cell([ACME, BOLT], [{"head": 0, "tail": True, "label": "x"}]), "names an entity that is not there"),
        (cell([ACME], [{"head": 0, "tail": 0, "label": "x"}]), "of an entity with itself"),
        (cell([ACME, BOLT], [{"head": 0, "tail": 1}]), "has not the keys"),
        (cell([ACME, BOLT], [{"head": 0, "tail": 1, "label": " "}]), "an empty or a very long label"),
        (cell([ACME, {**BOLT, "start": 3}], []), "overlap"),
        (cell([{**ACME, "end": 0}], []), "not two whole numbers"),
    ],
)
def test_what_is_no_gold_is_refused(written: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read_graph(written)
