"""What is written comes back to the character, also where XML has no such character, and no cell is a formula."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from penjing.core.errors import DataError
from penjing.data import workbook
from penjing.data.read import open_table
from penjing.data.workbook import open_workbook

ROWS = [
    ["名称", "text"],
    ['a<b>&"c"', " 两  端 空格 "],
    ["=1+1", "line\nline\ttab"],
    ["_x0041_ \x08", "\r\n \x1f"],
    ["", "😀 emoji"],
]


def test_every_text_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "x.xlsx"
    with open_workbook(file) as book:
        for row in ROWS:
            book.write(row)
    found = [[str(cell.value or "") for cell in row] for row in openpyxl.load_workbook(file).active.iter_rows()]
    assert found[:3] == ROWS[:3] and found[4] == ROWS[4]
    assert all(cell.data_type in {"s", "n", "inlineStr"} for row in openpyxl.load_workbook(file).active for cell in row)
    read = [list(cells.values()) for _, cells in open_table(file).rows()]
    assert read[0] == ROWS[1] and read[-1][1] == ROWS[4][1]
    assert read[2][0].startswith("_x0041_")


def test_its_limits_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 2)
    with open_workbook(tmp_path / "x.xlsx") as book:
        book.write(["a"])
        book.write(["a"])
        with pytest.raises(DataError, match="a sheet of a workbook holds 2 rows, and there are more") as raised:
            book.write(["a"])
    assert "csv, jsonl or parquet" in str(raised.value.fix)
    with pytest.raises(DataError, match="the longest of 32,768 characters"), open_workbook(tmp_path / "y.xlsx") as book:
        book.write(["x" * 32_768])
