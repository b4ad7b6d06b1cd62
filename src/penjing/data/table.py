"""A labelled file as a Table: the columns that a recipe names, and declared fields with their types."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

from penjing.core.alike import first_of_each
from penjing.core.errors import DataError, RequestError
from penjing.core.nouns import Scalar, Table
from penjing.core.options import nearest
from penjing.core.pair import join_texts
from penjing.core.recipe import TIME, Data
from penjing.data.cells import Fault, as_list, refuse_unreadable
from penjing.data.fields import Names, WrongFieldError, match_header, read_field, unclear_names
from penjing.data.open_annotated import open_annotated
from penjing.data.read import Opened, Reading, open_table

_SHOWN = 10


def open_labelled(path: Path, data: Data, *, exported: bool = False) -> Opened:
    """A labelled file, opened as a recipe says; exported: as of `open_table`. Raises as it and `open_annotated` do."""
    if data.format != "auto":
        return open_annotated(path, data.format, data.encoding, data.text, data.columns)
    return open_table(path, Reading.of(data), _wanted(data), exported=exported)


def load_table(opened: Opened, data: Data, faults: list[Fault], *, lists: bool = False) -> Table:
    """The rows of an opened file, texts as they are in it (not yet cleaned or masked), labels stripped.

    faults: gets the rows that cannot be read: they are left out. lists: a label may be a list, which is read as its
    JSON. Raises DataError for an unreadable file or a missing column.
    """
    texts: list[str] = []
    labels: list[str] = []
    rows: list[int] = []
    groups: list[str] = []
    fields: dict[str, list[Scalar]] = {name: [] for name in data.fields}
    wanted = _wanted(data)
    checked = False
    for row, given in opened.rows(faults):
        names = match_header(wanted, tuple(given))
        if len(names.found) < len(wanted):
            if not checked:
                raise unknown_column(opened.where, names, list(given), data)
            name = next(iter((*names.absent, *names.unclear)))
            faults.append(Fault(row, f"no `{name}` in this row", "write every key in every row"))
            continue
        checked = True
        cells = {name: given[names.found[name]] for name in wanted}
        if lists:
            cells |= {name: as_list(cells[name]) for name in _label_columns(data)}
        if fault := refuse_unreadable(cells, wanted, row):
            faults.append(fault)
            continue
        values = _fields(cells, data, row, faults)
        if values is None:
            continue
        further = [cells[column] for column in data.further().values()]
        texts.append(join_texts(cells[data.text], *further) if further else cells[data.text])
        labels.append(joined_golds(data.golds, cells) if data.golds else cells[data.label].strip())
        rows.append(row)
        if data.group:
            groups.append(group_of(cells[data.group]))
        for name, value in values.items():
            fields[name].append(value)
    return Table(texts, labels, rows, groups if data.group else None, fields)


def group_of(cell: str) -> str:
    """A group however its name is written: wide or narrow characters, blanks around it; "" for a row without one."""
    return unicodedata.normalize("NFKC", cell).strip()


def joined_golds(columns: Mapping[str, str], cells: Mapping[str, str]) -> str:
    """The labels of several tasks as one cell: JSON by the name of the task; "" where all are empty."""
    golds = {name: cells[column].strip() for name, column in columns.items()}
    return json.dumps(golds, ensure_ascii=False) if any(golds.values()) else ""


def _label_columns(data: Data) -> tuple[str, ...]:
    return tuple(data.golds.values()) or (data.label,)


def _fields(cells: Mapping[str, str], data: Data, row: int, faults: list[Fault]) -> dict[str, Scalar] | None:
    """The declared fields of a row; None where some are wrong, each of which is added to `faults`."""
    values: dict[str, Scalar] = {}
    for name, kind in data.fields.items():
        try:
            values[name] = read_field(name, cells[_column_of(data, name)], kind)
        except RequestError as error:
            about = error.about if isinstance(error, WrongFieldError) else None
            faults.append(Fault(row, error.what, error.fix or "correct the field there", about))
    return values if len(values) == len(data.fields) else None


class ColumnsError(DataError):
    """Columns that a file does not have. each: one error for each of them."""

    def __init__(self, each: Sequence[DataError]) -> None:
        first, *others = each
        more = "".join(f"\n  {error.what} ({error.fix})" for error in others)
        super().__init__(first.what + more, where=first.where, fix=first.fix)
        self.each = tuple(each)


def faults_of(error: DataError) -> tuple[DataError, ...]:
    """The faults that an error stands for: that of columns has several, any other is one."""
    return error.each if isinstance(error, ColumnsError) else (error,)


def unknown_column(where: str, names: Names, known: list[str], data: Data) -> ColumnsError:
    """The error for every column that a file does not have, or that several of its columns could be."""
    each = []
    for name, near in names.unclear.items():
        what, fix = unclear_names({name: near})
        each.append(DataError(what, where=where, fix=fix))
    each += [_absent(where, name, known, data) for name in names.absent]
    return ColumnsError(each)


def _absent(where: str, name: str, known: list[str], data: Data) -> DataError:
    roles: dict[str | None, str] = {data.group: "group", data.time: "time", data.label: "label"}
    for role, column in (*data.further().items(), ("text", data.text)):
        roles[column] = role
    role = roles.get(name, name)
    task = next((task for task, column in data.golds.items() if column == name), None)
    listed = ", ".join(f"`{column[:60]}`" for column in known[:30])
    close = nearest(name, known)
    hint = f"write `{role}: COLUMN` under `data:`, or `header: N` if the header is row N"
    if task is not None:
        hint = f"write `label: COLUMN` under `{task[:60]}:` in `task:`, or `header: N` if the header is row N"
    if name in data.fields:
        hint = f"add the column to the file, or take `{name}` out of `fields:`"
    return DataError(
        f"there is no column `{name}`; the columns are {listed}",
        where=where,
        fix=close if close.startswith("did you") else hint,
    )


def refusal(path: Path, faults: Sequence[Fault]) -> DataError:
    """One error for all the rows of a file that cannot be read, the first ones of each kind by number."""
    lines = first_of_each([f"row {fault.row}: {fault.what}" for fault in faults], _SHOWN)
    rows = len({fault.row for fault in faults})
    head = f"{rows} row{'s' * (rows != 1)} cannot be read\n    " if len(faults) > 1 else ""
    return DataError(head + "\n    ".join(lines), where=str(path), fix=faults[0].fix)


def with_time(cells: Mapping[str, str], row: Mapping[str, str], column: str | None) -> Mapping[str, str]:
    """The cells of a row with its time as the field `time`; as they are where the file has no such column.

    row: the cells as the file has them. column: the one of the times, None where the release has none.
    """
    found = match_header((column,), tuple(row)).found.get(column) if column else None
    return cells if found is None else {**cells, TIME: row[found]}


def _column_of(data: Data, field: str) -> str:
    """The column of a labelled file in which a declared field is."""
    return data.time if field == TIME and data.time is not None else field


def _wanted(data: Data) -> tuple[str, ...]:
    further = data.further().values()
    columns = [_column_of(data, name) for name in data.fields]
    return tuple(
        dict.fromkeys((data.text, *further, *_label_columns(data), *([data.group] if data.group else []), *columns))
    )
