"""Tags of the four schemes give the same spans; what does not fit is repaired and counted."""

from __future__ import annotations

import pytest

from penjing.core.errors import DataError
from penjing.data.annotated.tags import find_scheme, spans_of, split_tag


@pytest.mark.parametrize(
    ("scheme", "tags"),
    [
        ("BIO", "B-A I-A I-A O B-B B-B"),
        ("BIOES", "B-A I-A E-A O S-B S-B"),
        ("BILOU", "B-A I-A L-A O U-B U-B"),
        ("BMES", "B-A M-A E-A O S-B S-B"),
    ],
)
def test_the_schemes_say_the_same(scheme: str, tags: str) -> None:
    listed = tags.split()
    assert find_scheme(enumerate(listed, start=1), "a") == scheme
    assert spans_of(listed, scheme) == ([(0, 3, "A"), (4, 5, "B"), (5, 6, "B")], [])


@pytest.mark.parametrize(
    ("tags", "spans", "odd"),
    [
        ("I-A I-A O I-B", [(0, 2, "A"), (3, 4, "B")], [0, 3]),
        ("B-A I-B", [(0, 1, "A"), (1, 2, "B")], [1]),
        ("O O", [], []),
    ],
)
def test_an_entity_begins_where_none_was_open(tags: str, spans: list[tuple[int, int, str]], odd: list[int]) -> None:
    assert spans_of(tags.split()) == (spans, odd)


def test_an_entity_without_its_end_is_counted_where_ends_are_marked() -> None:
    assert spans_of(["B-A", "M-A", "O", "E-B"], "BMES") == ([(0, 2, "A"), (3, 4, "B")], [1, 3])


def test_mixed_schemes_are_refused_with_a_line_of_each() -> None:
    with pytest.raises(DataError, match="`I-` in line 2, `M-` in line 9") as caught:
        find_scheme([(1, "B-A"), (2, "I-A"), (9, "M-A")], "a.conll")
    assert caught.value.where == "a.conll:9"


def test_what_is_a_tag() -> None:
    assert split_tag("B_ORG") == ("B", "ORG") and split_tag("O") == ("O", "")
    assert [split_tag(value) for value in ("B", "ORG", "X-ORG", "", "OO")] == [None] * 5
