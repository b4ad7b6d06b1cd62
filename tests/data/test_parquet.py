"""Rows come back with their types; without the package the error says what to do."""

from __future__ import annotations

import sys
from pathlib import Path

import polars
import pytest

from penjing.core.errors import MissingPackageError
from penjing.data.parquet import write_parquet


def test_rows_come_back_with_their_types(tmp_path: Path) -> None:
    rows = [["=1+1", 0.5, True], ["换\n行", None, False]]
    assert write_parquet(tmp_path / "x.parquet", ["text", "p", "forced"], {"p": float, "forced": bool}, rows) == 2
    assert [list(row) for row in polars.read_parquet(tmp_path / "x.parquet").rows()] == rows
    assert write_parquet(tmp_path / "y.parquet", ["text", "p"], {"p": float}, []) == 0
    assert polars.read_parquet(tmp_path / "y.parquet").schema == {"text": polars.String, "p": polars.Float64}
    assert {each.name for each in tmp_path.iterdir()} == {"x.parquet", "y.parquet"}


def test_without_the_package_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(MissingPackageError, match="need the package polars"):
        write_parquet(tmp_path / "x.parquet", ["a"], {}, [])
