"""Entities are placed in the user's text; other answers have no places."""

from __future__ import annotations

from penjing.core.answers import Choice, Link, Links, Span, Spans
from penjing.data.mask import VERSION, open_masking
from penjing.data.own_places import own_places


def test_places_are_those_of_the_users_text() -> None:
    text = "　电话 13800138000，找王五"
    masked = open_masking(VERSION).prepare(text)
    start = masked.text.index("王五")
    found = own_places(Spans((Span(start, start + 2, "name", 0.9),), 0.8), masked)
    assert found == {"in_text": [{"start": text.index("王五"), "end": text.index("王五") + 2, "label": "name"}]}
    assert own_places(Spans((), 1.0), masked) == {"in_text": []}
    assert own_places(Choice(("a", "b"), (0.5, 0.5)), masked) == {}


def test_relations_name_their_entities_by_place() -> None:
    text = "找 13800138000 的王五"
    masked = open_masking(VERSION).prepare(text)
    start, phone = masked.text.index("王五"), masked.text.index("⟦")
    one, other = Span(phone, phone + 8, "phone", 0.9), Span(start, start + 2, "name", 0.9)
    found = own_places(Links((Link(other, "has", one, 0.7),), 0.6, (one, other)), masked)["in_text"]
    assert [text[each["start"] : each["end"]] for each in found["entities"]] == ["13800138000", "王五"]
    assert found["relations"] == [{"head": 1, "tail": 0, "label": "has"}]
