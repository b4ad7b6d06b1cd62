"""Labels, probabilities and margins that can be together: against every vector of probabilities of few units."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penjing.decide.logic.simplex import probabilities

UNITS = {1: 6, 2: 10, 3: 9, 4: 7}


def vectors(labels: int) -> list[tuple[int, ...]]:
    """All probabilities in whole units, each rounded by at most half of one."""
    units = UNITS[labels]
    return [x for x in product(range(units + 1), repeat=labels) if abs(sum(x) - units) <= labels // 2]


POINTS = {labels: vectors(labels) for labels in UNITS}


def second(x: tuple[int, ...]) -> int:
    return sorted(x)[-2] if len(x) > 1 else 0


@st.composite
def questions(draw: st.DrawFn) -> tuple[int, int, tuple[int, int], tuple[int, int], dict[int, tuple[int, int]]]:
    labels = draw(st.sampled_from(sorted(UNITS)))
    ends = st.tuples(st.integers(0, UNITS[labels]), st.integers(0, UNITS[labels])).map(lambda two: (min(two), max(two)))
    spans = st.one_of(st.just((0, UNITS[labels])), ends)
    named = draw(st.dictionaries(st.integers(0, labels - 1), spans, max_size=labels))
    return labels, draw(st.integers(0, labels - 1)), draw(spans), draw(spans), named


@settings(max_examples=1500, deadline=None)
@given(question=questions())
def test_agrees_with_trying_every_vector(
    question: tuple[int, int, tuple[int, int], tuple[int, int], dict[int, tuple[int, int]]],
) -> None:
    labels, top, p, margin, named = question
    met = {
        x
        for x in POINTS[labels]
        if x.index(max(x)) == top
        and p[0] <= max(x) <= p[1]
        and margin[0] <= max(x) - second(x) <= margin[1]
        and all(low <= x[place] <= high for place, (low, high) in named.items())
    }
    found = probabilities(labels, top, p, margin, named, UNITS[labels])
    assert (found is None) == (not met)
    assert found is None or found in met


@pytest.mark.parametrize(
    ("p", "margin", "possible"),
    [((0, 499_999), (0, 1_000_000), False), ((600_000, 600_000), (199_999, 200_001), True),
     ((600_000, 600_000), (0, 199_998), False), ((900_000, 900_000), (0, 700_000), False)],
)  # fmt: skip
def test_the_margin_of_two_labels_follows_from_p(p: tuple[int, int], margin: tuple[int, int], possible: bool) -> None:
    assert (probabilities(2, 0, p, margin, {}) is not None) == possible


def test_equal_probabilities_give_the_first_label() -> None:
    tie = ((500_000, 500_000), (0, 0))
    assert probabilities(2, 0, *tie, {}) == (500_000, 500_000)
    assert probabilities(2, 1, *tie, {}) is None
