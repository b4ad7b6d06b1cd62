"""Facts about entities and ends of relations: of the first piece, from the text, None where there is none."""

from __future__ import annotations

from penjing.core.answers import Link, Span
from penjing.tasks.piece_facts import end_facts, end_types, end_values, entity_facts, entity_values, piece_bounds

TEXT = "Acme pays $ 40 to Bolt and $ 7 to Core"
ACME, BOLT, CORE = Span(0, 4, "firm", 0.9), Span(18, 22, "firm", 0.8), Span(34, 38, "firm", 0.7)
SUMS = (Span(10, 14, "sum", 0.9), Span(27, 30, "sum", 0.6))


def test_of_a_type_the_first_words_and_the_extreme_numbers() -> None:
    types = ("firm", "sum", "place")
    assert entity_facts(("sum",)) == {"entity.sum.text": "str", "entity.sum.min": "float", "entity.sum.max": "float"}
    found = entity_values((ACME, SUMS[0], BOLT, SUMS[1]), TEXT, types)
    assert found.keys() == entity_facts(types).keys()
    assert (found["entity.firm.text"], found["entity.firm.min"], found["entity.firm.max"]) == ("Acme", None, None)
    assert (found["entity.sum.text"], found["entity.sum.min"], found["entity.sum.max"]) == ("$ 40", 7.0, 40.0)
    assert {found[f"entity.place.{what}"] for what in ("text", "min", "max")} == {None}


def test_of_a_relation_both_ends_of_its_first_triple() -> None:
    links = (Link(ACME, "pays", BOLT, 0.5), Link(BOLT, "pays", CORE, 0.9))
    assert end_values(links, TEXT, ("pays", "owns")) == {
        "relation.pays.head.text": "Acme",
        "relation.pays.head.type": "firm",
        "relation.pays.tail.text": "Bolt",
        "relation.pays.tail.type": "firm",
        "relation.owns.head.text": None,
        "relation.owns.head.type": None,
        "relation.owns.tail.text": None,
        "relation.owns.tail.type": None,
    }
    assert end_values((), TEXT, ("pays",)) == dict.fromkeys(end_facts(("pays",)))


def test_the_types_of_ends_are_listed_and_their_texts_are_not() -> None:
    assert end_types(("pays",), ("firm", "sum")) == {
        "relation.pays.head.type": ("firm", "sum"),
        "relation.pays.tail.type": ("firm", "sum"),
    }


def test_a_fact_has_a_value_only_where_its_count_is_not_0() -> None:
    bounds = piece_bounds(("sum",), ("pays",))
    assert bounds.rising == (("entity.sum.min", "entity.sum.max"),)
    assert bounds.pieces == dict.fromkeys(entity_facts(("sum",)), "entity.sum.count") | dict.fromkeys(
        end_facts(("pays",)), "relation.pays.count"
    )
    assert piece_bounds(("sum",)).pieces.keys() == entity_facts(("sum",)).keys()
