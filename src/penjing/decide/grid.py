"""A rules file as rows of cells: CSV as spreadsheets save it, in its encodings and with its marks, or a workbook."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from penjing.core.errors import DataError, RuleError, UsageError
from penjing.data.cells import UnreadableCell
from penjing.data.choice import ChoiceError
from penjing.data.encoding import find_encoding
from penjing.data.fold import fold_name
from penjing.data.sheets import read_sheet
from penjing.data.source import open_source

_MARKS = (",", ";", "\t", "|")
_NAMED = re.compile(r'"?sep=([^\w\r\n"])"?\s*', re.IGNORECASE)
_WORKBOOK = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_RESAVE = "save it again as CSV UTF-8"
_LOOK = 2**18  # bytes whose encoding is judged


@dataclass(frozen=True)
class Grid:
    """The cells of a rules file; `lines[i]` is row i + 1. raw: the bytes that are sealed, of a workbook its CSV.

    mark: what stands between the cells of a CSV; "" in a workbook.
    """

    raw: bytes
    lines: list[list[str]]
    mark: str = ""


def read_grid(path: Path, headings: Collection[str], most: int, *, sealed: bool = False) -> Grid:
    """Read a rules file of at most `most` bytes. headings: names by which its first row is known, as `fold_name`.

    sealed: as of `decode`.
    Raises RuleError: no such file, too large, no CSV, an encoding that is not known, a cell that cannot be read.
    """
    try:
        raw = path.read_bytes()
    except (FileNotFoundError, IsADirectoryError):
        fix = "`penjing init` writes a rules.csv to begin with"
        raise RuleError("no such rules file", where=str(path), fix=fix) from None
    if len(raw) > most:
        fix = "move lists of words into `words/NAME.txt`, and write `in @NAME`"
        raise RuleError(f"the file has {len(raw):,} bytes; at most {most:,}", where=str(path), fix=fix)
    if raw.startswith(_WORKBOOK):
        lines = _sheet(path)
        raw, mark = to_csv(lines).encode(), ""
    else:
        lines, mark = split_csv(decode(raw, path, sealed=sealed), path, headings)
    if not any(any(cell.strip() for cell in line) for line in lines):
        raise RuleError("the file is empty", where=str(path), fix="begin with the line `name,label,p,text,then,why`")
    return Grid(raw, lines, mark)


def decode(raw: bytes, path: Path, *, sealed: bool = False) -> str:
    """Bytes of UTF-8, GB18030, or UTF-16 with a mark, as text.

    sealed: bytes of a release, which keep the meaning that was proven. Raises RuleError for another encoding.
    """
    encodings = ("utf-16",) if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            raise RuleError("there is a NUL character in the file", where=str(path), fix=_RESAVE)
        if encoding == "gb18030" and not sealed:
            _refuse_misread(raw, text, path)
        return text
    raise RuleError("the file is neither UTF-8 nor GB18030", where=str(path), fix="save it as CSV UTF-8")


def _refuse_misread(raw: bytes, text: str, path: Path) -> None:
    """Raise RuleError for bytes that GB18030 takes and that are more plausible in another encoding.

    Nearly all of Big5, and many words of cp1252, are valid there as other words, which no text would ever hold.
    """
    head = raw if len(raw) <= _LOOK else raw[: raw.rfind(b"\n", 0, _LOOK) + 1] or raw[:_LOOK]
    try:
        found = find_encoding(lambda: io.BytesIO(head), str(path)).name
    except DataError:
        found = ""
    if found != "gb18030":
        line = next(each for each in text.splitlines() if not each.isascii()).strip()
        what = f"the file is neither UTF-8 nor, it seems, GB18030: it would be read as `{line[:60]}`"
        raise RuleError(what, where=str(path), fix=_RESAVE)


def split_csv(text: str, path: Path, headings: Collection[str]) -> tuple[list[list[str]], str]:
    """The rows of a CSV, as its mark between cells divides them, and that mark. Raises RuleError."""
    mark, named = _mark(text, headings)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=mark))
    except csv.Error as error:
        raise RuleError(f"not valid CSV: {error}", where=str(path), fix="save the sheet again as CSV UTF-8") from None
    if named:
        lines[:1] = [[]]  # the line that names the mark; row numbers do not change
    return lines, mark


def to_csv(lines: Sequence[Sequence[str]]) -> str:
    """Rows as a CSV with commas and line feeds."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue()


def _mark(text: str, headings: Collection[str]) -> tuple[str, bool]:
    """The mark between cells, and whether a first line `sep=;` names it: the one by which most headings are known.

    In countries that write 0,5 spreadsheets use semicolons; `Unicode text` uses tabs.
    """
    first, _, rest = text.partition("\n")
    if found := _NAMED.fullmatch(first.lstrip()):
        return found[1], True
    heading = first if first.strip() else next((line for line in rest.splitlines() if line.strip()), "")
    counts = {mark: sum(fold_name(cell.strip(' "')) in headings for cell in heading.split(mark)) for mark in _MARKS}
    return max(_MARKS, key=lambda mark: counts[mark]), False


def _sheet(path: Path) -> list[list[str]]:
    try:
        source = open_source(path)
        try:
            sheet = read_sheet(source, None, ("name", "then"))
        except ChoiceError:
            sheet = read_sheet(source, None, ("名称", "则"))
    except ChoiceError:
        fix = "keep one sheet with the columns `name` and `then`, or save that sheet as CSV UTF-8"
        raise RuleError("the workbook has several sheets that could be the rules", where=str(path), fix=fix) from None
    except (DataError, UsageError) as error:
        raise RuleError(error.what, where=str(path), fix=error.fix) from None
    lines: list[list[str]] = []
    for row, _, cells in sheet.records:
        lines += [[] for _ in range(row - len(lines) - 1)]
        for column, cell in enumerate(cells, start=1):
            if isinstance(cell, UnreadableCell):
                raise RuleError(cell.what, where=f"{path}:{row}:{column}", fix=cell.fix)
        lines.append(list(cells))
    return lines
