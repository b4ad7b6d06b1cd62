"""The nearest texts of each query in turn, by the cosine of states less their mean."""

from __future__ import annotations

import numpy as np
import pytest

from penjing.compress.parts import nearest
from penjing.compress.parts.nearest import nearest_places


def turned(*degrees: float) -> np.ndarray:
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


# Their mean is the origin, so that cosines are those of the angles.
POOL = turned(0, 180, 90, 270, 10, 190, 100, 280, 45, 225)


def test_each_query_brings_its_nearest_before_any_brings_its_second() -> None:
    # Of 2 degrees the nearest are 0, 10, then 45; of 271: 270, then 280.
    assert nearest_places(turned(2, 271), POOL, 2) == [3, 0]
    assert nearest_places(turned(2, 271), POOL, 4) == [3, 0, 4, 7]
    # What two queries have in common is taken once, and the next one after it.
    assert nearest_places(turned(1, 2), POOL, 3) == [0, 4, 8]


def test_a_mean_that_all_states_share_does_not_count() -> None:
    far = POOL + np.array([100.0, 100.0], dtype=np.float32)
    asked = turned(2, 271) + np.array([100.0, 100.0], dtype=np.float32)
    assert nearest_places(asked, far, 4) == [3, 0, 4, 7]


def test_all_are_taken_where_as_many_are_wanted_and_none_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sorted(nearest_places(turned(2), POOL, 99)) == list(range(10))
    drawn = np.random.default_rng(0)
    pool, asked = drawn.normal(size=(500, 8)).astype(np.float32), drawn.normal(size=(40, 8)).astype(np.float32)
    seen: list[int] = []
    found = nearest_places(asked, pool, 300, seen.append)
    assert len(set(found)) == len(found) == 300 and sum(seen) == 40
    assert found[:20] == nearest_places(asked, pool, 300)[:20]
    monkeypatch.setattr(nearest, "_SLICE", 7)
    assert nearest_places(asked, pool, 300) == found, "the slices do not matter"
    # The first forty are the nearest of some query.
    cosines = (asked - pool.mean(0)) @ (pool - pool.mean(0)).T
    cosines /= np.linalg.norm(pool - pool.mean(0), axis=1) * np.linalg.norm(asked - pool.mean(0), axis=1)[:, None]
    firsts = set(cosines.argmax(axis=1).tolist())
    assert set(found[: len(firsts)]) == firsts
    monkeypatch.setattr(nearest, "_SLICE", 256)
    with pytest.raises(KeyboardInterrupt):
        nearest_places(asked, pool, 300, lambda _: (_ for _ in ()).throw(KeyboardInterrupt()))
