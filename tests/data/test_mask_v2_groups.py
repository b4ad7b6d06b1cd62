"""Groups of a run: their sizes, and what stands beside them."""

from __future__ import annotations

from penjing.data.mask_v2_groups import DigitRun


def run() -> DigitRun:
    text = "2026 138-1234-5678"
    return DigitRun(text, "202613812345678", [0, 4, 7, 11, 15], [0, 5, 9, 14], ["", " ", "-", "-"],
               {4: 0, 7: 1, 11: 2, 15: 3}, 3, 8)  # fmt: skip


def test_sizes_and_places() -> None:
    assert run().sizes(1, 3) == (3, 4, 4)
    assert run().sizes(0, 2, 6) == (1, 4)
    assert run().place_after(3) == 18


def test_alone_is_what_no_like_separator_joins_to_more() -> None:
    assert run().alone(1, 3) and run().alone(0, 3)
    assert not run().alone(1, 2) and not run().alone(2, 3)
