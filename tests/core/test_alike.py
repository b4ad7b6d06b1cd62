"""Like faults are one kind: the first ones are shown, and the others are counted."""

from __future__ import annotations

import pytest

from penjing.core.alike import first_of_each, kind_of
from penjing.core.chinese import chinese


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("row 3: `a` is no label", "row 14: `b c` is no label", True),
        ("row 3: 'x' is no label", 'row 3: "it`s" is no label', True),
        ("row 1,204: 0.5 is too much", "row 1: 7 is too much", True),
        ("row 3: `a` is no label", "row 3: `a` is no number", False),
        ("the entities `A` 1..2 and `B` 2..3 overlap", "the entities `C` 11..23 and `D` 14..16 overlap", True),
    ],
)
def test_what_is_quoted_and_counted_makes_no_kind(one: str, other: str, alike: bool) -> None:
    assert (kind_of(one) == kind_of(other)) is alike


def test_the_first_of_each_kind_are_shown_and_none_is_lost() -> None:
    labels = [f"row {number}: `{number}` is no label" for number in range(2, 400)]
    lone = "row 77: the text is empty"
    assert first_of_each([*labels[:50], lone, *labels[50:]]) == [*labels[:3], "and 395 more like these", lone]
    assert first_of_each(labels[:4]) == labels[:4], "one more line says as much as the number"
    assert first_of_each([]) == []


def test_at_most_so_many_lines_and_all_of_the_rest_as_a_number() -> None:
    kinds = [f"row {row}: fault {chr(97 + kind) * 3}" for kind in range(26) for row in (1, 2)]
    shown = first_of_each(kinds, 10)
    assert len(shown) == 11 and shown[-1] == "and 42 more"
    (line, more) = first_of_each([f"row {row}: a" for row in range(9)], 2)[-2:]
    assert (line, more) == ("row 1: a", "and 7 more")


def test_the_numbers_are_said_in_chinese_too() -> None:
    for said in ("and 12 more like these", "and 1,200 more like this", "and 42 more"):
        assert chinese(said).startswith("另有")
