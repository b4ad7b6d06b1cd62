"""Reads texts and fields from a file for the commands that decide or predict."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from penjing.core.errors import PenjingError, RequestError, UsageError
from penjing.core.pair import FURTHER, join_texts
from penjing.data.cells import Fault, UnreadableCell
from penjing.data.fields import match_header, unclear_names
from penjing.data.header import has_header, is_name
from penjing.data.names import role_of
from penjing.data.read import Opened, Reading, open_table

if TYPE_CHECKING:
    from penjing.core.nouns import ReleaseInfo
    from penjing.decide.schema import FactSchema

# Options of every command that reads rows.
Encoding = Annotated[str, typer.Option("--encoding", help="the file's encoding, if it is not found")]
Sheet = Annotated[str | None, typer.Option("--sheet", help="the sheet of a workbook: its name, or its number from 1")]
Header = Annotated[int | None, typer.Option("--header", min=0, help="the row of the header, from 1; 0: there is none")]
Lines = Annotated[bool, typer.Option("--lines", help="every line of the file is one text")]
# The same of every command that reads texts for a release.
TextColumn = Annotated[
    str | None, typer.Option("--text", help="the column of the texts; default: that of the release, else text")
]

Row = tuple[int, str, dict[str, str]]
T = TypeVar("T")
_SHOWN = 20


def read_texts(
    file: str,
    column: str | None,
    *,
    info: ReleaseInfo | None = None,
    reading: Reading | None = None,
    faults: list[Fault] | None = None,
    notify: Callable[[str], None] | None = None,
    on_column: Callable[[str], None] | None = None,
) -> Iterator[Row]:
    """(row number, text, all cells) of any file that training reads; "-" is standard input.

    A release that reads two texts gets both as one text.

    column: the column of the text; by default the one that the release of `info` was made with, else `text`, else the
    only column. `notify` gets a note on everything that was skipped. Rows that cannot be read go to `faults`, if given.
    on_column: gets the name of the column that the text is in, before the first row that has it there.

    Raises UsageError if the column is missing, or if a first line may be a name or a text.
    """
    reading = reading or Reading()
    made_with = info.columns.get("text") if info else None
    further = tuple(info.columns[name] for name in FURTHER if name in info.columns) if info else ()
    wanted = list(dict.fromkeys((column or made_with or "text", "text")))
    opened, name = _find(file, column, reading, wanted if column is None else [column])
    noted = _notify_new(opened, 0, notify)
    declared = tuple(info.fields) if info else ()
    first, told = True, ""
    for number, cells in opened.rows(faults):
        if opened.names is None:  # each JSON row has its own names
            found = _column_of(tuple(cells), column, wanted if first else [name, *wanted], only=first)
            if found is None:
                error = _no_column(f"{opened.where}:{number}", list(cells), wanted[0])
                if first or faults is None:
                    raise error
                faults.append(Fault(number, error.what, error.fix or ""))
                continue
            name = found
        joined = _joined(cells, name, further, opened, number, None if first else faults)
        if joined is None:
            continue
        text, others = joined
        first = False
        if on_column is not None and name != told:
            on_column(name)
            told = name
        used = (name, *others, *match_header(declared, tuple(cells)).found.values())
        odd = next((each for each in used if isinstance(cells[each], UnreadableCell)), None)
        if odd is None:
            yield number, text, _timed(cells, info)
            continue
        cell = cells[odd]
        assert isinstance(cell, UnreadableCell)
        fault = Fault(number, f"`{odd}` is {cell.what}", cell.fix)
        if faults is None:
            raise UsageError(fault.what, where=f"{opened.where}:{number}", fix=fault.fix)
        faults.append(fault)
    if first and not faults and notify is not None:
        notify(f"{opened.where}: no row of text")
    _notify_new(opened, noted, notify)


def _timed(cells: dict[str, str], info: ReleaseInfo | None) -> dict[str, str]:
    """The cells with the time of the row as `time`, where the release was made with a column of times."""
    from penjing.core.recipe import TIME
    from penjing.data.table import with_time

    return dict(with_time(cells, cells, info.columns[TIME])) if info and TIME in info.columns else cells


def _joined(
    cells: Mapping[str, str],
    first: str,
    further: tuple[str, ...],
    opened: Opened,
    number: int,
    faults: list[Fault] | None,
) -> tuple[str, list[str]] | None:
    """All texts of a row as one, and the names of the columns after the first.

    A JSON row without one of them goes to `faults`, if given; then None. Raises UsageError for an absent column.
    """
    matched = match_header(further, tuple(cells))
    if matched.unclear:
        what, fix = unclear_names(matched.unclear)
        raise UsageError(what, fix=fix)
    if absent := next((name for name in further if name not in matched.found), None):
        what = f"there is no column `{absent}`, which this release reads; there are {listed_names(tuple(cells))}"
        fix = f"name the column `{absent}`, as where the release was made"
        if opened.names is not None or faults is None:
            raise UsageError(what, where=f"{opened.where}:{number}", fix=fix)
        faults.append(Fault(number, what, fix))
        return None
    names = [matched.found[name] for name in further]
    return join_texts(cells[first], *(cells[name] for name in names)) if names else cells[first], names


def listed_names(names: Sequence[str]) -> str:
    """The first names of columns, for a message."""
    return ", ".join(f"`{name[:60]}`" for name in names[:_SHOWN])


def notify_missing(rows: Iterable[Row], schema: FactSchema, notify: Callable[[str], None]) -> Iterator[Row]:
    """The rows unchanged; `notify` gets the declared fields without a column, at the first row.

    Raises UsageError if several columns fit one field.
    """
    first = True
    for row in rows:
        if first and (missing := schema.missing_columns(tuple(row[2]))):
            notify(missing)
        first = False
        yield row


def in_order(lines: Iterable[dict[str, Any]], faults: list[Fault]) -> Iterator[dict[str, Any]]:
    """The lines of answered rows, with an error line for each row in `faults`, in the order of row numbers."""
    for line in lines:
        while faults and faults[0].row < line["row"]:
            yield _fault_line(faults.pop(0))
        yield line
    while faults:
        yield _fault_line(faults.pop(0))


def batches(rows: Iterator[T], size: int) -> Iterator[list[T]]:
    """Lists of at most `size` of them, in their order."""
    while batch := list(islice(rows, size)):
        yield batch


def error_line(row: int, error: PenjingError, code: str | None = None) -> dict[str, Any]:
    """The error line of a row without an answer; code: for programs, by default that of the error."""
    return {"row": row, "error": {"code": code or error.code, "message": error.what, "fix": error.fix}}


def _fault_line(fault: Fault) -> dict[str, Any]:
    return error_line(fault.row, RequestError(fault.what, fix=fault.fix), "bad_row")


def _notify_new(opened: Opened, noted: int, notify: Callable[[str], None] | None) -> int:
    for note in opened.notes[noted:]:
        if notify is not None:
            notify(f"{opened.where}: {note}")
    return len(opened.notes)


def _find(file: str, column: str | None, reading: Reading, wanted: Sequence[str]) -> tuple[Opened, str]:
    """The table, and the name of its column of texts ("" for JSON)."""
    opened = open_table(file, reading, wanted[:1])
    if opened.names is None or not opened.names:
        return opened, ""
    found = _column_of(tuple(opened.names), column, wanted)
    if found is None:
        raise _headless(opened) or _no_column(opened.where, opened.names, wanted[0], opened.header)
    if len(opened.names) > 1 or opened.header == 0 or reading.header is not None or found in (column, *wanted):
        return opened, found
    # A single column with another name: this name may be the first text.
    if role_of(found) is not None and len(found) <= _SHOWN:
        return opened, found
    if not _looks_like_a_name(found, opened):
        opened = opened.without_header()
        opened.notes.append("no header: the first line is read as a text too")
        return opened, (opened.names or ["text"])[0]
    raise UsageError(
        f"the first line, `{found[:60]}`, may be the name of the column or a text",
        where=opened.where,
        fix="add --header 1 if it is the name, --header 0 if it is a text",
    )


def _looks_like_a_name(first: str, opened: Opened) -> bool:
    below = [row[0].strip() for row in opened.first_rows[1:] if row]
    if len(first) > _SHOWN or first in below or not is_name(first):
        return False
    usual = sorted(map(len, below))[len(below) // 2] if below else 0
    return len(first) < max(8, usual)


def _column_of(names: tuple[str, ...], column: str | None, wanted: Sequence[str], *, only: bool = True) -> str | None:
    """The name of the column of texts, or None; `only`: a single column is accepted under any name.

    Raises UsageError if several columns fit.
    """
    for name in wanted if column is None else (column,):
        matched = match_header((name,), names)
        if matched.unclear:
            what, fix = unclear_names(matched.unclear)
            raise UsageError(what, fix=fix)
        if name in matched.found:
            return matched.found[name]
    return names[0] if only and column is None and len(names) == 1 else None


def _no_column(where: str, names: Sequence[str], wanted: str, header: int = 0) -> UsageError:
    known = listed_names(names)
    likely = [name for name in names if role_of(name) == "text"]
    shown = likely[0] if len(likely) == 1 else "COLUMN"
    shown = f'"{shown}"' if " " in shown else shown
    return UsageError(
        f"there is no column `{wanted}`; there are {known or 'none'}",
        where=f"{where}:{header}" if header else where,
        fix=f"name the column of the texts with --text {shown} (or the row of the header with --header N)",
    )


def _headless(opened: Opened) -> UsageError | None:
    """The error for a table of several columns whose first line is a row like the others; None if it is a header."""
    if opened.header == 0 or has_header(opened.first_rows):
        return None
    first = ", ".join(f"`{cell.strip()[:30]}`" for cell in opened.first_rows[0][:8])
    width = max(range(len(opened.first_rows[0])), key=lambda place: _length(opened.first_rows, place))
    return UsageError(
        f"the table has no header: its first line holds {first}",
        where=opened.where,
        fix=f"say so and name the column of the texts by its place: --header 0 --text column_{width + 1}",
    )


def _length(rows: Sequence[Sequence[str]], place: int) -> int:
    return sum(len(row[place]) for row in rows if place < len(row))
