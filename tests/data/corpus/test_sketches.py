"""Sketches decide as the sets do: exactly for short texts, and for long ones within the error of a sample."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from penjing.data.corpus.characters import Array
from penjing.data.corpus.duplicates import SIMILARITY, jaccard
from penjing.data.corpus.sketches import SKETCH, Sketches, sketch_of


def hashes(drawn: random.Random, count: int) -> list[int]:
    return [drawn.getrandbits(64) for _ in range(count)]


def two_sets(drawn: random.Random, shared: int, alone: int) -> list[Array]:
    """Two sets of sorted hashes that share so many, each with so many of its own."""
    both = hashes(drawn, shared)
    return [np.array(sorted(both + hashes(drawn, alone)), dtype=np.uint64) for _ in range(2)]


def sketches_of(folder: Path, sets: list[Array]) -> Sketches:
    made = [sketch_of(each) for each in sets]
    (folder / "sketches").write_bytes(b"".join(each.astype("<u4").tobytes() for each in made))
    return Sketches(folder / "sketches", np.array([len(each) for each in made], dtype=np.uint8))


def test_a_sketch_has_the_least_hashes() -> None:
    assert sketch_of(np.array([1 << 32, 5 << 32, 2**64 - 1], dtype=np.uint64)).tolist() == [1, 5, 2**32 - 2]
    assert len(sketch_of(np.sort(np.array(hashes(random.Random(1), 1000), dtype=np.uint64)))) == SKETCH


def test_short_texts_are_decided_at_the_boundary(tmp_path: Path) -> None:
    """85 of 100 are alike, 84 of 100 are not; texts of any number of runs below SKETCH."""
    drawn = random.Random(2)
    sets = [*two_sets(drawn, 85, 0), np.zeros(0, np.uint64), *two_sets(drawn, 84, 0)]
    sets[1] = np.sort(np.concatenate([sets[1], np.array(hashes(drawn, 15), dtype=np.uint64)]))
    sets[4] = np.sort(np.concatenate([sets[4], np.array(hashes(drawn, 16), dtype=np.uint64)]))
    pairs = np.array([1, 4, 3, 2, 2]), np.array([0, 3, 0, 0, 2])
    with sketches_of(tmp_path, sets) as sketches:
        may_be, certain = sketches.compare(*pairs, SIMILARITY)
    assert may_be.tolist() == [True, False, False, False, False] and certain.all()


@pytest.mark.parametrize(("similarity", "share"), [(0.5, 0.0), (0.65, 0.05), (0.86, 1.0), (0.95, 1.0)])
def test_most_long_texts_are_passed_over_and_no_similar_one_is(tmp_path: Path, similarity: float, share: float) -> None:
    drawn = random.Random(3)
    shared = int(1000 * similarity)
    sets = [each for _ in range(400) for each in two_sets(drawn, shared, (1000 - shared) // 2)]
    assert jaccard(sets[0], sets[1]) == pytest.approx(similarity, abs=0.01)
    with sketches_of(tmp_path, sets) as sketches:
        may_be, certain = sketches.compare(np.arange(1, 800, 2), np.arange(0, 800, 2), SIMILARITY)
    assert not certain.any()
    assert may_be.all() if share == 1 else may_be.mean() <= share


def test_a_short_and_a_long_text_and_sketches_that_are_far_apart(tmp_path: Path) -> None:
    drawn = random.Random(4)
    long, short = (np.array(sorted(hashes(drawn, count)), dtype=np.uint64) for count in (5000, 100))
    other = [np.array(sorted(hashes(drawn, 200)), dtype=np.uint64) for _ in range(50)]
    sets = [long, *other, short, *other, long, short]
    with sketches_of(tmp_path, sets) as sketches:
        may_be, certain = sketches.compare(np.array([102, 51, 103, 103]), np.array([0, 0, 51, 102]), SIMILARITY)
    assert may_be.tolist() == [True, False, True, False] and certain.tolist() == [False, False, True, False]
