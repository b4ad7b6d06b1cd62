"""Places of numbers in a folded text: whole, in their order, with sign, brackets and extension."""

from __future__ import annotations

import pytest

from penjing.data.mask_v2_runs import find_numbers


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a (+86)13812345678 b", [("(+86)13812345678", "mobile")]),
        ("0371(65898888) x", [("0371(65898888)", "landline")]),
        ("0371-65898888-801", [("0371-65898888-801", "landline")]),
        ("0371-65898888-13812345678", [("0371-65898888", "landline"), ("13812345678", "mobile")]),
        ("12 11010519491231002X 7", [("11010519491231002X", "id_card")]),
        ("13812345", []),
        ("x", []),
    ],
)
def test_places(text: str, found: list[tuple[str, str]]) -> None:
    assert [(text[start:end], kind) for start, end, kind in find_numbers(text)] == found


def test_of_two_that_overlap_the_one_that_covers_more_is_taken() -> None:
    # Groups 2 to 4 are a landline of Chaoyang as well.
    assert [kind for _, _, kind in find_numbers("5494-0427-7440-6544")] == ["bank_card"]
