"""Counts of relations and entities of each kind, and their places; no word of the text."""

from __future__ import annotations

from penjing.core.answers import Link, Links, Span
from penjing.tasks.triples_facts import triple_facts, triple_kinds

ACME, BOLT, CITY = Span(0, 4, "firm", 0.9), Span(10, 14, "firm", 0.8), Span(18, 22, "place", 0.7)


def test_each_kind_is_counted_and_the_ends_are_places_in_the_list_of_entities() -> None:
    answer = Links((Link(BOLT, "owns", ACME, 0.6), Link(ACME, "in", CITY, 0.9)), 0.5, (ACME, BOLT, CITY))
    assert triple_facts(answer, ("firm", "place", "sum"), ("owns", "in", "pays")) == {
        "relations": 2,
        "entities": 3,
        "p": 0.5,
        "relation.owns.count": 1,
        "relation.in.count": 1,
        "relation.pays.count": 0,
        "entity.firm.count": 2,
        "entity.place.count": 1,
        "entity.sum.count": 0,
        "spans": [[0, 4, "firm"], [10, 14, "firm"], [18, 22, "place"]],
        "links": [[1, "owns", 0], [0, "in", 2]],
    }


def test_what_rules_may_name_is_what_is_counted() -> None:
    kinds = triple_kinds(("firm",), ("owns",))
    facts = triple_facts(Links((), 0.9), ("firm",), ("owns",))
    assert kinds.keys() == facts.keys() - {"spans", "links"}
    assert kinds["p"] == "unit" and {kind for fact, kind in kinds.items() if fact != "p"} == {"count"}
    assert [facts[fact] for fact in ("relations", "entities", "relation.owns.count", "entity.firm.count")] == [0] * 4
