"""Spans of the user's text and of the masked text convert both ways."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from penjing.core.errors import RequestError
from penjing.data.mask import VERSIONS, open_masking
from penjing.data.offsets import OffsetMap

every_version = pytest.mark.parametrize("version", VERSIONS)
NUMBERS = (
    "13812345678|138\u200b1234\r\n5678|１３８１２３４５６７８|11010519491231002X|a.b@mail.example.com|京A12345|192.168.1.1"
    "|4111 1111 1111 1111|4239 0424 8611 1484|一三八一二三四五六七八|⟦mobile⟧|010-62345678"
)
ODD = "\u200b|\r\n|\u3000|  |\t|e\u0301|\u1100\u1161|👨\u200d👩|💴|\ufeff|\u212b|\x07|\u0301"
PIECES = some.sampled_from([*NUMBERS.split("|"), *ODD.split("|"), *"好ab1 -.@()，\n"])
TEXTS = some.one_of(
    some.text(some.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    some.lists(PIECES, max_size=12).map("".join),
)


def between(offsets: OffsetMap) -> list[tuple[int, int, int, int]]:
    """What lies between the replaced stretches, in the raw text and in the masked one."""
    whole = [(0, 0, 0, 0), *offsets.stretches]
    whole.append((offsets.raw_length, offsets.raw_length, offsets.masked_length, offsets.masked_length))
    return [(one[1], two[0], one[3], two[2]) for one, two in pairwise(whole)]


@every_version
@given(raw=TEXTS)
def test_what_is_not_replaced_corresponds_one_to_one(version: str, raw: str) -> None:
    masked = open_masking(version).prepare(raw)
    offsets = masked.offsets
    assert (offsets.raw_length, offsets.masked_length) == (len(raw), len(masked.text))
    for start, end, other, other_end in between(offsets):
        assert raw[start:end] == masked.text[other:other_end]
        for place in range(start, end):
            there = other + place - start
            assert offsets.to_masked(place, place + 1) == (there, there + 1)
            assert offsets.to_raw(there, there + 1) == (place, place + 1)


@every_version
@given(raw=TEXTS.filter(bool), data=some.data())
def test_a_span_there_and_back_holds_itself_but_for_removed_characters(
    version: str, raw: str, data: some.DataObject
) -> None:
    offsets = open_masking(version).prepare(raw).offsets
    start = data.draw(some.integers(0, len(raw) - 1))
    end = data.draw(some.integers(start + 1, len(raw)))
    removed = {place for one in offsets.stretches if one[2] == one[3] for place in range(one[0], one[1])}
    kept = set(range(start, end)) - removed
    if not kept:
        with pytest.raises(RequestError, match="removed"):
            offsets.to_masked(start, end)
        return
    there = offsets.to_masked(start, end)
    back = offsets.to_raw(*there)
    assert kept <= set(range(*back))
    assert offsets.to_masked(*back) == there


@every_version
@given(raw=TEXTS)
def test_every_character_of_a_placeholder_leads_to_all_that_it_replaced(version: str, raw: str) -> None:
    offsets = open_masking(version).prepare(raw).offsets
    for raw_start, raw_end, start, end in offsets.stretches:
        assert raw_start < raw_end
        for place in range(start, end):
            assert offsets.to_raw(place, place + 1) == (raw_start, raw_end)
        for place in range(raw_start, raw_end) if start < end else ():
            assert offsets.to_masked(place, place + 1) == (start, end)


@pytest.mark.parametrize(
    ("raw", "masked", "stretches"),
    [
        ("请回电13812345678。", "请回电⟦mobile⟧。", ((3, 14, 3, 11),)),
        ("💴１３８１２３４５６７８💴", "💴⟦mobile⟧💴", ((1, 12, 1, 9),)),
        ("\r\n打138\u200b1234\r\n5678吧\n", "打⟦mobile⟧吧", ((0, 2, 0, 0), (3, 17, 1, 9), (18, 19, 10, 10))),
        ("a\u200b b", "a b", ((1, 2, 1, 1),)),
        ("a  b", "a b", ((1, 3, 1, 2),)),
        ("e\u0301t", "ét", ((0, 2, 0, 1),)),
        (" \t", "", ((0, 2, 0, 0),)),
        ("好", "好", ()),
    ],
)
def test_the_stretches_of_known_texts(raw: str, masked: str, stretches: tuple[tuple[int, int, int, int], ...]) -> None:
    found = open_masking("2").prepare(raw)
    assert (found.text, found.offsets.stretches) == (masked, stretches)


def test_spans_of_words_and_of_numbers() -> None:
    raw = "  张三的电话是 １３８-1234-5678，\r\n住在北京"
    masked = open_masking("2").prepare(raw)
    assert masked.text == "张三的电话是 ⟦mobile⟧，\n住在北京"
    beijing = raw.index("北京"), raw.index("北京") + 2
    assert masked.text[slice(*masked.offsets.to_masked(*beijing))] == "北京"
    digits = raw.index("1234"), raw.index("1234") + 4
    assert masked.text[slice(*masked.offsets.to_masked(*digits))] == "⟦mobile⟧"
    place = masked.text.index("mobile")
    assert raw[slice(*masked.offsets.to_raw(place, place + 1))] == "１３８-1234-5678"
    assert masked.offsets.to_raw(0, 2) == (2, 4)  # without the spaces before it
    assert masked.offsets.to_raw(0, len(masked.text)) == (2, len(raw))


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [(1, 1, "the span 1..1 is empty"), (2, 1, "not within"), (-1, 1, "not within"), (0, 99, "which has 14 characters")],
)
def test_empty_and_out_of_range_spans_are_refused(start: int, end: int, said: str) -> None:
    offsets = open_masking("2").prepare("电话13812345678。").offsets
    with pytest.raises(RequestError, match=said):
        offsets.to_masked(start, end)
    with pytest.raises(RequestError, match=said.replace("14", "11")):
        offsets.to_raw(start, end)


def test_maps_in_a_row_join_where_their_stretches_overlap() -> None:
    first = OffsetMap.of([[(2, 4, 1), (6, 8, 0)]], 7)  # abCDefGH.. -> abXef..
    second = OffsetMap.of([[(2, 5, 1)]], 5)
    assert first.then(second).stretches == ((2, 6, 2, 3), (6, 8, 3, 3))
    inside = OffsetMap.of([[(4, 6, 1)]], 6)
    assert first.then(inside).stretches == ((2, 4, 2, 3), (5, 9, 4, 5))
    assert OffsetMap(7, 7).then(second) == second
    with pytest.raises(ValueError, match="7 characters, followed by one of 5"):
        first.then(OffsetMap(5, 5))


@every_version
def test_a_masked_text_holds_nothing_of_the_raw_one(version: str) -> None:
    masked = open_masking(version).prepare("电话 13812345678\u200b ")
    assert masked == open_masking(version)("电话 ⟦mobile⟧")  # the passes are not part of what it is
    assert "138" not in repr(masked) + repr(masked.passes) + repr(masked.offsets)
