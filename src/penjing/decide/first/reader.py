"""The sealed rules file (CSV) of a release whose policy names the first edition -> RuleTable."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from penjing.core.errors import RequestError
from penjing.data.clean import clean
from penjing.data.fields import match_names
from penjing.data.fold import fold_name
from penjing.decide.first.cells import contains_word, parse_cell, unreadable
from penjing.decide.first.table import Condition, Rule, RuleTable
from penjing.decide.schema import FactSchema, Kind

_MARKS = (",", ";", "\t", "|")
_NAMED = re.compile(r"sep=(\W)", re.IGNORECASE)
_HEADINGS = {"name", "label", "p", "text", "then", "why"}
_WORDS = ("name", "then", "why")


def read_rules(path: Path, schema: FactSchema) -> RuleTable:
    """The table of a sealed file: UTF-8, GB18030 or UTF-16 with a mark; commas, semicolons, tabs or bars between cells.

    Its cells and its logic were checked before it was sealed, and are not checked again.
    Raises RuleError, with FILE:ROW:COLUMN, for the first thing that cannot be read.
    """
    lines = _lines(path)
    top = next(place for place, line in enumerate(lines) if line) if not lines[0] else 0
    columns = _columns((path, top + 1), lines[top], schema)
    rules = [
        _rule((path, number), line, columns, schema)
        for number, line in enumerate(lines[top + 1 :], start=top + 2)
        if any(cell.strip() for cell in line)
    ]
    return RuleTable(schema, tuple(rules))


def _lines(path: Path) -> list[list[str]]:
    text = _decode(path)
    delimiter, named = _delimiter(text)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter))
    except csv.Error as error:
        raise unreadable(f"not valid CSV: {error}", str(path)) from None
    if named:
        lines[:1] = [[]]  # the line that names the delimiter; row numbers do not change
    if not any(any(cell.strip() for cell in line) for line in lines):
        raise unreadable("the file is empty", str(path))
    return lines


def _decode(path: Path) -> str:
    raw = path.read_bytes()
    encodings = ("utf-16",) if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise unreadable("the file is neither UTF-8 nor GB18030", str(path))


def _delimiter(text: str) -> tuple[str, bool]:
    """The delimiter, and whether a first line `sep=;` names it. It is the one with which the heading is recognised.

    In countries that write 0,5 spreadsheets use semicolons; `Unicode text` uses tabs.
    """
    first, _, rest = text.partition("\n")
    if found := _NAMED.fullmatch(first.strip()):
        return found[1], True
    heading = first if first.strip() else next((line for line in rest.splitlines() if line.strip()), "")
    counts = {mark: sum(fold_name(cell.strip(' "')) in _HEADINGS for cell in heading.split(mark)) for mark in _MARKS}
    return max(_MARKS, key=lambda mark: counts[mark]), False


def _columns(place: tuple[Path, int], header: Iterable[str], schema: FactSchema) -> list[tuple[str, Kind | None]]:
    """Name of each column with its kind; None for name, then, why and an empty heading."""
    path, row = place
    kinds = schema.kinds()
    given = [cell.strip() for cell in header]
    near = {found: name for name, found in match_names((*_WORDS, *kinds), given).found.items()}
    names = [near.get(name, name) for name in given]
    for number, name in enumerate(names, start=1):
        if name and name not in kinds and name not in _WORDS:
            raise unreadable(f"unknown column `{name[:80]}`", f"{path}:{row}:{number}")
    for needed in ("name", "then"):
        if needed not in names:
            raise unreadable(f"the column `{needed}` is missing", f"{path}:{row}:1")
    return [(name, kinds.get(name)) for name in names]


def _rule(
    place: tuple[Path, int], line: Sequence[str], columns: Sequence[tuple[str, Kind | None]], schema: FactSchema
) -> Rule:
    """The row at `place` (file and row)."""
    path, row = place
    special: dict[str, str] = {}
    conditions: list[Condition] = []
    for number, cell in enumerate(line, start=1):
        where = f"{path}:{row}:{number}"
        name, kind = columns[number - 1] if number <= len(columns) else ("", None)
        if not name:
            _refuse_headless(cell, where)
        elif kind is None:
            special[name] = _clean(cell, where)
        elif (test := parse_cell(cell, name, kind, schema, where)) is not None:
            conditions.append(Condition(name, test))
    if not special.get("name"):
        raise unreadable("the rule has no name", f"{path}:{row}:1")
    number = [name for name, _ in columns].index("then") + 1
    outcome = _then(special.get("then", ""), f"{path}:{row}:{number} (column `then`)", schema)
    return Rule(special["name"], tuple(conditions), outcome, special.get("why", ""))


def _refuse_headless(cell: str, where: str) -> None:
    if cell.strip():
        raise unreadable(f"the cell {cell.strip()[:40]!r} has no heading", where)


def _clean(cell: str, where: str) -> str:
    try:
        return clean(cell)
    except RequestError as error:
        raise unreadable(error.what, where) from None


def _then(written: str, where: str, schema: FactSchema) -> str | None:
    """The outcome that is forced, or None for review."""
    word, rest = contains_word(written) if written else ("", "")
    label = rest.strip()
    if word == "review" and not label:
        return None
    if word != "outcome" or not label:
        raise unreadable(f"a rule cannot lead to {written[:80]!r}" if written else "nothing follows", where)
    found = schema.outcome(label)
    if found is None:
        noun = "label" if schema.labels else "outcome"
        raise unreadable(f"unknown {noun} {label[:80]!r}", where)
    return found
