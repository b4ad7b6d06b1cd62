"""Entities are placed in the user's text; other answers have no places."""

from __future__ import annotations

from penjing.core.answers import Choice, Span, Spans
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
