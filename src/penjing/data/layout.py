"""How a text file is laid out: format, encoding, delimiter, quotes; found by looking before a row is read."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Literal

from penjing.core.errors import DataError, UsageError
from penjing.data.encoding import find_encoding

Kind = Literal["cells", "jsonl", "lines"]
_CELLS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
_JSON = {".jsonl", ".ndjson", ".json"}
_BINARY = {".xlsx", ".xls", ".parquet"}
_DELIMITERS = (",", "\t", ";", "|")
_FIELD_LIMIT = 1 << 30  # the csv module's own limit, 131,072 characters, is below a text of 1 MB


@dataclass(frozen=True)
class Layout:
    """What is needed to read a text file row by row."""

    kind: Kind
    encoding: str
    delimiter: str = ","
    quoted: bool = True


@contextmanager
def open_bytes(path: Path) -> Iterator[BinaryIO]:
    """A file's bytes, unpacked where it is gzip. Raises UsageError (no such file) or DataError (damaged, not text)."""
    try:
        with path.open("rb") as raw:
            head = raw.read(4)
            raw.seek(0)
            if head == b"PK\x03\x04" or head == b"\xd0\xcf\x11\xe0":
                raise DataError(
                    "this is a zip or Excel file, not text",
                    where=str(path),
                    fix="name it .xlsx if it is a workbook, else unpack it first",
                )
            if head[:2] == b"\x1f\x8b":
                with gzip.open(raw, "rb") as unpacked:
                    yield unpacked  # type: ignore[misc]
            else:
                yield raw
    except FileNotFoundError:
        raise UsageError("no such file", where=str(path), fix=_neighbours(path)) from None
    except IsADirectoryError:
        raise UsageError("this is a folder, not a file", where=str(path), fix="name a file inside it") from None
    except PermissionError:
        raise UsageError("this file may not be read", where=str(path), fix="change its permissions") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"a damaged gzip file: {error}", where=str(path), fix="copy it again") from None


def find_layout(path: Path, encoding: str = "auto", columns: Sequence[str] | None = None) -> Layout:
    """Look through a file once or twice. Raises DataError where it cannot be read as text."""
    suffix = suffix_of(path)
    if suffix in _BINARY:
        raise UsageError(
            f"{suffix} files are read in the workshop only",
            where=str(path),
            fix="save it as CSV (UTF-8), or install `penjing[train]`",
        )
    with open_bytes(path) as raw:
        found = find_encoding(raw, str(path), encoding)
    with open_text(path, found) as lines:
        head = [line for line in islice(lines, 50) if line.strip()]
    kind = kind_of(suffix, head[0] if head else "", columns)
    if kind != "cells":
        return Layout(kind, found)
    delimiter = delimiter_of(head[0] if head else "", suffix, columns)
    return Layout(kind, found, delimiter, _quoted(path, found, delimiter, columns))


@contextmanager
def open_text(path: Path, encoding: str) -> Iterator[io.TextIOWrapper]:
    """A file's lines, strictly decoded, with their line ends. Raises DataError where the encoding does not fit."""
    csv.field_size_limit(_FIELD_LIMIT)
    with open_bytes(path) as raw:
        try:
            yield io.TextIOWrapper(raw, encoding=encoding, errors="strict", newline="")
        except UnicodeError as error:
            raise DataError(f"not {encoding}: {error}", where=str(path), fix="name its true encoding") from None


def suffix_of(path: Path) -> str:
    """The suffix that tells the format: `.csv` of `a.csv.gz`."""
    name = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    return name.suffix.lower()


def kind_of(suffix: str, first: str, columns: Sequence[str] | None) -> Kind:
    """The format, from the suffix and the first line that is not blank."""
    if suffix in _CELLS or (columns and len(columns) > 1 and suffix not in _JSON):
        return "cells"
    if suffix in _JSON or (suffix != ".txt" and first.lstrip().startswith("{")):
        return "jsonl"
    if suffix in ("", ".txt"):
        return "lines"
    return "cells" if any(mark in first for mark in _DELIMITERS) else "lines"


def delimiter_of(first: str, suffix: str = ".csv", columns: Sequence[str] | None = None) -> str:
    """The delimiter that cuts the first line into as many cells as expected; the suffix's own is tried first."""
    usual = _CELLS.get(suffix, ",")
    if columns and suffix not in _CELLS:
        usual = "\t"
    for mark in (usual, *(mark for mark in _DELIMITERS if mark != usual)):
        cells = len(cut(first, mark)) if mark == "\t" else len(next(csv.reader([first], delimiter=mark), []))
        if cells == len(columns) if columns else cells > 1:
            return mark
    return usual


def cut(line: str, delimiter: str) -> list[str]:
    """The cells of a line in which quotes are text. A cell that is quoted as a whole by a program is freed of them."""
    cells = line.rstrip("\r\n").split(delimiter)
    return [_bare(cell) if cell[:1] == '"' else cell for cell in cells]


def _bare(cell: str) -> str:
    inner = cell[1:-1]
    if len(cell) > 1 and cell[-1] == '"' and '"' not in inner.replace('""', ""):
        return inner.replace('""', '"')
    return cell


def _quoted(path: Path, encoding: str, delimiter: str, columns: Sequence[str] | None) -> bool:
    """Whether quotes enclose cells.

    In a TSV a quote is usually just text, and a reader that takes it for the start of a cell swallows rows in
    silence; in a CSV it usually encloses. The usual reading is kept unless only the other one fits every row.
    """
    orders = (False, True) if delimiter == "\t" else (True, False)
    for quoted in orders:
        if _fits(path, encoding, delimiter, quoted, columns):
            return quoted
    return orders[0]


def _fits(path: Path, encoding: str, delimiter: str, quoted: bool, columns: Sequence[str] | None) -> bool:
    wanted = len(columns) if columns else 0
    with open_text(path, encoding) as lines:
        rows: Iterator[list[str]] = (
            csv.reader(lines, delimiter=delimiter, strict=True)
            if quoted
            else (line.rstrip("\r\n").split(delimiter) for line in lines if line.strip())
        )
        try:
            for cells in rows:
                wanted = wanted or len(cells)
                if cells and len(cells) != wanted:
                    return False
        except csv.Error:
            return False
    return True


def _neighbours(path: Path) -> str:
    import difflib

    names = [other.name for other in path.parent.iterdir()] if path.parent.is_dir() else []
    close = difflib.get_close_matches(path.name, names, n=1)
    return f"did you mean `{path.parent / close[0]}`?" if close else "check the path"
