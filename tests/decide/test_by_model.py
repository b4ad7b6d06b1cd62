"""Thresholds of one task and of several: all must be reached, and what is in doubt is named."""

from __future__ import annotations

from typing import Any

import pytest

from penjing.decide.by_model import Thresholds
from penjing.tasks import open_task, task_of_labels

PARTS = [
    {"name": "topic", "type": "classify", "labels": ["card", "fees"], "weight": 1.0},
    {"name": "level", "type": "classify", "labels": ["1", "2"], "weight": 1.0},
]
LEAST = {"topic": 0.9, "level": 0.8}


def facts(topic: float, level: float, margin: float = 0.5) -> dict[str, Any]:
    found = {"p": topic * level}
    for name, label, p in (("topic", "card", topic), ("level", "2", level)):
        found |= {f"{name}.label": label, f"{name}.p": p, f"{name}.margin": margin}  # type: ignore[dict-item]
    return found


@pytest.mark.parametrize(
    ("topic", "level", "reason", "doubts"),
    [
        (0.95, 0.85, "above_threshold", {}),
        (0.95, 0.7, "below_threshold", {"level": "below_threshold"}),
        (0.5, 0.5, "below_threshold", {"topic": "below_threshold", "level": "below_threshold"}),
        (0.9005, 0.85, "within_tolerance", {"topic": "within_tolerance"}),
    ],
)
def test_a_case_is_decided_where_every_task_is(topic: float, level: float, reason: str, doubts: dict[str, str]) -> None:
    one = Thresholds(open_task("together", {"tasks": PARTS}), 0.001)
    route = "review" if doubts else "automatic"
    assert one.decide(facts(topic, level), LEAST) == (route, reason)
    assert one.doubts(facts(topic, level), LEAST) == doubts


def test_a_task_without_a_threshold_is_always_in_doubt() -> None:
    one = Thresholds(open_task("together", {"tasks": PARTS}), 0.0)
    assert one.doubts(facts(1.0, 1.0), {"topic": 0.9, "level": None}) == {"level": "not_certified"}


def test_one_task_has_no_doubts() -> None:
    one = Thresholds(task_of_labels(["a", "b"]), 0.0)
    seen = {"label": "a", "p": 0.5, "margin": 0.1}
    assert one.decide(seen, {"a": 0.6, "b": 0.6}) == ("review", "below_threshold")
    assert one.doubts(seen, {"a": 0.6, "b": 0.6}) == {}
