"""Workbooks (.xlsx, .xls, .xlsb, .ods) and parquet as rows of cells: one sheet, named or chosen and noted."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penjing.core.errors import DataError, MissingPackageError, UsageError
from penjing.core.options import nearest
from penjing.core.whole_number import whole_number
from penjing.data.cells import UnreadableCell, parquet_cell, sheet_cell
from penjing.data.choice import ChoiceError
from penjing.data.header import has_names
from penjing.data.layout import Record
from penjing.data.source import BROKEN_ZIP, Source

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

_RESAVE = "open it in a spreadsheet and save it as .xlsx or CSV (UTF-8)"
_MOST_CHARACTERS = 32_767  # a cell of a workbook holds no more: a longer text was cut
_HEADER_ROWS = 12
_BATCH = 2048  # rows of parquet that are in memory at once
_FORMULA = re.compile(rb'<c r="([A-Z]+)(\d+)"[^>]*>\s*<f[^>]*(?:/>|>[^<]*</f>)\s*(?:<v\s*/>|<v></v>)?\s*</c>')


@dataclass(frozen=True)
class Sheet:
    """The cells of one sheet as (row number, row number, cells); `merged`: its merged ranges, from 0."""

    name: str
    records: list[Record]
    merged: Sequence[tuple[tuple[int, int], tuple[int, int]]] = ()
    notes: list[str] = field(default_factory=list)


def read_parquet(source: Source) -> tuple[list[str], list[Record]]:
    """Names and rows of a parquet file. Raises MissingPackageError, DataError."""
    try:
        import polars
        from polars.exceptions import PolarsError
    except ImportError:
        raise MissingPackageError(
            "parquet files need the package polars, which is not installed here",
            where=source.name,
            fix="save the table as CSV (UTF-8) or JSON lines, or: pip install 'penjing[train]'",
        ) from None
    try:
        with source.open() as raw:
            frame = polars.read_parquet(raw.read())
    except (PolarsError, OSError) as error:
        what = f"not a readable parquet file: {str(error).splitlines()[0]}"
        raise DataError(what, where=source.name, fix="write it again") from None
    rows = enumerate(frame.iter_rows(), start=1)
    return list(frame.columns), [(row, row, [parquet_cell(value) for value in values]) for row, values in rows]


def stream_parquet(path: Path, choose: Callable[[list[str]], Sequence[str]]) -> Iterator[list[str]]:
    """The cells of chosen columns, row by row; a few row groups are in memory at once.

    choose: names of all columns -> those that are read. Raises MissingPackageError, DataError, and what `choose` does.
    """
    try:
        import polars
        from polars.exceptions import PolarsError
    except ImportError:
        raise MissingPackageError(
            "parquet files need the package polars, which is not installed here",
            where=str(path),
            fix="save the table as CSV (UTF-8) or JSON lines, or: pip install 'penjing[train]'",
        ) from None
    try:
        frame = polars.scan_parquet(path, glob=False)
        frame = frame.select(list(choose(frame.collect_schema().names())))
        for batch in frame.collect_batches(chunk_size=_BATCH, maintain_order=True):
            for values in batch.iter_rows():
                yield [parquet_cell(value) for value in values]
    except (PolarsError, OSError) as error:
        what = f"not a readable parquet file: {str(error).splitlines()[0]}"
        raise DataError(what, where=str(path), fix="write it again") from None


def read_sheet(source: Source, name: str | None, wanted: Sequence[str]) -> Sheet:
    """The sheet with that name or number; else the only visible one with cells, or the only one with those columns.

    Raises DataError (unreadable, a password, nothing in it), UsageError (no such sheet, several that fit).
    """
    from python_calamine import CalamineError, PasswordError, load_workbook

    try:
        with source.open() as raw:
            book = load_workbook(raw)
            sheets = {each.name: each for each in book.sheets_metadata}
            chosen, notes = _choose(book, sheets, name, wanted, source.name)
            found = book.get_sheet_by_name(chosen)
            holes = _uncomputed(raw, book.sheet_names.index(chosen), source.name)
            return Sheet(chosen, _records(found, holes, notes), found.merged_cell_ranges or (), notes)
    except PasswordError:
        raise _locked(source) from None
    except CalamineError as error:
        if _is_locked(source):
            raise _locked(source) from None
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"not a readable workbook: {said}", where=source.name, fix=_RESAVE) from None


def _is_locked(source: Source) -> bool:
    with source.open() as raw:
        return "EncryptedPackage".encode("utf-16-le") in raw.read()


def _locked(source: Source) -> DataError:
    what = "this workbook is protected by a password"
    return DataError(what, where=source.name, fix="save a copy without the password")


def _choose(
    book: Any, sheets: dict[str, Any], name: str | None, wanted: Sequence[str], where: str
) -> tuple[str, list[str]]:
    """(the name of the sheet, notes about the others)."""
    if name is not None:
        if name in sheets:
            return name, []
        if (number := whole_number(name, 1, len(sheets))) is not None:
            return list(sheets)[number - 1], []
        raise UsageError(f"there is no sheet `{name}`", where=where, fix=nearest(name, list(sheets)))
    filled = {each: book.get_sheet_by_name(each) for each in sheets if _is_cells(sheets[each])}
    filled = {each: sheet for each, sheet in filled.items() if sheet.end is not None}
    shown = {each: sheet for each, sheet in filled.items() if _is_visible(sheets[each])}
    hidden = [each for each in filled if each not in shown]
    passed = [f"the hidden sheet `{each}` was not read" for each in hidden]
    if len(shown) == 1:
        return next(iter(shown)), passed
    if not shown and len(hidden) == 1:
        return hidden[0], [f"`{hidden[0]}` is hidden, but it is the only sheet with cells: it was read"]
    fitting = [each for each, sheet in shown.items() if wanted and _has_columns(sheet, wanted)]
    if len(fitting) == 1:
        others = ", ".join(f"`{each}`" for each in shown if each != fitting[0])
        return fitting[0], [f"read the sheet `{fitting[0]}`, which has the columns; not read: {others}", *passed]
    choices = shown or filled
    if not choices:
        raise DataError("the workbook has no cells", where=where, fix="name a file with texts")
    sizes = {each: sheet.end[0] + 1 for each, sheet in choices.items()}
    held = {each: f"{sizes[each]:,} rows, {_first_row(sheet)}" for each, sheet in choices.items()}
    largest = max(sizes, key=lambda each: sizes[each])
    fix = f"name one: --sheet {largest} (in a recipe, `sheet:` under `data:`)"
    raise ChoiceError("sheet", held, where, fix)


def _first_row(sheet: CalamineSheet) -> str:
    """The first row with several cells: a title above the table does not say what the sheet contains."""
    rows = [[text for value in row if (text := sheet_cell(value).strip()[:16])] for row in sheet.to_python(nrows=12)]
    shown = next((row for row in rows if len(row) > 1), next((row for row in rows if row), []))
    return ", ".join(shown[:6]) + (", …" if len(shown) > 6 else "")


def _is_cells(sheet: Any) -> bool:
    return str(sheet.typ).endswith("WorkSheet")


def _is_visible(sheet: Any) -> bool:
    return str(sheet.visible).endswith(".Visible")


def _has_columns(sheet: CalamineSheet, wanted: Sequence[str]) -> bool:
    rows = sheet.to_python(skip_empty_area=False, nrows=_HEADER_ROWS)
    return any(has_names([sheet_cell(value) for value in row], wanted) for row in rows)


def _records(sheet: CalamineSheet, holes: dict[tuple[int, int], str], notes: list[str]) -> list[Record]:
    records: list[Record] = []
    cut = []
    for row, values in enumerate(sheet.to_python(skip_empty_area=False), start=1):
        cells = [sheet_cell(value) for value in values]
        if any(len(cell) >= _MOST_CHARACTERS for cell in cells):
            cut.append(row)
        records.append((row, row, cells))
    for (row, column), cell in holes.items():
        if row < len(records) and column < len(records[row][2]) and not records[row][2][column]:
            what = f"a formula whose value was not saved (cell {cell})"
            records[row][2][column] = UnreadableCell("", what, "open the workbook in a spreadsheet and save it again")
    if cut:
        listed = ", ".join(map(str, cut[:5])) + (", …" if len(cut) > 5 else "")
        notes.append(f"row {listed}: a cell of 32,767 characters, the most that a workbook holds, so it may be cut")
    return records


def fill_merged(sheet: Sheet, header: int) -> str | None:
    """Give every row of a merged range below the header the value of the first; what was done, in words.

    A range over several columns fills its first column only: the others are empty in the sheet too.
    """
    filled = []
    for (top, left), (bottom, _) in sorted(sheet.merged):
        if top + 1 <= header or bottom == top or top >= len(sheet.records):
            continue
        value = sheet.records[top][2][left] if left < len(sheet.records[top][2]) else ""
        if not value:
            continue
        for row in range(top + 1, min(bottom + 1, len(sheet.records))):
            cells = sheet.records[row][2]
            if left < len(cells) and not cells[left] and any(cells):
                cells[left] = value
        filled.append(f"{_letters(left)}{top + 1}:{_letters(left)}{bottom + 1}")
    if not filled:
        return None
    listed = ", ".join(filled[:3]) + (", …" if len(filled) > 3 else "")
    counted = f"{len(filled):,} merged range{'s' * (len(filled) != 1)}"
    return f"{counted} ({listed}): each row has the value of the first cell"


def _uncomputed(raw: Any, index: int, where: str) -> dict[tuple[int, int], str]:
    """(row, column) from 0 of formulas without a stored value, with their names; only .xlsx says so.

    Raises DataError for a damaged archive: the reader of workbooks overlooks some damage.
    """
    raw.seek(0)
    if not zipfile.is_zipfile(raw):
        return {}
    found = {}
    try:
        with zipfile.ZipFile(raw) as archive:
            names = _sheet_files(archive)
            sheet = archive.read(names[index]) if index < len(names) and names[index] in archive.namelist() else b""
    except BROKEN_ZIP as error:
        raise DataError(f"not a readable workbook: {error}", where=where, fix=_RESAVE) from None
    for match in _FORMULA.finditer(sheet):
        letters, row = match[1].decode(), int(match[2])
        found[row - 1, _column(letters)] = f"{letters}{row}"
    return found


def _sheet_files(archive: zipfile.ZipFile) -> list[str]:
    """The file of each sheet of an .xlsx in the order of the workbook."""
    try:
        book = archive.read("xl/workbook.xml")
        links = archive.read("xl/_rels/workbook.xml.rels")
    except KeyError:
        return []
    targets = {}
    for link in re.findall(rb"<Relationship\b[^>]*>", links):
        place, target = re.search(rb'\bId="([^"]*)"', link), re.search(rb'\bTarget="([^"]*)"', link)
        if place and target:
            path = target[1].decode()
            targets[place[1]] = path[1:] if path.startswith("/") else f"xl/{path}"
    sheets = re.findall(rb"<sheet\b[^>]*>", book)
    ids = [re.search(rb'\br:id="([^"]*)"', sheet) for sheet in sheets]
    return [targets.get(found[1], "") if found else "" for found in ids]


def _letters(column: int) -> str:
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1
