"""How a text is laid out: rows of cells, JSON or plain lines; delimiter and quotes; found before a row is read."""

from __future__ import annotations

import csv
import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from penjing.data.cells import Fault
from penjing.data.header import find_header, has_header, has_names
from penjing.data.json_rows import begins_json

Kind = Literal["cells", "json", "lines"]
Quoting = Literal["quoted", "escaped", "plain"]
CELLS = {".csv": ",", ".tsv": "\t", ".tab": "\t", ".xls": "\t", ".xlsx": ","}
JSON = {".jsonl", ".ndjson", ".json"}
_DELIMITERS = (",", "\t", ";", "|")
_SEP = re.compile(r'"?sep=(.)"?\s*$', re.IGNORECASE)
_SPACED = re.compile(r'[,;|]\s+"[^"]*"\s*(?:[,;|]|$)')
_ESCAPED = re.compile(r'(?<!\\)((?:\\\\)*)\\"')
_OPEN_CELL = re.compile(r'(?:^|\t)"')
_FIELD_LIMIT = 1 << 30  # the csv module's own limit, 131,072 characters, is below a text of 1 MB
_CONSISTENT = 0.95  # share of the lines with as many cells as the header, for a table without a suffix that says so
_MOST_UNCLOSED = 100  # for each, the rest of the file is read

Record = tuple[int, int, list[str]]


@dataclass(frozen=True)
class Layout:
    """What is needed to read a text row by row.

    skip: lines above the first row (`sep=;`); spaced: a cell in quotes may have a space before it.
    """

    kind: Kind
    delimiter: str = ","
    quoting: Quoting = "quoted"
    skip: int = 0
    spaced: bool = False


def find_layout(head: Sequence[str], suffix: str, columns: Sequence[str] | None, wanted: Sequence[str]) -> Layout:
    """The layout from the first lines and the suffix, quotes taken as the usual ones.

    columns: names of a text without a header; wanted: names that a header should have. If the suffix does not say what
    it is, a text is a table if its header has a wanted name, or if nearly all lines have the same number of cells.
    """
    csv.field_size_limit(_FIELD_LIMIT)
    lines = [line.removeprefix("\ufeff") for line in head]
    mark = _SEP.match(lines[0]) if lines else None
    if mark:
        return Layout("cells", mark[1], skip=1)
    first = next((line for line in lines if line.strip()), "")
    filled = [line for line in lines if line.strip()]
    table = suffix in JSON and first.lstrip()[:1] not in ("{", "[") and _table_in(filled, wanted) is not None
    if begins_json(first) or (suffix in JSON and not table):
        return Layout("json")
    if suffix in CELLS or (columns and len(columns) > 1):
        found = _delimiter(filled, suffix, columns)
    else:
        found = _table_in(filled, wanted)
    return Layout("cells", found, spaced=_is_spaced(filled)) if found else Layout("lines")


def _is_spaced(lines: Sequence[str]) -> bool:
    """Whether most lines have a space between the delimiter and a cell in quotes (`"a", "b"`)."""
    return 2 * sum(_SPACED.search(line) is not None for line in lines) > len(lines)


def cut(line: str, delimiter: str) -> list[str]:
    """The cells of a line in which quotes are text. Quotes around a whole cell are removed."""
    cells = line.rstrip("\r\n").split(delimiter)
    return [_bare(cell) if cell[:1] == '"' else cell for cell in cells]


def records(lines: Iterable[str], layout: Layout) -> Iterator[Record | Fault]:
    """(first line, last line, cells) of a table, the header included. Reading goes on after a broken row."""
    csv.field_size_limit(_FIELD_LIMIT)
    feed = _Feed(lines, layout.quoting == "escaped")
    for _ in range(layout.skip):
        next(feed, "")
    if layout.quoting == "plain":
        for line in feed:
            if line.strip():
                yield feed.number, feed.number, cut(line, layout.delimiter)
        return
    unclosed = 0
    reader = csv.reader(feed, delimiter=layout.delimiter, strict=True, skipinitialspace=layout.spaced)
    while True:
        feed.taken.clear()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            start, ended = feed.taken[0][0], "end of data" in str(error)
            unclosed += ended
            what = "a quote is opened and never closed" if ended else "a quote inside a quoted cell is not doubled"
            yield Fault(start, what, 'write a quote inside a quoted cell twice (""), or save as JSONL')
            if unclosed > _MOST_UNCLOSED:
                return
            feed.put_back()
            reader = csv.reader(feed, delimiter=layout.delimiter, strict=True, skipinitialspace=layout.spaced)
            continue
        if cells:
            yield feed.taken[0][0], feed.taken[-1][0], cells


def quotings(delimiter: str) -> tuple[Quoting, ...]:
    """Ways to read quotes, the usual one first.

    In a TSV a quote is usually just text, and a reader that takes it for the start of a cell loses rows without an
    error. In a CSV it usually encloses a cell, and some programs write `\\"` for a quote inside.
    """
    return ("plain", "quoted", "escaped") if delimiter == "\t" else ("quoted", "escaped", "plain")


