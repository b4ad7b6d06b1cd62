"""Reads all rows: text in any layout and encoding, workbooks and parquet, from a file or standard input."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import Protocol

from penjing.core.errors import DataError, UsageError
from penjing.core.paths import AnyPath
from penjing.data.cells import Fault as Fault
from penjing.data.cells import UnreadableCell, refuse_unreadable
from penjing.data.encoding import Encoding, find_encoding
from penjing.data.formula_cells import fused, is_export
from penjing.data.header import column_names, find_header, is_second_header, join_headers
from penjing.data.json_rows import json_rows
from penjing.data.layout import Layout, Record, find_layout, misfits, quotings, records
from penjing.data.sheets import Sheet, fill_merged, read_parquet, read_sheet
from penjing.data.source import Source, open_source

Rows = Iterator[tuple[int, dict[str, str]]]
_HEAD = 200  # lines that show the layout
_HEADER = 60  # rows among which the header is looked for
_WIDE = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "bar"}


class FileSettings(Protocol):
    """The settings for files under `data:` in a recipe."""

    @property
    def encoding(self) -> str: ...
    @property
    def sheet(self) -> str | None: ...
    @property
    def header(self) -> int | None: ...
    @property
    def columns(self) -> list[str] | None: ...


@dataclass(frozen=True)
class Reading:
    """The given settings for reading a file; what is not given is detected.

    header: the row of the header, 0 for none; columns: names of a file without a header; lines: each line is a text.
    """

    encoding: str = "auto"
    sheet: str | None = None
    header: int | None = None
    columns: Sequence[str] | None = None
    lines: bool = False

    @classmethod
    def of(cls, data: FileSettings) -> Reading:
        """The settings of a recipe."""
        return cls(data.encoding, data.sheet, data.header, data.columns)


@dataclass
class Opened:
    """An opened table: its columns, how it is read, and `notes` about what was skipped.

    names: the columns, None for JSON, whose rows have their own; encoding: of a text, for other files their kind.
    first_rows: the first rows of cells, the header included; header: its row, 0 for none. exported: whether the cells
    were written by Penjing for a spreadsheet; the apostrophe before a formula is then taken away.
    """

    where: str
    encoding: str
    names: list[str] | None
    header: int
    notes: list[str]
    layout: Layout | None
    first_rows: list[list[str]]
    _read: Callable[[], Iterator[Record | Fault]] = field(repr=False)
    _json: Callable[[], Iterator[tuple[int, dict[str, str] | Fault]]] | None = field(default=None, repr=False)
    exported: bool = False

    def rows(self, faults: list[Fault] | None = None, used: Sequence[str] = ()) -> Rows:
        """Stream (row number, cells by column). A row number is the line, or the row of the sheet, where it begins.

        used: columns whose cells must hold plain values. With `faults`, rows that cannot be read are added to it and
        skipped; without, the first raises DataError.
        """
        found = self._json() if self._json else self._cells()
        for row, cells in found:
            fault = cells if isinstance(cells, Fault) else refuse_unreadable(cells, used, row)
            if fault is None:
                assert not isinstance(cells, Fault)
                yield row, cells
            elif faults is None:
                raise DataError(f"row {fault.row}: {fault.what}", where=f"{self.where}:{fault.row}", fix=fault.fix)
            else:
                faults.append(fault)

    def without_header(self) -> Opened:
        """The same table of cells with its first row as a row, and columns that are named by their places."""
        width = max((len(row) for row in self.first_rows), default=1)
        names = [f"column_{place}" for place in range(1, width + 1)]
        return replace(self, names=names, header=0, notes=list(self.notes))

    def changed(self, change: Callable[[str, str], str]) -> Opened:
        """The same table with the cell that `change` gives for a column and its cell, where the cell is plain."""

        def rows() -> Iterator[tuple[int, dict[str, str] | Fault]]:
            for row, cells in self._json() if self._json else self._cells():
                if not isinstance(cells, Fault):
                    cells = {name: change(name, cell) if type(cell) is str else cell for name, cell in cells.items()}
                yield row, cells

        return replace(self, _json=rows)

    def _cells(self) -> Iterator[tuple[int, dict[str, str] | Fault]]:
        names = self.names or []
        again: list[int] = []
        for record in self._read():
            if isinstance(record, Fault):
                yield record.row, record
                continue
            row, _, cells = record
            if row <= self.header or _is_blank(cells, self.layout is None):
                continue
            if len(names) > 1 and [cell.strip().lstrip("\ufeff") for cell in cells[: len(names)]] == names:
                again.append(row)
                continue
            fitted = _fit(cells, names)
            if fitted is None:
                yield row, Fault(row, *self._miscount(len(cells), len(names)))
            else:
                yield row, dict(zip(names, map(_fused, fitted) if self.exported else fitted, strict=True))
        # Where columns were named and no header row is known, the first such row is the header of the file.
        if again and (self.header or len(again) > 1):
            listed = ", ".join(map(str, again[:5])) + (", …" if len(again) > 5 else "")
            _add(self.notes, f"the header is repeated in row {listed}: skipped")

    def _miscount(self, found: int, wanted: int) -> tuple[str, str]:
        delimiter = self.layout.delimiter if self.layout else ","
        mark = _WIDE.get(delimiter, delimiter)
        expected = f"the header has {wanted}" if self.header else f"`columns:` names {wanted}"
        if wanted > 1 and self.layout is not None and self.layout.quoting != "plain" and found > wanted:
            return f"{found} cells, but {expected}", f"put quotes around a cell that contains a {mark}"
        said = f"{found} cell{'s' * (found != 1)}, but {expected}"
        if wanted == 1 and self.header:
            return said, "name the row of the header: --header N (in a recipe, `header:` under `data:`)"
        return said, f"write one {mark} between two cells and none inside"


def open_table(
    file: AnyPath, reading: Reading | None = None, wanted: Sequence[str] = (), *, exported: bool = False
) -> Opened:
    """Open a file, or standard input for "-", and detect how it is read.

    wanted: columns that it should have; by them the header, the sheet, and a table among plain lines are recognised.
    exported: that it is a file which Penjing wrote for people, whatever its columns; they are recognised otherwise.
    Raises UsageError (no such file, no such sheet or several) and DataError (cannot be read).
    """
    return _marked(_open(file, reading or Reading(), wanted), exported=exported)


def _marked(opened: Opened, *, exported: bool) -> Opened:
    """A table that says whether Penjing wrote its cells for people. JSON and parquet, for programs, are as they are."""
    for_people = opened.encoding != "parquet" and (opened.layout is None or opened.layout.kind not in ("json", "lines"))
    return replace(opened, exported=for_people and (exported or is_export(opened.names or ())))


def _open(file: AnyPath, reading: Reading, wanted: Sequence[str]) -> Opened:
    source = open_source(file)
    if source.format == "text":
        return _open_text(source, reading, wanted)
    if source.format == "parquet":
        names, rows = read_parquet(source)
        return Opened(source.name, "parquet", names, 0, [], None, [names], lambda: iter(rows))
    sheet = read_sheet(source, reading.sheet, wanted)
    kind = source.suffix[1:] or "workbook"
    return _open_sheet(source, sheet, reading, wanted, kind)


def open_head(head: bytes, name: str, suffix: str, wanted: Sequence[str] = ()) -> Opened:
    """How a text of rows is read, decided by its first bytes, as for a stream that can be read once only.

    head ends with a line. Raises DataError as `open_table` does.
    """
    return _marked(_open_text(Source(name, suffix, "text", content=head), Reading(), wanted), exported=False)


def read_rows(
    file: AnyPath,
    *,
    encoding: str = "auto",
    columns: Sequence[str] | None = None,
    faults: list[Fault] | None = None,
) -> Rows:
    """The rows of a file as `Opened.rows` gives them. Raises as `open_table` does."""
    return open_table(file, Reading(encoding=encoding, columns=columns)).rows(faults)


def _open_sheet(source: Source, sheet: Sheet, reading: Reading, wanted: Sequence[str], kind: str) -> Opened:
    notes = list(sheet.notes)
    head: list[Record] = list(islice(sheet.records, _HEADER + (reading.header or 0)))
    names, header, first = _columns(head, reading, wanted, source.name, notes)
    filled = fill_merged(sheet, header)
    if filled:
        notes.append(filled)
    return Opened(source.name, kind, names, header, notes, None, first, lambda: iter(sheet.records))


def _open_text(source: Source, reading: Reading, wanted: Sequence[str]) -> Opened:
    encoding = find_encoding(source.open, source.name, reading.encoding)
    notes = [encoding.note] if encoding.note else []
    if reading.sheet is not None:
        notes.append(f"this is text, which has no sheet `{reading.sheet}`: read as a whole")
    with _open_lines(source, encoding) as lines:
        head = list(islice(lines, _HEAD + (reading.header or 0)))
    shown = head[(reading.header or 1) - 1 :]
    if reading.lines:
        layout = Layout("lines")
    else:
        layout = find_layout(shown, source.suffix, reading.columns, wanted)
        if layout.kind == "lines" and reading.header is not None:  # a given header means a table
            layout = find_layout(shown, ".csv", reading.columns, wanted)
    if layout.kind == "json":
        rows = partial(_json_rows, source, encoding, notes)
        return Opened(source.name, encoding.name, None, 0, notes, layout, [], lambda: iter(()), rows)
    if layout.kind == "lines":
        return _open_lines_table(source, encoding, reading, wanted, notes, head)
    if layout.skip:
        notes.append(f"line 1 (`{head[0].strip()}`) names the delimiter: skipped")
    layout = _with_quotes(source, encoding, layout, reading, wanted, head)
    first_records = [
        each for each in islice(records(head, layout), _HEADER + (reading.header or 0)) if not isinstance(each, Fault)
    ]
    names, header, first = _columns(first_records, reading, wanted, source.name, notes)
    read = partial(_records, source, encoding, layout)
    return Opened(source.name, encoding.name, names, header, notes, layout, first, read)


def _open_lines_table(
    source: Source, encoding: Encoding, reading: Reading, wanted: Sequence[str], notes: list[str], head: Sequence[str]
) -> Opened:
    """Plain lines: one column `text`; a first line that is the wanted name is its header."""
    name = reading.columns[0] if reading.columns else "text"
    first = next((line.strip().lstrip("\ufeff") for line in head if line.strip()), "")
    table = source.suffix in (".csv", ".tsv", ".tab")
    header = reading.header or 0
    if reading.header is None and not reading.lines and first and (first in wanted or (table and not reading.columns)):
        header = next(number for number, line in enumerate(head, start=1) if line.strip())
        name = first
        if not table:
            notes.append(f"line {header}, `{first[:40]}`, is read as the name of the column")
    elif header:
        name = head[header - 1].strip() if header <= len(head) else name
    layout = Layout("lines")
    read = partial(_line_records, source, encoding)
    return Opened(source.name, encoding.name, [name], header, notes, layout, [[line.strip()] for line in head], read)


def _columns(
    head: Sequence[Record], reading: Reading, wanted: Sequence[str], where: str, notes: list[str]
) -> tuple[list[str], int, list[list[str]]]:
    """(names, row of the header or 0, the first rows with the header as their first)."""
    if not head:
        return list(reading.columns or []), 0, []
    if reading.columns is not None or reading.header == 0:
        rows = [cells for _, _, cells in head]
        names = list(reading.columns or [f"column_{place}" for place in range(1, max(map(len, rows)) + 1)])
        return column_names(names, where), 0, rows
    found = _header_place(head, reading, wanted)
    if found is None:
        raise UsageError(f"there is no row {reading.header} for the header", where=where, fix="count from 1")
    cells, place, last = join_headers([cells for _, _, cells in head], found)
    row = head[last][0]
    if last > place:
        rows_named = f"rows {head[place][0]} to {row}"
        notes.append(f"{rows_named} name the columns together: " + ", ".join(f"`{cell}`" for cell in cells[:8] if cell))
    above = [record for record in head[:place] if any(cell.strip() for cell in record[2])]
    if above:
        shown = " ".join(cell.strip() for cell in above[0][2] if cell.strip())[:40]
        rows_above = f"row {above[0][0]}" + (f" and {len(above) - 1} more" if len(above) > 1 else "")
        notes.append(f"{rows_above} above the header (`{shown}`): skipped; the header is row {head[place][0]}")
    width = max((number for number, cell in enumerate(cells, start=1) if cell.strip()), default=len(cells))
    filled = max((_filled(record[2]) for record in head[last + 1 :]), default=0)
    names = column_names(cells[: max(width, min(filled, len(cells)))], where, row)
    if last + 1 < len(head) and is_second_header(head[last + 1][2], cells):
        notes.append(f"row {head[last + 1][0]} names the columns a second time: skipped")
        row = head[last + 1][0]
    return names, row, [cells, *(cells for _, _, cells in head[last + 1 :])]


def _header_place(head: Sequence[Record], reading: Reading, wanted: Sequence[str]) -> int | None:
    """The place of the header among the first rows; None where the named row is not there."""
    if reading.header:
        return next((place for place, (start, end, _) in enumerate(head) if start <= reading.header <= end), None)
    return find_header([cells for _, _, cells in head], wanted)


def _with_quotes(
    source: Source, encoding: Encoding, layout: Layout, reading: Reading, wanted: Sequence[str], head: Sequence[str]
) -> Layout:
    """The layout with the reading of quotes that fits the most rows."""
    best, fewest = layout, -1
    for quoting in quotings(layout.delimiter):
        tried = replace(layout, quoting=quoting)
        rows = [record for record in records(head, tried) if not isinstance(record, Fault)]
        if not rows:
            continue
        place = _header_place(rows[: _HEADER + (reading.header or 0)], reading, wanted)
        width = len(reading.columns) if reading.columns else _filled(rows[place or 0][2])
        with _open_lines(source, encoding) as lines:
            count = misfits(lines, tried, max(width, 1), fewest if fewest > 0 else 1 << 30)
        if fewest < 0 or count < fewest:
            best, fewest = tried, count
        if count == 0:
            break
    return best


def _fused(cell: str) -> str:
    """A cell without the apostrophe before a formula; the same one, with all that is known of it, if it has none."""
    written = fused(cell)
    return cell if written == cell else written


def _fit(cells: list[str], names: Sequence[str]) -> list[str] | None:
    """The cells of a row under the names: empty ones at its end are cut, those without a name may be missing."""
    if len(cells) > len(names):
        return cells[: len(names)] if not any(cell.strip() for cell in cells[len(names) :]) else None
    missing = names[len(cells) :]
    if all(name.startswith("column_") for name in missing):
        return [*cells, *[""] * len(missing)]
    return None


def _is_blank(cells: Sequence[str], sheet: bool) -> bool:
    """Whether a row has no content; an empty text alone on its line is still a row."""
    return (sheet or len(cells) > 1) and not any(cell.strip() or isinstance(cell, UnreadableCell) for cell in cells)


def _filled(cells: Sequence[str]) -> int:
    return max((place for place, cell in enumerate(cells, start=1) if cell.strip()), default=0)


@contextmanager
def _open_lines(source: Source, encoding: Encoding) -> Iterator[Iterator[str]]:
    """Decoded lines with their line ends; bytes that do not decode are kept as lone surrogates."""
    with source.open() as raw:
        yield io.TextIOWrapper(raw, encoding=encoding.name, errors=encoding.errors, newline="")


def _records(source: Source, encoding: Encoding, layout: Layout) -> Iterator[Record | Fault]:
    with _open_lines(source, encoding) as lines:
        for record in records(lines, layout):
            yield record if isinstance(record, Fault) else _odd(record[0], record[1], encoding) or record


def _line_records(source: Source, encoding: Encoding) -> Iterator[Record | Fault]:
    with _open_lines(source, encoding) as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip("\r\n \t\ufeff"):
                yield _odd(number, number, encoding) or (number, number, [line.rstrip("\r\n")])


def _json_rows(source: Source, encoding: Encoding, notes: list[str]) -> Iterator[tuple[int, dict[str, str] | Fault]]:
    with _open_lines(source, encoding) as lines:
        for number, cells in json_rows(lines, source.name, notes):
            yield number, _odd(number, number, encoding) or cells


def _odd(start: int, end: int, encoding: Encoding) -> Fault | None:
    if not encoding.odd:
        return None
    for number in range(start, end + 1):
        if number in encoding.odd:
            fix = "repair that line: it was probably pasted from a file in another encoding"
            return Fault(start, encoding.odd[number], fix)
    return None


def _add(notes: list[str], note: str) -> None:
    if note not in notes:
        notes.append(note)
