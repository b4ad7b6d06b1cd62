"""The simulation of bought labels: its curve, and where it reaches a score."""

from __future__ import annotations

from tests.conftest import tiny_texts

from bench import suggest


def test_labels_are_read_between_two_steps() -> None:
    curve = [(10, 0.5), (20, 0.7), (30, 0.65), (40, 0.9)]
    assert suggest.labels_for(curve, 0.6) == 15.0
    assert suggest.labels_for(curve, 0.5) == 10.0
    assert suggest.labels_for(curve, 0.8) == 36.0
    assert suggest.labels_for(curve, 0.95) is None
    assert suggest.summary({"a": [curve, curve], "b": [curve, [(10, 0.1)]]}, [0.8, 0.8]) == {"a": 34.4, "b": None}


def test_labels_are_bought_once_and_the_curve_ends_at_the_most() -> None:
    rows = list(dict.fromkeys(zip(*tiny_texts(160), strict=True)))
    setting = suggest.Setting("margin", 20, 50)
    curve = suggest.simulate(rows[:100], rows[100:120], rows[120:], setting)
    assert [bought for bought, _ in curve] == [20, 40, 50]
    assert all(0 < reached <= 1 for _, reached in curve)
    assert curve == suggest.simulate(rows[:100], rows[100:120], rows[120:], setting)