def misfits(lines: Iterable[str], layout: Layout, width: int, most: int) -> int:
    """How many rows are broken or have more or fewer cells than `width`, counted up to `most`."""
    count, above = 0, True
    for record in records(lines, layout):
        if isinstance(record, Fault):
            count += 1
        else:
            cells = record[2]
            fits = len(cells) == width or (len(cells) > width and not any(cells[width:]))
            above = above and not fits  # titles above the header are shorter
            count += not fits and not above
        if count >= most:
            break
    return count + above


class _Feed:
    """Lines with their numbers for a csv reader; those of the current row can be put back, except the first."""

    def __init__(self, lines: Iterable[str], escaped: bool) -> None:
        self._lines = enumerate(lines, start=1)
        self._waiting: deque[tuple[int, str]] = deque()
        self._escaped = escaped
        self.taken: list[tuple[int, str]] = []
        self.number = 0

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        self.number, line = self._waiting.popleft() if self._waiting else next(self._lines)
        self.taken.append((self.number, line))
        return _ESCAPED.sub(r'\1""', line) if self._escaped else line

    def put_back(self) -> None:
        self._waiting.extendleft(reversed(self.taken[1:]))


def _delimiter(lines: Sequence[str], suffix: str, columns: Sequence[str] | None) -> str | None:
    """The delimiter that cuts most lines into the same number of cells; None where the lines are one column."""
    usual = CELLS.get(suffix, "\t" if columns else ",")
    if not lines:
        return usual
    marks = (usual, *(mark for mark in _DELIMITERS if mark != usual))
    best, best_share, most = usual, 0.0, 0.0
    for mark in marks:
        width, share = _consistency(lines, mark)
        if columns and width != len(columns):
            share = 0.0
        # Commas and bars in texts may be as regular as a delimiter, but the header has none of them.
        worth = share + 0.3 * (len(_split(lines[0], mark)) == width)
        if width > 1 and share and worth > most + 0.1:
            best, best_share, most = mark, share, worth
    if best_share == 0.0 or columns:
        return best
    # A header without any delimiter above texts with some of them: one column, and the commas are text.
    rows = [_split(line, best) for line in lines]
    place = find_header(rows)
    titled = place > 0 and has_header(rows[place:])
    quoted = any(line.startswith('"') for line in lines[1:])
    return None if len(rows[0]) == 1 and not titled and not quoted else best


def _table_in(lines: Sequence[str], wanted: Sequence[str]) -> str | None:
    """The delimiter of a table in a text that may be plain lines; None where it is plain lines."""
    for mark in _DELIMITERS:
        rows = [_split(line, mark) for line in lines[:12]]
        if wanted and any(len(row) > 1 and has_names(row, wanted) for row in rows):
            return mark
    for rows_of in (lines, _rejoined(lines)):
        width, share = _consistency(rows_of, "\t")
        if width > 1 and share >= _CONSISTENT and len(rows_of) > max(2, len(lines) / 3):
            return "\t"
    for mark in _DELIMITERS:
        width, share = _consistency(lines, mark)
        if width < 2 or share < _CONSISTENT or len(lines) < 2:
            continue
        rows = [_split(line, mark) for line in lines]
        start = find_header(rows)
        # In prose a space follows a comma.
        spaced = sum(cell.startswith(" ") for row in rows for cell in row[1:])
        if len(rows[start]) == width and has_header(rows[start:]) and spaced < len(rows) / 2:
            return mark
    return None


def _rejoined(lines: Sequence[str]) -> list[str]:
    """Lines of a table with tabs, as spreadsheets save "Unicode text": a quoted cell may hold line ends."""
    found: list[str] = []
    for line in lines:
        if found and _OPEN_CELL.search(found[-1]) and found[-1].count('"') % 2:
            found[-1] = f"{found[-1].rstrip()} {line}"
        else:
            found.append(line)
    if found and found[-1].count('"') % 2:
        del found[-1]  # cut in the middle of a row
    return found


def _consistency(lines: Sequence[str], mark: str) -> tuple[int, float]:
    """(the most frequent number of cells above one, the share of the lines that have it)."""
    if mark == "\t":
        counts = Counter(len(cut(line, mark)) for line in lines)
    else:
        counts = Counter(len(cells) for cells in csv.reader(lines, delimiter=mark) if cells)
    total = sum(counts.values())
    counts.pop(1, None)
    if not counts:
        return 1, 0.0
    width = max(counts, key=lambda each: (counts[each], each))
    return width, counts[width] / total


def _split(line: str, mark: str) -> list[str]:
    return cut(line, mark) if mark == "\t" else next(csv.reader([line], delimiter=mark), [])


def _bare(cell: str) -> str:
    inner = cell[1:-1]
    if len(cell) > 1 and cell[-1] == '"' and '"' not in inner.replace('""', ""):
        return inner.replace('""', '"')
    return cell
