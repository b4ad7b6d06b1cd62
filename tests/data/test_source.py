"""What a file is, whatever its name says."""

from __future__ import annotations

import gzip
import io
import os
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from penjing.core.errors import DataError, UsageError
from penjing.data import source
from penjing.data.source import open_source


def packed(*names: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return target.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "format"),
    [
        ("a.csv", b"text,label\n", "text"),
        ("a.csv", b"", "text"),
        ("a.xlsx", b"text,label\n", "text"),
        ("a.csv", "text\n".encode("utf-16-le"), "text"),
        ("a.csv", b"<b>bold</b> words are texts too\n", "text"),
        ("a.csv", packed("xl/workbook.xml"), "workbook"),
        ("a.xls", b"\xd0\xcf\x11\xe0 and more", "workbook"),
        ("a.csv", b"PAR1 and more", "parquet"),
        ("a.csv.gz", gzip.compress(b"text\n", mtime=0), "text"),
    ],
)
def test_the_content_says_the_format(tmp_path: Path, name: str, content: bytes, format: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert open_source(tmp_path / name).format == format


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", packed("tickets.csv", "more.csv"), "a zip archive that holds `tickets.csv`, `more.csv`"),
        ("a.docx", packed("word/document.xml"), "a text document"),
        ("a.csv", b"PK\x03\x04...", "damaged"),
        ("a.xls", b"<html><body><table><tr><td>a</td></tr></table>", "a web page (HTML) under another name"),
        ("a.xls", b'<?xml version="1.0"?><Workbook/>', "XML"),
        ("a.csv", b"%PDF-1.7", "a PDF document"),
        ("a.csv", bytes(range(1, 32)) * 9, "not text"),
        ("a.csv.gz", gzip.compress(b"text,label\n" * 1000, mtime=0)[:-12], "damaged gzip"),
    ],
)
def test_what_is_no_table_is_named(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as caught, open_source(tmp_path / name).open() as raw:
        raw.read()
    assert said in caught.value.what
    assert caught.value.fix


def test_paths_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text\n", encoding="utf-8")
    with pytest.raises(UsageError, match="did you mean"):
        open_source(tmp_path / "b.csv")
    with pytest.raises(UsageError, match="folder"):
        open_source(tmp_path)
    with pytest.raises(UsageError, match="part of this path is a file"):
        open_source(tmp_path / "a.csv" / "b.csv")


def test_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_text("text\n", encoding="utf-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert open_source("~/a.csv").path == tmp_path / "a.csv"


def test_a_pipe_is_read_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(b"text\na\n"))
    writer.start()
    found = open_source(pipe)
    writer.join()
    for _ in range(2):
        with found.open() as raw:
            assert raw.read() == b"text\na\n"


def test_standard_input_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MOST_INPUT", 8)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"123456789")))
    with pytest.raises(UsageError, match="standard input: a pipe with more than"):
        open_source("-")
