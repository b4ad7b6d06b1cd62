"""Slices are computed once, in the order of the texts, and again where a file is damaged or the key differs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from penjing.compress.parts import slices
from penjing.compress.parts.slices import in_slices, store_rows, stored_rows
from penjing.core.nouns import Run


def test_slices_are_computed_once_for_the_same_texts_and_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "_SLICE", 2)
    run, made = Run(tmp_path / "out", tmp_path / "scratch"), list[list[str]]()

    def compute(texts: list[str]) -> slices.Floats:
        made.append(texts)
        return np.array([[len(text)] for text in texts], dtype=np.float32)

    texts = ["ccc", "a", "bb"]
    assert in_slices(texts, 1, ["one"], tmp_path, compute, run).tolist() == [[3.0], [1.0], [2.0]]
    assert made == [["a", "bb"], ["ccc"]], "the shortest texts come first"
    assert in_slices(texts[::-1], 1, ["one"], tmp_path, compute, run).tolist() == [[2.0], [1.0], [3.0]]
    assert len(made) == 2
    in_slices(texts, 1, ["other"], tmp_path, compute, run)
    assert len(made) == 4
    assert in_slices([], 5, ["one"], tmp_path, compute, run).shape == (0, 5)


def test_rows_that_are_cut_or_of_another_shape_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.npy"
    assert stored_rows(path, (2, 3)) is None
    store_rows(path, np.ones((2, 3), dtype=np.float32))
    found = stored_rows(path, (2, 3))
    assert found is not None and found.tolist() == np.ones((2, 3)).tolist()
    assert stored_rows(path, (3, 2)) is None
    path.write_bytes(path.read_bytes()[:-5])
    assert stored_rows(path, (2, 3)) is None
