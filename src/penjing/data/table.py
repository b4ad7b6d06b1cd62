"""A file of the workshop as a Table: the columns that a recipe names, declared fields with their types."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from penjing.core.errors import DataError
from penjing.core.nouns import Scalar, Table
from penjing.core.options import nearest
from penjing.core.recipe import Data
from penjing.data.cells import Fault
from penjing.data.read import Opened, Reading, open_table

_TRUE = {"true", "1", "yes", "y", "是", "真"}
_FALSE = {"false", "0", "no", "n", "否", "假"}
_SHOWN = 10


def read_table_file(path: Path, data: Data) -> Table:
    """All rows of a labelled file, texts as they stand there (not yet cleaned or masked), labels stripped.

    Raises UsageError (no such file, an optional package) and DataError (unreadable, a column that is not there, rows
    with a wrong number of cells or a field of the wrong type, each with its row number).
    """
    faults: list[Fault] = []
    table = load_table(open_labelled(path, data), data, faults)
    if faults:
        raise refusal(path, faults)
    return table


def open_labelled(path: Path, data: Data) -> Opened:
    """A labelled file as a recipe says that it is read. Raises as `open_table` does."""
    return open_table(path, Reading.of(data), _wanted(data))


def load_table(opened: Opened, data: Data, faults: list[Fault]) -> Table:
    """As `read_table_file`, but rows that cannot be read go into `faults` and are left out."""
    texts: list[str] = []
    labels: list[str] = []
    rows: list[int] = []
    groups: list[str] = []
    fields: dict[str, list[Scalar]] = {name: [] for name in data.fields}
    wanted = _wanted(data)
    checked = False
    for row, cells in opened.rows(faults, wanted):
        if not checked or any(name not in cells for name in wanted):
            missing = [name for name in wanted if name not in cells]
            if missing and not checked:
                raise unknown_column(opened.where, missing[0], list(cells), data)
            if missing:
                faults.append(Fault(row, f"no `{missing[0]}` in this row", "write every key in every row"))
                continue
            checked = True
        values: dict[str, Scalar] = {}
        for name, kind in data.fields.items():
            try:
                values[name] = parse_field(cells[name], kind)
            except ValueError as error:
                faults.append(Fault(row, f"`{name}` is `{cells[name][:40]}`, {error}", f"correct `{name}` there"))
                break
        else:
            texts.append(cells[data.text])
            labels.append(cells[data.label].strip())
            rows.append(row)
            if data.group:
                groups.append(cells[data.group])
            for name, value in values.items():
                fields[name].append(value)
    return Table(texts, labels, rows, groups if data.group else None, fields)


def parse_field(cell: str, kind: str | list[str]) -> Scalar:
    """A cell as its declared type; None for an empty one. Raises ValueError with what was expected."""
    text = cell.strip()
    if text == "":
        return None
    if isinstance(kind, list):
        if text not in kind:
            raise ValueError("not one of " + ", ".join(kind[:8]))
        return text
    if kind == "bool":
        if text.lower() not in _TRUE | _FALSE:
            raise ValueError("not true or false")
        return text.lower() in _TRUE
    if kind == "str":
        return text
    try:
        number = float(text)
        if not math.isfinite(number):
            raise ValueError
        if kind == "float":
            return number
        return int(text) if "." not in text and "e" not in text.lower() else _whole(number)
    except ValueError:
        raise ValueError("not a whole number" if kind == "int" else "not a number") from None


def unknown_column(where: str, name: str, known: list[str], data: Data) -> DataError:
    """The error for a column that a file does not have."""
    role = "text" if name == data.text else "label" if name == data.label else "group" if name == data.group else name
    listed = ", ".join(f"`{column}`" for column in known[:30])
    close = nearest(name, known)
    hint = close if close.startswith("did you") else f"write `{role}: COLUMN` under `data:`"
    return DataError(f"there is no column `{name}`; the columns are {listed}", where=where, fix=hint)


def refusal(path: Path, faults: Sequence[Fault]) -> DataError:
    """One error for all the rows of a file that cannot be read, the first ten by number."""
    lines = [f"row {fault.row}: {fault.what}" for fault in faults[:_SHOWN]]
    if len(faults) > _SHOWN:
        lines.append(f"and {len(faults) - _SHOWN} more")
    head = f"{len(faults)} row{'s' * (len(faults) != 1)} cannot be read\n    " if len(faults) > 1 else ""
    return DataError(head + "\n    ".join(lines), where=str(path), fix=faults[0].fix)


def _wanted(data: Data) -> list[str]:
    return [data.text, data.label, *([data.group] if data.group else []), *data.fields]


def _whole(number: float) -> int:
    if number != int(number):
        raise ValueError
    return int(number)
