"""Files as rows of cells: marks, encodings, workbooks, and what cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import Workbook

from penjing.core.errors import RuleError
from penjing.decide.grid import decode, read_grid, split_csv, to_csv

HEADINGS = {"name", "then", "text", "名称", "则"}


def test_the_mark_by_which_most_headings_are_known(tmp_path: Path) -> None:
    for mark in ",;\t|":
        assert split_csv(f"名称{mark}则{mark}x\n", tmp_path, HEADINGS) == ([["名称", "则", "x"]], mark)
    assert split_csv("sep=;\nname;then\n", tmp_path, HEADINGS) == ([[], ["name", "then"]], ";")
    assert split_csv("sep=\t\r\nname\tthen\r\n", tmp_path, HEADINGS) == ([[], ["name", "then"]], "\t")
    assert split_csv('"sep=;"\nname;then\n', tmp_path, HEADINGS) == ([[], ["name", "then"]], ";")
    rows = [["name", "then"], ["a,b", 'c"d'], ["", "e\nf"]]
    assert split_csv(to_csv(rows), tmp_path, HEADINGS)[0] == rows


def test_refuses_what_cannot_be_read(tmp_path: Path) -> None:
    for raw, words in (
        (b"name,then\n\xff\xff\xff,x\n", "neither UTF-8 nor GB18030"),
        (b"name\0", "a NUL character"),
        (b" , \n", "the file is empty"),
        (b"x" * 101, "the file has 101 bytes; at most 100"),
        (b"PK\x03\x04" + bytes(50), "workbook"),
    ):
        (tmp_path / "r.csv").write_bytes(raw)
        with pytest.raises(RuleError, match=words):
            read_grid(tmp_path / "r.csv", HEADINGS, 100)
    with pytest.raises(RuleError, match="no such rules file"):
        read_grid(tmp_path / "none.csv", HEADINGS, 100)
    assert decode("名称".encode("utf-16"), tmp_path) == "名称"


def test_a_workbook_with_two_sheets_needs_one_with_the_columns(tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["a", "b"])
    book.create_sheet("规则").append(["名称", "则"])
    book.save(tmp_path / "r.xlsx")
    assert read_grid(tmp_path / "r.xlsx", HEADINGS, 10**6).lines == [["名称", "则"]]
    book.create_sheet("旧").append(["名称", "则"])
    book.save(tmp_path / "r.xlsx")
    with pytest.raises(RuleError, match="several sheets that could be the rules"):
        read_grid(tmp_path / "r.xlsx", HEADINGS, 10**6)


def test_a_formula_without_a_value_is_refused_with_its_place(tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["name", "then"])
    book.active.append(["a", "=A1"])
    book.save(tmp_path / "r.xlsx")
    with pytest.raises(RuleError, match=r"r.xlsx:2:2: a formula whose value was not saved"):
        read_grid(tmp_path / "r.xlsx", HEADINGS, 10**6)


@pytest.mark.parametrize(
    ("encoding", "words"),
    [("big5", "投訴"), ("cp1252", "Müller"), ("cp1252", "don’t"), ("shift_jis", "返品したい"), ("cp1251", "жалоба")],
)
def test_words_that_gb18030_takes_for_others_are_refused(tmp_path: Path, encoding: str, words: str) -> None:
    raw = f"name,text,then\nr1,contains {words},review\n".encode(encoding)
    misread = raw.decode("gb18030")
    assert words not in misread
    with pytest.raises(RuleError, match="neither UTF-8 nor, it seems, GB18030: it would be read as `r1,"):
        decode(raw, tmp_path)
    assert decode(raw, tmp_path, sealed=True) == misread
    assert decode("name,text,then\nr1,contains 投诉,review\n".encode("gb18030"), tmp_path).count("投诉") == 1
