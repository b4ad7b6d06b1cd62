"""ONNX Runtime gets each row by itself and without padding."""

from __future__ import annotations

from typing import Any

import numpy as np

from penjing.core.nouns import Artifact
from penjing.runtime.onnx_ import OnnxEngine


def test_rows_of_any_length_are_seen_as_they_are(artifacts: dict[str, Artifact]) -> None:
    engine = OnnxEngine.load(artifacts["onnx"], 1)
    seen: list[tuple[int, ...]] = []

    class Watched:
        def __init__(self, inner: Any) -> None:
            self.inner = inner

        def run(self, names: list[str], feed: dict[str, Any]) -> Any:
            assert feed["attention_mask"].all()
            seen.append(feed["input_ids"].shape)
            return self.inner.run(names, feed)

    rows = [np.resize(engine.encode(["good"])[0], length) for length in (3, 9, 17)]
    alone = np.concatenate([engine.run([row]) for row in rows])
    engine._session = Watched(engine._session)
    np.testing.assert_array_equal(engine.run(rows), alone)
    assert seen == [(1, 3), (1, 9), (1, 17)]
