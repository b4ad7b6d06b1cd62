"""Curves of a training in a card: few points, the mean of each span, six decimals."""

from __future__ import annotations

from penjing.tune.curves import round_scores, rounded, thinned


def test_a_long_curve_has_two_hundred_points_and_keeps_its_mean() -> None:
    points = thinned([float(step) for step in range(1000)])
    assert len(points) == 200 and points[0] == [5, 2.0] and points[-1] == [1000, 997.0]
    assert thinned([]) == [] and thinned([1.0]) == [[1, 1.0]]


def test_scores_have_six_decimals() -> None:
    assert round_scores({"a": 1 / 3}) == {"a": 0.333333}
    assert rounded([{"a": 2 / 3}]) == [{"a": 0.666667}]
