"""Entities certified one by one: scopes, probabilities, units and what is right, by hand."""

from __future__ import annotations

import pytest

from penjing.core.answers import Span, Spans
from penjing.core.itemwise import MOST_ITEMS, ItemwiseTask, SaidItem
from penjing.core.task import Unit
from penjing.tasks.classify import Classify
from penjing.tasks.tag import Tag
from penjing.tasks.tag_items import TagByItem, by_item

TASK = TagByItem(("org", "place"), most=3)
ANSWER = Spans((Span(0, 4, "org", 0.9), Span(5, 9, "place", 0.4)), 0.3)
GOLD = '[{"start":0,"end":4,"label":"org"},{"start":5,"end":8,"label":"place"},{"start":10,"end":12,"label":"org"}]'


def test_it_is_the_same_task_with_other_scopes_and_of_entities_alone() -> None:
    assert by_item(Tag(("org", "place")), 3) == TASK and isinstance(TASK, ItemwiseTask)
    assert not isinstance(Tag(("org",)), ItemwiseTask)
    assert by_item(Tag(("org",)), 0).most == MOST_ITEMS
    chained = Tag(("org",), ((0.0, 1.0, 0.0),) * 3)
    assert by_item(chained, 3).following == chained.following, "what follows what is kept"
    assert TASK.scopes == (TASK.item, TASK.empty) == ("entity", "empty")
    assert TASK.state == Tag(("org", "place")).state, "what is learned is the same"
    with pytest.raises(TypeError, match="has no entities"):
        by_item(Classify(("a", "b")), 1)


def test_facts_have_the_probability_of_each_entity() -> None:
    facts = TASK.facts(ANSWER)
    assert facts == Tag(("org", "place")).facts(ANSWER) | {"span_p": [0.9, 0.4]}
    assert TASK.items(facts) == (SaidItem("org", 0.9, "entity"), SaidItem("place", 0.4, "entity"))
    assert TASK.right(facts, GOLD) == (True, False), "an end beside the true one is wrong"
    assert TASK.meant(GOLD) == ("org", "place", "org")
    assert TASK.scope(facts) == "entity" and TASK.scope(TASK.facts(Spans((), 0.8))) == "empty"


def test_units_are_entities_or_the_answer_without_any() -> None:
    assert TASK.units(TASK.facts(ANSWER), GOLD) == (
        Unit("entity", 0.9, "org", False), Unit("entity", 0.4, "place", True),
    )  # fmt: skip
    nothing = TASK.facts(Spans((), 0.8))
    assert TASK.items(nothing) == ()
    assert TASK.units(nothing, GOLD) == (Unit("empty", 0.8, "[]", True),)
    assert TASK.units(nothing, "[]") == (Unit("empty", 0.8, "[]", False),)
