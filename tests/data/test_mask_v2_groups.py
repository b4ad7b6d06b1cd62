"""Groups of a run: their sizes, and what stands beside them."""

from __future__ import annotations

from penjing.data.mask_v2_groups import DigitRun, read_groups


def run() -> DigitRun:
    found = read_groups("2026 138-1234-5678")
    assert found is not None
    return found


def test_sizes_and_places() -> None:
    assert run().sizes(1, 3) == (3, 4, 4)
    assert run().sizes(0, 2, 6) == (1, 4)
    assert run().place_after(3) == 18
    assert run().last_of(1, 11) == 3 and run().last_of(1, 10) is None and run().last_of(1, 12) is None
    assert [run().gap(group) for group in range(5)] == ["", " ", "-", "-", ""]


def test_alone_is_what_no_like_separator_joins_to_more() -> None:
    assert run().alone(1, 3) and run().alone(0, 3)
    assert not run().alone(1, 2) and not run().alone(2, 3)
    assert not run().crowded(1)


def test_a_text_without_enough_digits() -> None:
    assert read_groups("138 1234") is None
