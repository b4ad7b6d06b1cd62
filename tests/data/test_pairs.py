"""Pairs of texts from a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.core.errors import DataError, UsageError
from penjing.data.pairs import read_pairs


def test_two_or_three_columns(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text('怎么退款,如何退钱\n"a, b",c,d\n\n', encoding="utf-8-sig")
    assert read_pairs(path) == (("怎么退款", "如何退钱", ""), ("a, b", "c", "d"))
    path.with_suffix(".tsv").write_text("a\tb\n", encoding="utf-8")
    assert read_pairs(path.with_suffix(".tsv")) == (("a", "b", ""),)


@pytest.mark.parametrize(
    ("raw", "words"),
    [(b"a\n", "row 1 has 1 columns"), (b"a,b\nc,\n", "row 2"), (b"", "no row"), (b"\xb9\xfe,\xb9\xfe\n", "not UTF-8")],
)
def test_other_files_are_refused(tmp_path: Path, raw: bytes, words: str) -> None:
    (tmp_path / "pairs.csv").write_bytes(raw)
    with pytest.raises(DataError, match=words):
        read_pairs(tmp_path / "pairs.csv")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        read_pairs(tmp_path / "pairs.csv")
