"""A copy of a labelled file with some labels changed and some rows removed; every other cell stays as it is.

A text keeps its encoding, its line ends and the bytes of each row that is not changed; of a changed row only the cell
of the label is written anew. JSON lines keep the lines that are not changed. A workbook, parquet, a list in JSON and
what cannot be cut into its cells become CSV in UTF-8. Each copy is read again and compared with its source.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penjing.core.errors import DataError, UsageError
from penjing.core.recipe import Data
from penjing.data.cells import Fault
from penjing.data.encoding import Encoding, find_encoding
from penjing.data.fields import match_header
from penjing.data.formula_cells import defuse, is_export
from penjing.data.layout import Layout, records
from penjing.data.read import Opened
from penjing.data.source import open_source
from penjing.data.table import open_labelled

Changes = Mapping[int, str | None]


@dataclass(frozen=True)
class Rewritten:
    """The file that was written, and whether it has the form of its source; else it is CSV in UTF-8."""

    path: Path
    kept_form: bool


class _UncutError(Exception):
    """A text of which the cells of a row cannot be told apart."""


def rewrite(source: Path, data: Data, changes: Changes, folder: Path) -> Rewritten:
    """Write the copy of a file of rows into a folder, under its name.

    data: how the recipe reads it. changes: the new label by row number, None to remove the row; a list of labels is the
    JSON of a list where the source is JSON and holds lists. Raises UsageError where a file of that name is there, or
    the rows are annotated texts; DataError for a file with rows that cannot be read, which a copy would lose.
    """
    opened = open_labelled(source, data) if data.format == "auto" else None
    rows = _every(opened) if opened is not None else []
    column = match_header((data.label,), tuple(rows[0][1])).found.get(data.label) if rows else None
    if opened is None or column is None:
        what = f"labels of annotated texts (`format: {data.format}`) are corrected where they were annotated"
        raise UsageError(what, where=str(source), fix="correct them there, and export the texts again")
    stem = source.name.removesuffix(".gz") if source.suffix.lower() == ".gz" else source.name
    wanted = [
        {**cells, column: new} for row, cells in rows if (new := changes.get(row, cells.get(column, ""))) is not None
    ]
    try:
        kept = _same_form(source, data, opened, changes, column)
    except (_UncutError, UnicodeError, ValueError):
        kept = None
    if kept is not None:
        target = _free(folder / stem)
        target.write_bytes(kept)
        if _reads_as(target, data, wanted):
            return Rewritten(target, kept_form=True)
        target.unlink()
    target = _free(folder / (Path(stem).stem + ".csv"))
    _write_csv(target, wanted)
    return Rewritten(target, kept_form=False)


def _every(opened: Opened) -> list[tuple[int, dict[str, str]]]:
    """All rows. Raises DataError for the first that cannot be read."""
    faults: list[Fault] = []
    rows = list(opened.rows(faults))
    if faults:
        fault = faults[0]
        what = f"row {fault.row} cannot be read, so a copy would lose it: {fault.what}"
        raise DataError(what, where=opened.where, fix=fault.fix)
    return rows


def _free(path: Path) -> Path:
    if path.exists():
        raise UsageError("there is such a file already", where=str(path), fix="name another folder: --out DIR")
    return path


def _reads_as(target: Path, data: Data, wanted: list[dict[str, str]]) -> bool:
    """Whether the copy reads as the wanted rows, cell by cell; a list of labels as its JSON."""
    try:
        found = [cells for _, cells in _every(open_labelled(target, data))]
    except (DataError, UsageError):
        return False
    return len(found) == len(wanted) and all(
        one.keys() == other.keys() and all(_plain(one[name]) == _plain(other[name]) for name in one)
        for one, other in zip(found, wanted, strict=True)
    )


def _plain(cell: str) -> str:
    """A cell for a comparison: JSON without its spaces, a list of one value as that value."""
    if not cell.startswith("["):
        return cell
    try:
        value = json.loads(cell)
    except ValueError:
        return cell
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str):
        return value[0]
    return json.dumps(value, ensure_ascii=False)


def _same_form(source: Path, data: Data, opened: Opened, changes: Changes, column: str) -> bytes | None:
    """The bytes of the copy in the form of its source; None where it cannot have that form."""
    if opened.layout is None or opened.layout.kind == "lines":
        return None
    found = open_source(source)
    encoding = find_encoding(found.open, found.name, data.encoding)
    with found.open() as raw:
        content = raw.read()
    text = content.decode(encoding.name, encoding.errors)
    if _encoded(text, encoding) != content:
        return None
    lines = list(io.StringIO(text, newline=""))
    if opened.layout.kind == "json":
        return _encoded("".join(_json_lines(lines, changes, column)), encoding)
    place = (opened.names or []).index(column)
    return _encoded("".join(_cell_lines(lines, opened.layout, changes, place)), encoding)


def _encoded(text: str, encoding: Encoding) -> bytes:
    return text.encode(encoding.name, encoding.errors)


def _cell_lines(lines: list[str], layout: Layout, changes: Changes, place: int) -> Iterator[str]:
    """The lines of a table; the cell at this place of a changed row is new."""
    last = 0
    for record in records(lines, layout):
        if isinstance(record, Fault):
            raise _UncutError
        start, end, cells = record
        yield from lines[last : start - 1]
        piece, last = "".join(lines[start - 1 : end]), end
        if start not in changes:
            yield piece
        elif (new := changes[start]) is not None:
            spans = list(_spans(piece, layout))
            if len(spans) != len(cells):
                raise _UncutError
            first, behind = spans[place]
            yield piece[:first] + _cell(new, piece[first:behind], layout) + piece[behind:]
    yield from lines[last:]


def _spans(piece: str, layout: Layout) -> Iterator[tuple[int, int]]:
    """Where each cell of a row is, its quotes included; the line end is in none."""
    place, length = 0, len(piece.rstrip("\r\n"))
    while True:
        first = place
        if layout.quoting != "plain":
            while layout.spaced and piece[place : place + 1] == " ":
                place += 1
            if piece[place : place + 1] == '"':
                place = _behind_quote(piece, place, layout.quoting == "escaped")
        while place < length and piece[place] != layout.delimiter:
            place += 1
        yield first, place
        if place >= length:
            return
        place += 1


def _behind_quote(piece: str, place: int, escaped: bool) -> int:
    """Behind the quote that closes a cell, which begins with one at this place."""
    place += 1
    while place < len(piece):
        if (escaped and piece[place] == "\\") or piece[place : place + 2] == '""':
            place += 2
        elif piece[place] == '"':
            return place + 1
        else:
            place += 1
    raise _UncutError


def _cell(new: str, old: str, layout: Layout) -> str:
    """A cell as this layout writes it: in quotes where it was, or where it must be."""
    special = any(mark in new for mark in (layout.delimiter, '"', "\n", "\r"))
    if layout.quoting == "plain":
        if special:
            raise _UncutError
        return new
    return '"' + new.replace('"', '""') + '"' if special or old.lstrip().startswith('"') else new


def _json_lines(lines: list[str], changes: Changes, column: str) -> Iterator[str]:
    """The lines of JSON, one object each; a changed one has its label anew."""
    for number, line in enumerate(lines, start=1):
        if number not in changes:
            yield line
            continue
        new = changes[number]
        if new is None:
            continue
        row = json.loads(line)
        if not isinstance(row, dict):
            raise _UncutError
        inner = row["fields"] if column not in row and isinstance(row.get("fields"), dict) else row
        if column not in inner:
            raise _UncutError
        inner[column] = _like(new, inner[column])
        yield json.dumps(row, ensure_ascii=False) + line[len(line.rstrip("\r\n")) :]


def _like(new: str, old: Any) -> Any:
    """A label as a value of the kind of the old one: a list, a number, a truth value, else a text."""
    if isinstance(old, str) or old is None:
        return new
    try:
        value = json.loads(new)
    except ValueError:
        return [new] if isinstance(old, list) else new
    return value if type(value) is type(old) else [new] if isinstance(old, list) else new


def _write_csv(target: Path, rows: list[dict[str, str]]) -> None:
    """All rows as CSV in UTF-8 with a mark, which spreadsheets read."""
    names = list(dict.fromkeys(name for cells in rows for name in cells))
    with target.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        written = defuse if is_export(names) else str  # as the copy is read
        writer.writerows([[written(str(cells.get(name, ""))) for name in names] for cells in rows])
