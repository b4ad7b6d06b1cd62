"""Where the head and the tail of a sentence are, and how a model reads them."""

from __future__ import annotations

import pytest

from penjing.text.entity_marks import marked, places_of


@pytest.mark.parametrize(
    ("sentence", "head", "tail", "places"),
    [
        ("Acme buys Bolt", "Acme", "Bolt", ((0, 4), (10, 14))),
        ("Bolt was bought by Acme", "Acme", "Bolt", ((19, 23), (0, 4))),
        ("农行总行说农行要发展", "农行", "农行总行", ((5, 7), (0, 4))),
        ("农行总行说农行要发展", "农行总行", "农行", ((0, 4), (5, 7))),
        ("农行总行要发展", "农行总行", "农行", ((0, 4), None)),
        ("Acme buys Acme", "Acme", "Acme", ((0, 4), (10, 14))),
        ("Acme buys Bolt", "Dyno", "Bolt", (None, (10, 14))),
    ],
)
def test_the_first_place_of_each_that_the_other_leaves(
    sentence: str, head: str, tail: str, places: tuple[tuple[int, int] | None, tuple[int, int] | None]
) -> None:
    assert places_of(sentence, head, tail) == places


def test_head_and_tail_are_marked_and_named() -> None:
    assert marked("Bolt was bought by Acme", "Acme", "Bolt") == (" # Bolt #  was bought by  * Acme * ", "Acme / Bolt")
    assert marked("nothing", "Acme", "Bolt") == ("nothing", "Acme / Bolt")
