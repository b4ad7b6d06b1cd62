"""Words without places get the place that they can have beside the other entities."""

from __future__ import annotations

import pytest

from penjing.core.errors import DataError
from penjing.data.annotated.document import LabelledSpan
from penjing.data.annotated.words import Word, place_words


@pytest.mark.parametrize(
    ("text", "entities", "places", "several"),
    [
        ("👍 东航合并上航", [Word("东航"), Word("上航")], [(2, 4), (6, 8)], False),
        ("北京大学在北京", [Word("北京"), Word("北京大学")], [(5, 7), (0, 4)], True),
        ("Also Al sold", [Word("Al")], [(5, 7)], True),
        ("a Lima, Lima", [LabelledSpan(2, 6, "CITY"), Word("Lima")], [(2, 6), (8, 12)], True),
        ("北京大学", [Word("北京"), Word("北京大学")], [(0, 2), (0, 4)], False),  # which the task refuses, with its row
    ],
)
def test_a_place_of_each(
    text: str, entities: list[LabelledSpan | Word], places: list[tuple[int, int]], several: bool
) -> None:
    spans, often = place_words(text, entities)
    assert [(span.start, span.end) for span in spans] == places and often == several


@pytest.mark.parametrize("surface", ["Oslo", ""])
def test_a_word_that_is_not_there(surface: str) -> None:
    with pytest.raises(DataError, match="is not in the text of its row"):
        place_words("Lima", [Word(surface)])
