"""Gold of entities: one form, places moved into the masked text, and what is refused."""

from __future__ import annotations

import json

import pytest

from penjing.core.errors import DataError
from penjing.data.mask import VERSION, open_masking
from penjing.tasks.tag_spans import read_entities, write_entities


def cell(*entities: tuple[object, object, object]) -> str:
    return json.dumps([{"start": start, "end": end, "label": label} for start, end, label in entities])


def test_places_are_moved_into_the_masked_text() -> None:
    text = "电话13800138000找 王五"
    masked = open_masking(VERSION).prepare(text)
    start = text.index("王五")
    ((first, last, label),) = read_entities(cell((start, start + 2, "name")), masked)
    assert masked.text[first:last] == "王五" and label == "name"
    assert masked.offsets.to_raw(first, last) == (start, start + 2)


def test_what_is_written_is_read_again() -> None:
    gold = write_entities([(5, 7, "b"), (0, 3, "机构")])
    assert gold == '[{"start":0,"end":3,"label":"机构"},{"start":5,"end":7,"label":"b"}]'
    assert write_entities(read_entities(gold)) == gold


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("ORG", "no JSON list"),
        ('{"start": 0}', "no JSON list"),
        ("[" * 5000, "no JSON list"),
        ("[[0, 3]]", "has not the keys"),
        ('[{"start": 0, "end": 3}]', "has not the keys"),
        (cell((3, 3, "a")), "two whole numbers"),
        (cell((-1, 3, "a")), "two whole numbers"),
        (cell((True, 3, "a")), "two whole numbers"),
        (cell((0, 2.5, "a")), "two whole numbers"),
        (cell((0, 3, 7)), "is no text"),
        (cell((0, 3, " ")), "is empty"),
        (cell((0, 3, "x" * 500)), "500 characters"),
        (cell((0, 3, "a\x00")), "NUL"),
        ('[{"start": 0, "start": 1, "end": 3, "label": "a"}]', "the key `start` occurs twice"),
        (cell((0, 5, "a"), (2, 4, "b")), "overlap"),
        (cell((0, 3, "a"), (0, 3, "b")), "overlap"),
    ],
)
def test_what_is_no_list_of_entities_is_refused(written: str, says: str) -> None:
    with pytest.raises(DataError, match=says) as error:
        read_entities(written)
    assert error.value.fix


def test_places_beyond_the_text_and_entities_that_masking_joins_are_refused() -> None:
    masked = open_masking(VERSION).prepare("电话13800138000")
    with pytest.raises(DataError, match="not within"):
        read_entities(cell((0, 99, "a")), masked)
    with pytest.raises(DataError, match="masked text"):
        read_entities(cell((2, 5, "a"), (5, 9, "b")), masked)
