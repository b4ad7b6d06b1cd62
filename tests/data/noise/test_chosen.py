"""A share of the places, at least one, in their order."""

from __future__ import annotations

from random import Random

import pytest

from penjing.data.noise.chosen import chosen


@pytest.mark.parametrize(("share", "count"), [(0.0, 0), (0.001, 1), (0.25, 2), (0.5, 5), (1.0, 10)])
def test_the_share_is_rounded_and_never_nothing(share: float, count: int) -> None:
    found = chosen(list(range(10)), share, Random(1))
    assert len(set(found)) == count and found == sorted(found)
    assert chosen([], share, Random(1)) == []


def test_every_place_is_drawn_some_time() -> None:
    assert {chosen(list(range(10)), 0.1, Random(seed))[0] for seed in range(200)} == set(range(10))
