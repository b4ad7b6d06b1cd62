"""Annotated texts are checked against their text, and say in what their places seem to be counted."""

from __future__ import annotations

import json

import pytest

from penjing.data.annotated.document import (
    AnnotatedText,
    LabelledRelation,
    LabelledSpan,
    as_cells,
    byte_places,
    checked,
    in_characters,
    utf16_places,
)
from penjing.data.cells import Fault

TEXT = "👍 北京的 café"


def fault(*spans: LabelledSpan, text: str = TEXT) -> Fault:
    found = checked(AnnotatedText(7, text, spans))
    assert isinstance(found, Fault) and found.row == 7
    return found


def test_spans_are_sorted_and_relations_follow_them() -> None:
    spans = (LabelledSpan(6, 10, "THING", "café"), LabelledSpan(2, 4, "PLACE", "北京"), LabelledSpan(2, 4, "PLACE"))
    found = checked(AnnotatedText(1, TEXT, spans, (LabelledRelation(0, 2, "in"),), id="a", more={"label": "old"}))
    assert isinstance(found, AnnotatedText)
    cells = as_cells(found)
    assert json.loads(cells["label"]) == [
        {"start": 2, "end": 4, "label": "PLACE"},
        {"start": 6, "end": 10, "label": "THING"},
    ]
    assert json.loads(cells["relations"]) == [{"head": 1, "tail": 0, "label": "in"}]
    assert (cells["text"], cells["id"], cells["classes"]) == (TEXT, "a", "")
    assert as_cells(AnnotatedText(1, TEXT))["label"] == "[]"


@pytest.mark.parametrize(
    ("span", "said"),
    [
        ((4, 2), "ends before its start"),
        ((2, 2), "is empty"),
        ((-1, 2), "is not within the text, which has 10 characters"),
        ((2, 11), "is not within the text, which has 10 characters"),
    ],
)
def test_a_span_off_the_text_is_refused(span: tuple[int, int], said: str) -> None:
    assert said in fault(LabelledSpan(*span, "X")).what


@pytest.mark.parametrize(
    ("text", "start", "end", "surface", "said"),
    [
        (TEXT, 3, 5, "北京", "UTF-16"),
        (TEXT, 5, 11, "北京", "bytes of UTF-8"),
        (TEXT, 2, 3, "北京", "the end is the last character itself"),
        ("在北京的人", 2, 4, "北京", "characters are counted from 1"),
        ("a\r\nb\r\n北京", 4, 6, "北京", "each line end is one character"),
        ("a\nb\n北京", 6, 8, "北京", "each line end is two characters"),
        (TEXT, 2, 4, "上海", "was changed after it was annotated"),
    ],
)
def test_the_units_are_found_by_trying(text: str, start: int, end: int, surface: str, said: str) -> None:
    found = fault(LabelledSpan(start, end, "P", surface), text=text)
    assert said in found.what


def test_a_place_that_fits_in_no_unit_is_told_as_it_is() -> None:
    found = fault(LabelledSpan(6, 8, "P", "北京"))
    assert found.what == "the span 6..8 (`P`) is `ca` in the text, but `北京` in the annotation"


def test_places_in_other_units() -> None:
    assert in_characters(LabelledSpan(3, 5, "P"), utf16_places(TEXT)) == LabelledSpan(2, 4, "P")
    assert in_characters(LabelledSpan(1, 3, "P"), utf16_places(TEXT)) is None
    assert in_characters(LabelledSpan(5, 11, "P"), byte_places(TEXT)) == LabelledSpan(2, 4, "P")


def test_a_relation_needs_its_spans() -> None:
    found = checked(AnnotatedText(3, TEXT, (LabelledSpan(2, 4, "P"),), (LabelledRelation(0, 1, "in"),)))
    assert isinstance(found, Fault) and "names a span that is not there" in found.what
