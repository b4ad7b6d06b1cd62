"""Workbooks: one sheet, and nothing passed over in silence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from penjing.core.errors import DataError, UsageError
from penjing.data.cells import Fault, UnreadableCell
from penjing.data.choice import ChoiceError
from penjing.data.read import Reading, open_table
from penjing.data.sheets import read_sheet
from penjing.data.source import open_source

openpyxl = pytest.importorskip("openpyxl")
ROWS = [["太慢了", "物流"], ["坏了", "质量"], ["很好", "好评"]]


def book(path: Path, fill: Callable[[Any], None]) -> Path:
    made = openpyxl.Workbook()
    fill(made)
    made.save(path)
    return path


def put(sheet: Any, rows: list[list[Any]]) -> None:
    for row in rows:
        sheet.append(row)


def test_a_title_and_empty_rows_stand_above_the_header(tmp_path: Path) -> None:
    def fill(made: Any) -> None:
        put(made.active, [["10月明细"], [], ["内容", "类别"], *ROWS])
        made.active.merge_cells("A1:B1")

    opened = open_table(book(tmp_path / "a.xlsx", fill))
    assert opened.header == 3
    assert [(row, cells["类别"]) for row, cells in opened.rows()] == [(4, "物流"), (5, "质量"), (6, "好评")]
    assert opened.notes == ["row 1 above the header (`10月明细`): skipped; the header is row 3"]


def test_the_header_can_be_named(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", lambda made: put(made.active, [["a", "b"], ["text", "label"], ["x", "y"]]))
    assert open_table(path, Reading(header=2)).names == ["text", "label"]
    assert open_table(path, Reading(header=0)).names == ["column_1", "column_2"]
    assert [row for row, _ in open_table(path, Reading(header=0)).rows()] == [1, 2, 3]
    with pytest.raises(UsageError, match="no row 9"):
        open_table(path, Reading(header=9))


def test_several_sheets_are_a_question(tmp_path: Path) -> None:
    def fill(made: Any) -> None:
        made.active.title = "一月"
        put(made.active, [["一月客诉明细"], [], ["内容", "类别"], ROWS[0]])
        put(made.create_sheet("二月"), [["内容", "类别"], *ROWS, *ROWS])
        made.create_sheet("Sheet3")

    path = book(tmp_path / "a.xlsx", fill)
    with pytest.raises(ChoiceError) as caught:
        open_table(path)
    assert caught.value.choices == {"一月": "4 rows, 内容, 类别", "二月": "7 rows, 内容, 类别"}
    assert caught.value.fix is not None and "--sheet 二月" in caught.value.fix and "`sheet:`" in caught.value.fix
    assert len(list(open_table(path, Reading(sheet="二月")).rows())) == 6
    assert len(list(open_table(path, Reading(sheet="1")).rows())) == 1
    for absent in ("三月", "0", "²", "9" * 5000):
        with pytest.raises(UsageError, match=f"no sheet `{absent}`"):
            open_table(path, Reading(sheet=absent))


def test_the_only_sheet_with_the_wanted_columns_is_read(tmp_path: Path) -> None:
    def fill(made: Any) -> None:
        made.active.title = "说明"
        put(made.active, [["请勿外传"]])
        put(made.create_sheet("数据"), [["内容", "类别"], *ROWS])

    opened = open_table(book(tmp_path / "a.xlsx", fill), wanted=("内容",))
    assert len(list(opened.rows())) == 3
    assert opened.notes == ["read the sheet `数据`, which has the columns; not read: `说明`"]


def test_a_hidden_sheet_is_not_read(tmp_path: Path) -> None:
    def fill(made: Any) -> None:
        made.active.title = "字典"
        put(made.active, [["代码", "名称"], [1, "物流"]])
        put(made.create_sheet("数据"), [["内容", "类别"], *ROWS])
        made.active.sheet_state = "hidden"
        made.active = 1

    path = book(tmp_path / "a.xlsx", fill)
    opened = open_table(path)
    assert opened.names == ["内容", "类别"]
    assert opened.notes == ["the hidden sheet `字典` was not read"]
    assert open_table(path, Reading(sheet="字典")).names == ["代码", "名称"]


def test_merged_cells_have_the_value_of_the_first(tmp_path: Path) -> None:
    def fill(made: Any) -> None:
        put(made.active, [["内容", "类别"], ["a", "物流"], ["b", None], ["c", None], ["d", "质量"], ["小计", None]])
        made.active.merge_cells("B2:B4")
        made.active.merge_cells("A6:B6")

    opened = open_table(book(tmp_path / "a.xlsx", fill))
    assert [cells["类别"] for _, cells in opened.rows()] == ["物流", "物流", "物流", "质量", ""]
    assert opened.notes == ["1 merged range (B2:B4): each row has the value of the first cell"]


def test_a_formula_without_a_stored_value_is_refused_where_it_is_needed(tmp_path: Path) -> None:
    def fill(made: Any) -> None:
        put(made.active, [["内容", "类别", "no"], ["a", "物流", 1], ["b", '=IF(C2>0,"x","y")', 2]])

    path = book(tmp_path / "a.xlsx", fill)
    opened = open_table(path)
    faults: list[Fault] = []
    assert [row for row, _ in opened.rows(faults, ("内容", "类别"))] == [2]
    assert [(fault.row, fault.what) for fault in faults] == [
        (3, "`类别` is a formula whose value was not saved (cell B3)")
    ]
    assert len(list(opened.rows(used=("内容",)))) == 2
    assert isinstance(read_sheet(open_source(path), None, ()).records[2][2][1], UnreadableCell)


def test_numbers_days_and_trailing_cells(tmp_path: Path) -> None:
    import datetime

    def fill(made: Any) -> None:
        put(made.active, [["text", "label", "day"], ["002756", 1.0, datetime.datetime(2026, 1, 15)]])
        made.active.cell(40, 26).value = " "

    rows = list(open_table(book(tmp_path / "a.xlsx", fill)).rows())
    assert rows == [(2, {"text": "002756", "label": "1", "day": "2026-01-15"})]


def test_workbooks_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no cells"):
        open_table(book(tmp_path / "a.xlsx", lambda _: None))
    (tmp_path / "b.xls").write_bytes(b"\xd0\xcf\x11\xe0" + bytes(2000))
    with pytest.raises(DataError, match="not a readable workbook"):
        open_table(tmp_path / "b.xls")
    (tmp_path / "c.csv").write_text("text\na\n", encoding="utf-8")
    assert "has no sheet `x`" in open_table(tmp_path / "c.csv", Reading(sheet="x")).notes[0]
    (tmp_path / "d.xlsx").write_bytes(b"\xd0\xcf\x11\xe0" + bytes(600) + "EncryptedPackage".encode("utf-16-le"))
    with pytest.raises(DataError, match="protected by a password"):
        open_table(tmp_path / "d.xlsx")


def test_names_in_two_rows_with_merged_cells(tmp_path: Path) -> None:
    def fill(made: Any) -> None:
        rows = [["2026年明细"], ["编号", "内容", "处理信息", None], [None, None, "类别", "结果"]]
        put(made.active, [*rows, *([f"GD{i}", *row, "已回访"] for i, row in enumerate(ROWS))])
        for merged in ("A1:D1", "A2:A3", "B2:B3", "C2:D2"):
            made.active.merge_cells(merged)

    opened = open_table(book(tmp_path / "a.xlsx", fill))
    assert (opened.names, opened.header) == (["编号", "内容", "类别", "结果"], 3)
    assert "rows 2 to 3 name the columns together: `编号`, `内容`, `类别`, `结果`" in opened.notes
    assert [cells["类别"] for _, cells in opened.rows()] == ["物流", "质量", "好评"]
    named = open_table(tmp_path / "a.xlsx", Reading(header=3), ("内容", "类别"))
    assert named.names == ["编号", "内容", "类别", "结果"]


def test_damage_that_the_reader_of_workbooks_overlooks_is_refused(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", lambda made: put(made.active, [["text", "label"], ["x", "y"]]))
    whole = path.read_bytes()
    place = whole.index(b"xl/worksheets/sheet1.xml")  # its name in front of the file, not that in the directory
    path.write_bytes(whole[:place] + b"XL" + whole[place + 2 :])
    with pytest.raises(DataError, match="not a readable workbook: File name in directory"):
        open_table(path)
