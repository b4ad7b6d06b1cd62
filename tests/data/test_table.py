"""Tables of the workshop: columns, declared fields, sheets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.data.table_files import read_table_file

from penjing.core.errors import DataError, UsageError
from penjing.core.recipe import Data


def data(**changes: Any) -> Data:
    return Data.model_validate({"files": "a.csv", **changes})


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_columns_roles_and_fields(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "t,l,who,amount,vip\n好, 1 ,u1,2.5,是\n坏,0,u2,,no\n")
    table = read_table_file(path, data(text="t", label="l", group="who", fields={"amount": "float", "vip": "bool"}))
    assert list(table.texts) == ["好", "坏"]
    assert table.labels == ["1", "0"]
    assert table.rows == [2, 3]
    assert table.groups == ["u1", "u2"]
    assert table.fields == {"amount": [2.5, None], "vip": [True, False]}


def test_a_wrong_column_names_the_nearest_and_all(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "text,label\na,1\n")
    with pytest.raises(DataError) as caught:
        read_table_file(path, data(text="txet"))
    assert "there is no column `txet`; the columns are `text`, `label`" in str(caught.value)
    assert "did you mean `text`?" in str(caught.value)


def test_fields_of_a_wrong_type_are_listed_by_row(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "text,label,n,kind\na,1,1,x\nb,1,many,x\nc,0,2,z\n")
    with pytest.raises(DataError) as caught:
        read_table_file(path, data(fields={"n": "int", "kind": ["x", "y"]}))
    assert "2 rows cannot be read" in str(caught.value)
    assert "row 3: the field `n` is `many`, not a whole number" in str(caught.value)
    assert "row 4: the field `kind` is `z`, not one of x, y" in str(caught.value)


def test_a_json_row_without_a_key(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", '{"text": "a", "label": 1}\n{"text": "b"}\n')
    with pytest.raises(DataError, match="row 2: no `label` in this row"):
        read_table_file(path, data())


def test_workbooks_keep_the_row_numbers_of_the_sheet(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (["text", "label"], ["好", 1], [], ["002756", 0.0]):
        book.active.append(row)
    path = tmp_path / "a.xlsx"
    book.save(path)
    table = read_table_file(path, data())
    assert (list(table.texts), table.labels, table.rows) == (["好", "002756"], ["1", "0"], [2, 4])


def test_parquet(tmp_path: Path) -> None:
    polars = pytest.importorskip("polars")
    path = tmp_path / "a.parquet"
    polars.DataFrame({"text": ["a", "b"], "label": [1, 0]}).write_parquet(path)
    assert read_table_file(path, data()).labels == ["1", "0"]


@pytest.mark.parametrize("name", ["a.xlsx", "a.parquet"])
def test_sheets_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(DataError, match="not a readable"):
        read_table_file(tmp_path / name, data())
    with pytest.raises(UsageError, match="no such file"):
        read_table_file(tmp_path / ("b" + name), data())


def test_the_time_of_a_row_is_read_from_the_column_that_the_recipe_names(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "text,label,收件时间,time\na,1,2026年1月5日,noon\nb,0,2026-02-03 10:30,\nc,0,,\n")
    named = data(time="收件时间")
    assert named.fields == {"time": "date"}
    assert read_table_file(path, named).fields == {"time": ["2026-01-05", "2026-02-03T10:30:00", None]}
    both = read_table_file(path, data(time="收件时间", fields={"收件时间": "date"})).fields
    assert both["time"] == both["收件时间"]
    with pytest.raises(DataError, match="the field `time` is `noon`"):
        read_table_file(path, data(fields={"time": "date"}))
    with pytest.raises(DataError) as caught:
        read_table_file(path, data(time="received"))
    assert "there is no column `received`" in str(caught.value)
    assert "write `time: COLUMN` under `data:`" in str(caught.value)
    with pytest.raises(ValueError, match="names a column, and the field `time` is no date"):
        data(time="收件时间", fields={"time": "str"})
