"""Workbooks of other programs: .ods of LibreOffice and .xls of Excel 97, written here byte by byte."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from penjing.core.errors import DataError
from penjing.data.choice import ChoiceError
from penjing.data.guess import guess
from penjing.data.read import Reading, open_table

Rows = Sequence[Sequence[str | float]]
ROWS: Rows = [
    ["内容", "类别", "金额"],
    *([f"快递太慢了，等了{i}天", ["物流", "质量"][i % 2], i + 0.5] for i in range(40)),
]
_ODS = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.2"'
)


def write_ods(path: Path, sheets: Mapping[str, Rows]) -> Path:
    """A document of LibreOffice with those sheets."""
    body = []
    for name, rows in sheets.items():
        lines = ["".join(_ods_cell(cell) for cell in row) for row in rows]
        inner = "".join(f"<table:table-row>{line}</table:table-row>" for line in lines)
        body.append(f'<table:table table:name="{name}">{inner}</table:table>')
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {_ODS}><office:body><office:spreadsheet>'
        f"{''.join(body)}</office:spreadsheet></office:body></office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", kind)
        archive.writestr("content.xml", content)
        archive.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
            f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/></manifest:manifest>',
        )
    return path


def _ods_cell(cell: str | float) -> str:
    if cell == "":
        return "<table:table-cell/>"
    if isinstance(cell, float):
        typed = f'office:value-type="float" office:value="{cell}"'
        return f"<table:table-cell {typed}><text:p>{cell}</text:p></table:table-cell>"
    return f'<table:table-cell office:value-type="string"><text:p>{escape(cell)}</text:p></table:table-cell>'


def write_xls(path: Path, sheets: Mapping[str, Rows]) -> Path:
    """A workbook of Excel 97 (BIFF8 in an OLE file of one stream) with those sheets."""
    bodies = []
    for rows in sheets.values():
        cells = [(row, column, cell) for row, line in enumerate(rows) for column, cell in enumerate(line) if cell != ""]
        width = max(map(len, rows))
        bodies.append(
            _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 0, 0, 0))
            + _record(0x0200, struct.pack("<IIHHH", 0, len(rows), 0, width, 0))
            + b"".join(_xls_cell(*each) for each in cells)
            + _record(0x000A, b"")
        )
    begin, end = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 0)), _record(0x000A, b"")
    names = [_short(name) for name in sheets]
    place = len(begin) + sum(4 + 6 + len(name) for name in names) + len(end)
    listed = b""
    for name, body in zip(names, bodies, strict=True):
        listed += _record(0x0085, struct.pack("<IBB", place, 0, 0) + name)
        place += len(body)
    path.write_bytes(_ole(begin + listed + end + b"".join(bodies)))
    return path


def _record(kind: int, data: bytes) -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def _short(text: str) -> bytes:
    return struct.pack("<BB", len(text), 1) + text.encode("utf-16-le")


def _xls_cell(row: int, column: int, cell: str | float) -> bytes:
    if isinstance(cell, float):
        return _record(0x0203, struct.pack("<HHHd", row, column, 0, cell))
    return _record(0x0204, struct.pack("<HHHHB", row, column, 0, len(cell), 1) + cell.encode("utf-16-le"))


def _ole(stream: bytes) -> bytes:
    """A compound file: header, table of sectors, directory, the stream."""
    stream += bytes(-len(stream) % 512 if len(stream) >= 4096 else 4096 - len(stream))
    count = len(stream) // 512
    tables = 1
    while (count + 1 + tables) > tables * 128:
        tables += 1
    chain = [0xFFFFFFFD] * tables + [0xFFFFFFFE]  # the table itself, the directory
    first = len(chain)
    chain += [*range(first + 1, first + count), 0xFFFFFFFE]
    chain += [0xFFFFFFFF] * (tables * 128 - len(chain))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIIIIII", 0, tables, tables, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    header += struct.pack("<109I", *range(tables), *[0xFFFFFFFF] * (109 - tables))
    directory = _entry("Root Entry", 5, 1, 0xFFFFFFFE, 0) + _entry("Workbook", 2, 0xFFFFFFFF, first, len(stream))
    directory += (bytes(68) + b"\xff" * 12 + bytes(48)) * 2
    return header + struct.pack(f"<{len(chain)}I", *chain) + directory + stream


def _entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
    raw = name.encode("utf-16-le") + b"\0\0"
    head = raw.ljust(64, b"\0") + struct.pack("<HBBIII", len(raw), kind, 1, 0xFFFFFFFF, 0xFFFFFFFF, child)
    return head + bytes(36) + struct.pack("<IQ", start, size)


WRITERS = {".ods": write_ods, ".xls": write_xls}


@pytest.mark.parametrize("suffix", WRITERS)
def test_a_sheet_is_read_like_an_xlsx(tmp_path: Path, suffix: str) -> None:
    path = WRITERS[suffix](tmp_path / f"a{suffix}", {"明细": ROWS})
    opened = open_table(path)
    assert (opened.names, opened.header, opened.encoding) == (["内容", "类别", "金额"], 1, suffix[1:])
    rows = list(opened.rows())
    assert len(rows) == 40
    assert rows[1] == (3, {"内容": "快递太慢了，等了1天", "类别": "质量", "金额": "1.5"})
    found = guess(path)
    assert (found.text, found.label) == ("内容", "类别")


@pytest.mark.parametrize("suffix", WRITERS)
def test_several_sheets_titles_and_names_in_two_rows(tmp_path: Path, suffix: str) -> None:
    titled: Rows = [
        ["2026年明细"],
        ["编号", "内容", "处理", ""],
        ["", "", "类别", "结果"],
        *(["1", *row] for row in ROWS[1:]),
    ]
    path = WRITERS[suffix](tmp_path / f"a{suffix}", {"一月": titled, "二月": ROWS})
    with pytest.raises(ChoiceError, match="several sheets"):
        open_table(path)
    opened = open_table(path, Reading(sheet="一月"))
    assert (opened.names, opened.header) == (["编号", "内容", "类别", "结果"], 3)
    assert open_table(path, wanted=("金额",)).names == ["内容", "类别", "金额"]


@pytest.mark.parametrize("suffix", WRITERS)
def test_a_damaged_one_is_refused(tmp_path: Path, suffix: str) -> None:
    path = WRITERS[suffix](tmp_path / f"a{suffix}", {"明细": ROWS})
    path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(DataError):
        open_table(path)
