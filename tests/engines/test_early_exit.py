"""A row runs only the stages that it needs, and exits where it is sure."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from penjing.engines.early_exit import ExitEngine, Exits, sureness


class Stage:
    """A stage that answers a row by its first id, and counts its calls."""

    def __init__(self, scale: float, *, last: bool) -> None:
        self.scale, self.last, self.calls = scale, last, 0

    def run(self, _names: None, feed: dict[str, Any]) -> list[Any]:
        self.calls += 1
        given = feed.get("input_ids", feed.get("hidden"))
        assert given is not None and feed["attention_mask"].shape == given.shape
        logits = np.array([[self.scale * float(given[0, 0]), 0.0]], dtype=np.float32)
        return [logits] if self.last else [logits, given.astype(np.float32)]


def test_rows_exit_where_they_are_sure() -> None:
    stages = [Stage(1.0, last=False), Stage(2.0, last=False), Stage(-1.0, last=True)]
    exits = Exits(thresholds=(0.95, 0.95))
    engine = ExitEngine(stages, exits, SimpleNamespace(), {}, "label")  # type: ignore[arg-type]
    rows = [np.array([5, 1, 1]), np.array([2, 1]), np.array([1])]
    assert engine.depths(rows) == [0, 1, 2]
    assert [stage.calls for stage in stages] == [3, 2, 1]
    np.testing.assert_array_equal(engine.run(rows)["label"][:, 0], [5, 4, -1])
    np.testing.assert_array_equal(engine.every(rows[1:])["label"][:, ::2], [[2, 4, -2], [1, 2, -1]])
    assert sureness(np.array([[0.0, 0.0]], dtype=np.float32))[0] == 0.5
