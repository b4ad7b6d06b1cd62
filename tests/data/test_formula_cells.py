"""Cells that a spreadsheet would read as a formula: written safely, and read as they were, wherever they are read."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.data.table_files import read_table_file

from penjing.cases import export, label_queue
from penjing.core.recipe import Data
from penjing.data.added import open_added
from penjing.data.formula_cells import defuse, fused, is_export, kept_as_it_stands
from penjing.data.parquet import write_parquet
from penjing.data.read import open_table
from penjing.data.rewrite import rewrite
from penjing.make import label_fix
from penjing.store import audits, reviews
from penjing.store.case_file import open_case_file
from penjing.tasks import open_reader

TEXTS = ("=1+1", "'=1+1", "''@a", "-5 degrees", "'quoted'", "＝a", "plain")
QUEUE = (*label_queue.BEFORE, "text", "label", label_queue.CHOICES, *label_queue.AFTER)


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@a", "\ta", "＝1", "'quoted", "a", "", "'=1", "''＝1", "'", "''"])
def test_a_cell_of_csv_is_no_formula_and_comes_back(cell: str) -> None:
    assert not defuse(cell).startswith(("=", "+", "-", "@", "\t", "＝"))
    assert fused(defuse(cell)) == cell and fused(kept_as_it_stands(cell)) == cell
    assert kept_as_it_stands("=1") == "=1"


@pytest.mark.parametrize(
    "columns",
    [
        *(export.COLUMNS, export.CHINESE_COLUMNS, reviews.COLUMNS, reviews.CHINESE_COLUMNS),
        *(audits.COLUMNS, audits.CHINESE_COLUMNS, label_fix.COLUMNS, label_fix.CHINESE_COLUMNS),
        *(QUEUE, [label_queue._CHINESE.get(name, name) for name in QUEUE]),
    ],
)
def test_every_file_that_is_written_for_people_is_known_by_its_columns(columns: Sequence[str]) -> None:
    assert is_export(columns) and is_export([name.upper() for name in columns])


def test_a_file_of_the_users_own_is_as_it_is() -> None:
    assert not is_export(["text", "label"]) and not is_export(["id", "text", "verdict"]) and not is_export([])


def _written(path: Path, columns: Sequence[str], *, workbook: bool = False) -> Path:
    with open_case_file(path, workbook=workbook) as add:
        add(columns)
        for number, text in enumerate(TEXTS):
            row = {
                "id": f"r{number}",
                "text": text,
                "verdict": "a" if number % 2 else "b",
                "reviewer": "王",
                "label": "a",
            }
            add([row.get(name, "") for name in columns])
    return path


REVIEW = ("id", "reason", "text", "verdict", "reviewer", "label")


@pytest.mark.parametrize("name", ["cases.csv", "cases.xlsx", "other.csv", "cases.tsv", "-"])
def test_an_export_is_read_as_the_texts_were(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path: Path | str = _written(tmp_path / name.replace("-", "in.csv"), REVIEW, workbook=name.endswith("xlsx"))
    content = Path(path).read_bytes()
    if name == "other.csv":  # saved again by a Chinese spreadsheet
        Path(path).write_bytes(content.decode("utf-8-sig").replace(",", ";").encode("gb18030"))
    elif name == "cases.tsv":
        Path(path).write_text(content.decode("utf-8-sig").replace(",", "\t"), encoding="utf-16")
    elif name == "-":
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        path = "-"
    assert tuple(cells["text"] for _, cells in open_table(path).rows()) == TEXTS


def test_make_reads_the_texts_that_were_decided(tmp_path: Path) -> None:
    data = Data(files="cases.csv", label="verdict")
    assert tuple(read_table_file(_written(tmp_path / "cases.csv", REVIEW), data).texts) == TEXTS
    own = _written(tmp_path / "own.csv", ("text", "verdict"))
    assert read_table_file(own, data).texts[0] == "'=1+1"
    opened, _ = open_added(own, data, open_reader("classify", {}))
    assert tuple(cells["text"] for _, cells in opened.rows()) == TEXTS, "a file of more rows may be a queue"


def test_what_programs_read_has_no_apostrophes_to_take_away(tmp_path: Path) -> None:
    rows = [{"id": "1", "text": text, "verdict": "a", "reviewer": ""} for text in TEXTS]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert tuple(cells["text"] for _, cells in open_table(tmp_path / "a.jsonl", exported=True).rows()) == TEXTS
    pytest.importorskip("polars")
    write_parquet(tmp_path / "a.parquet", list(rows[0]), {}, [list(row.values()) for row in rows])
    assert tuple(cells["text"] for _, cells in open_table(tmp_path / "a.parquet", exported=True).rows()) == TEXTS


def test_a_corrected_copy_of_an_export_is_read_as_it_was(tmp_path: Path) -> None:
    path, folder = _written(tmp_path / "cases.csv", REVIEW), tmp_path / "out"
    folder.mkdir()
    data = Data(files="cases.csv", label="verdict")
    rows = list(open_table(path).rows())
    copy = rewrite(path, data, {rows[1][0]: "c"}, folder)
    again = list(open_table(copy.path).rows())
    assert tuple(cells["text"] for _, cells in again) == TEXTS and again[1][1]["verdict"] == "c"
    with copy.path.open(encoding="utf-8-sig", newline="") as file:
        assert not any(cell.startswith(("=", "-")) for row in csv.reader(file) for cell in row)
