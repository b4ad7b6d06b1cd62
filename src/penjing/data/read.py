"""Rows of csv, tsv, jsonl and plain lines, also .gz, also from standard input, one at a time, with row numbers."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from penjing.core.errors import DataError
from penjing.data.encoding import decode_stream
from penjing.data.fields import text_of
from penjing.data.layout import Layout, cut, delimiter_of, find_layout, kind_of, open_text

_WIDE = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "bar"}


@dataclass(frozen=True)
class Fault:
    """A row that cannot be read: its number, what is wrong, what to do."""

    row: int
    what: str
    fix: str


def read_rows(
    path: Path | str,
    *,
    encoding: str = "auto",
    columns: Sequence[str] | None = None,
    layout: Layout | None = None,
    faults: list[Fault] | None = None,
) -> Iterator[tuple[int, dict[str, str]]]:
    """Stream (row number, cells by column) of a file, or of standard input for "-".

    The row number is the line on which the row begins, as an editor counts it: the header is line 1. Plain lines have
    one column, `text`. With `columns` the file has no header. `layout` spares the look that finds it.
    With `faults`, rows that cannot be read are put there and passed over.

    Raises UsageError (no such file), DataError (cannot be read as text; the first bad row where `faults` is None).
    """
    if str(path) == "-":
        yield from _standard_input(encoding, columns, faults)
        return
    source = Path(path)
    shape = layout or find_layout(source, encoding, columns)
    with open_text(source, shape.encoding) as lines:
        yield from parse(lines, shape, str(path), columns, faults)


def parse(
    lines: Iterable[str],
    layout: Layout,
    where: str,
    columns: Sequence[str] | None = None,
    faults: list[Fault] | None = None,
) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows of decoded lines (with their line ends) in a known layout."""
    if layout.kind == "lines":
        name = columns[0] if columns else "text"
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield number, {name: line.rstrip("\r\n")}
        return
    if layout.kind == "jsonl":
        yield from _objects(lines, where, faults)
        return
    names = column_names(columns, where) if columns else None
    for row, cells in records(lines, layout, where, faults):
        if names is None:
            names = column_names(cells, where)
        elif len(cells) != len(names):
            _report(Fault(row, *_miscount(len(cells), len(names), layout, bool(columns))), where, faults)
        elif not columns or cells != list(columns):
            yield row, dict(zip(names, cells, strict=True))


def records(
    lines: Iterable[str], layout: Layout, where: str, faults: list[Fault] | None = None
) -> Iterator[tuple[int, list[str]]]:
    """(row number, cells) of a delimited file, the header included."""
    if not layout.quoted:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield number, cut(line, layout.delimiter)
        return
    reader = csv.reader(lines, delimiter=layout.delimiter, strict=True)
    start = 1
    try:
        for cells in reader:
            if cells:
                yield start, cells
            start = reader.line_num + 1
    except csv.Error as error:
        unclosed = "end of data" in str(error)
        what = "a quote is opened and never closed" if unclosed else "a quote inside a quoted cell is not doubled"
        _report(Fault(start, what, 'write a quote inside a quoted cell twice (""), or save as JSONL'), where, faults)


def _standard_input(
    encoding: str, columns: Sequence[str] | None, faults: list[Fault] | None
) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows as they arrive: JSON lines where the first begins with `{`, CSV or TSV where it has a `text` column."""
    lines = decode_stream(sys.stdin.buffer, "standard input", encoding)
    first = next(lines, "")
    if first.lstrip().startswith("{"):
        layout = Layout("jsonl", "utf-8")
    else:
        mark = delimiter_of(first, ".csv", columns)
        header = [cell.strip() for cell in cut(first, mark)]
        cells = kind_of(".txt", first, columns) == "cells" or (len(header) > 1 and "text" in header)
        layout = Layout("cells" if cells else "lines", "utf-8", mark, quoted=mark != "\t")
    yield from parse(chain([first], lines), layout, "standard input", columns, faults)


def _objects(lines: Iterable[str], where: str, faults: list[Fault] | None) -> Iterator[tuple[int, dict[str, str]]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        if number == 1 and line.lstrip().startswith("["):
            raise DataError(
                "a JSON list, not JSON lines",
                where=f"{where}:1",
                fix="write one object a line: jq -c '.[]' FILE > FILE.jsonl",
            )
        try:
            value = json.loads(line)
            if isinstance(value, dict):
                yield number, {str(key): text_of(inner) for key, inner in value.items()}
                continue
            fault = Fault(number, f"a JSON {_kind(value)}, not an object", 'write {"text": …, "label": …}')
        except RecursionError:
            fault = Fault(number, "JSON nested too deeply", "a row is a flat object of text, numbers and words")
        except ValueError as error:
            said = str(error).split(":")[0]
            fault = Fault(number, f"not valid JSON ({said}): `{line.strip()[:60]}`", "write one JSON object a line")
        _report(fault, where, faults)


def _kind(value: object) -> str:
    return {list: "list", str: "string", bool: "true or false", type(None): "null"}.get(type(value), "number")


def column_names(cells: Sequence[str], where: str) -> list[str]:
    """The names of a header; one without a name is called by its place. Raises DataError for one that comes twice."""
    names = [cell.strip() or f"column_{place}" for place, cell in enumerate(cells, start=1)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(
            f"the header names `{twice[0]}` twice",
            where=f"{where}:1",
            fix="give every column a name of its own; for a file without a header add `columns: [...]` under `data:`",
        )
    return names


def _miscount(found: int, wanted: int, layout: Layout, named: bool) -> tuple[str, str]:
    mark = _WIDE.get(layout.delimiter, layout.delimiter)
    expected = f"`columns:` names {wanted}" if named else f"the header has {wanted}"
    if layout.quoted and found > wanted:
        return f"{found} cells, but {expected}", f"put quotes around a cell that contains a {mark}"
    return f"{found} cell{'s' * (found != 1)}, but {expected}", f"write one {mark} between two cells and none inside"


def _report(fault: Fault, where: str, faults: list[Fault] | None) -> None:
    if faults is None:
        raise DataError(f"row {fault.row}: {fault.what}", where=f"{where}:{fault.row}", fix=fault.fix)
    faults.append(fault)
