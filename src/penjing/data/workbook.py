"""Writes a workbook (.xlsx) of one sheet row by row, in little memory; every cell is a text, so none is a formula.

The form is that of ISO/IEC 29500 with inline strings, which every spreadsheet reads.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from xml.sax.saxutils import escape

from penjing.core.errors import DataError

MOST_ROWS, MOST_COLUMNS, MOST_CHARACTERS = 1_048_576, 16_384, 32_767
# XML cannot hold these; a spreadsheet reads `_x0008_` as such a character, and `_x005F_` as the underscore before it.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LOOKS_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_NAMESPACE = "http://schemas.openxmlformats.org"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_FILES = {
    "[Content_Types].xml": f'<Types xmlns="{_NAMESPACE}/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
    '<Override PartName="/xl/worksheets/sheet1.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_NAMESPACE}/package/2006/relationships"><Relationship Id="rId1" '
    f'Type="{_NAMESPACE}/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_NAMESPACE}/spreadsheetml/2006/main" '
    f'xmlns:r="{_NAMESPACE}/officeDocument/2006/relationships"><sheets><sheet name="penjing" sheetId="1" r:id="rId1"/>'
    "</sheets></workbook>",
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_NAMESPACE}/package/2006/relationships"><Relationship '
    f'Id="rId1" Type="{_NAMESPACE}/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/>'
    "</Relationships>",
}


class Workbook:
    """An open sheet; `write` adds a row."""

    def __init__(self, file: TextIOWrapper) -> None:
        self._file, self._rows = file, 0

    def write(self, cells: Sequence[str]) -> None:
        """Add a row of texts. Raises DataError for more rows, columns or characters than a workbook holds."""
        self._rows += 1
        if self._rows > MOST_ROWS:
            raise DataError(
                f"a sheet of a workbook holds {MOST_ROWS:,} rows, and there are more",
                fix="export as csv, jsonl or parquet, or a shorter time with --since and --until",
            )
        longest = max(map(len, cells), default=0)
        if longest > MOST_CHARACTERS or len(cells) > MOST_COLUMNS:
            raise DataError(
                f"row {self._rows} has {len(cells):,} cells, the longest of {longest:,} characters: a workbook holds "
                f"{MOST_COLUMNS:,} cells of {MOST_CHARACTERS:,} characters",
                fix="export as csv, jsonl or parquet",
            )
        written = "".join(
            f'<c t="inlineStr"><is><t xml:space="preserve">{_escaped(cell)}</t></is></c>' if cell else "<c/>"
            for cell in cells
        )
        self._file.write(f"<row>{written}</row>")


@contextmanager
def open_workbook(path: Path) -> Iterator[Workbook]:
    """A new workbook at this path; it is complete when the block ends without an error."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
        for name, content in _FILES.items():
            archive.writestr(name, _HEAD + content)
        with (
            archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as raw,
            TextIOWrapper(raw, encoding="utf-8", newline="") as file,
        ):
            file.write(f'{_HEAD}<worksheet xmlns="{_NAMESPACE}/spreadsheetml/2006/main"><sheetData>')
            yield Workbook(file)
            file.write("</sheetData></worksheet>")


def _escaped(cell: str) -> str:
    plain = _LOOKS_ESCAPED.sub("_x005F_", cell)
    # A carriage return in XML is read as a line feed.
    return escape(_ILLEGAL.sub(lambda found: f"_x{ord(found[0]):04X}_", plain), {"\r": "_x000D_"})
