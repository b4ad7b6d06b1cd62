"""A file of the workshop as a Table: the columns that a recipe names, declared fields with their types."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from penjing.core.errors import DataError, MissingPackageError, RequestError, UsageError
from penjing.core.nouns import Scalar, Table
from penjing.core.options import nearest
from penjing.core.recipe import Data
from penjing.data.fields import Names, match_header, read_field, text_of, unclear_names
from penjing.data.layout import Layout, suffix_of
from penjing.data.read import Fault, read_rows

_SHEETS = {".xlsx", ".xls", ".parquet"}
_SHOWN = 10


def read_table_file(path: Path, data: Data) -> Table:
    """All rows of a labelled file, texts as they stand there (not yet cleaned or masked), labels stripped.

    Raises UsageError (no such file, an optional package) and DataError (unreadable, a column that is not there, rows
    with a wrong number of cells or a field of the wrong type, each with its row number).
    """
    faults: list[Fault] = []
    table = load_table(path, data, faults)
    if faults:
        raise refusal(path, faults)
    return table


def load_table(path: Path, data: Data, faults: list[Fault], layout: Layout | None = None) -> Table:
    """As `read_table_file`, but rows that cannot be read go into `faults` and are left out."""
    texts: list[str] = []
    labels: list[str] = []
    rows: list[int] = []
    groups: list[str] = []
    fields: dict[str, list[Scalar]] = {name: [] for name in data.fields}
    wanted = tuple(dict.fromkeys((data.text, data.label, *([data.group] if data.group else []), *data.fields)))
    checked = False
    for row, given in any_rows(path, data.encoding, data.columns, faults, layout):
        names = match_header(wanted, tuple(given))
        if len(names.found) < len(wanted):
            if not checked:
                raise unknown_column(path, names, list(given), data)
            name = next(iter((*names.absent, *names.unclear)))
            faults.append(Fault(row, f"no `{name}` in this row", "write every key in every row"))
            continue
        checked = True
        cells = {name: given[names.found[name]] for name in wanted}
        try:
            values = {name: read_field(name, cells[name], kind) for name, kind in data.fields.items()}
        except RequestError as error:
            faults.append(Fault(row, error.what, error.fix or "correct the field there"))
            continue
        texts.append(cells[data.text])
        labels.append(cells[data.label].strip())
        rows.append(row)
        if data.group:
            groups.append(cells[data.group])
        for name, value in values.items():
            fields[name].append(value)
    return Table(texts, labels, rows, groups if data.group else None, fields)


def any_rows(
    path: Path,
    encoding: str,
    columns: Sequence[str] | None,
    faults: list[Fault] | None = None,
    layout: Layout | None = None,
) -> Iterator[tuple[int, dict[str, str]]]:
    """(row number, cells by column) of any file that the workshop reads. A sheet's header is row 1."""
    if is_sheet(path):
        yield from _sheet(path, columns)
    else:
        yield from read_rows(path, encoding=encoding, columns=columns, layout=layout, faults=faults)


def is_sheet(path: Path) -> bool:
    """Whether a file is one that polars reads, without a text encoding."""
    return suffix_of(path) in _SHEETS


def unknown_column(path: Path, names: Names, known: list[str], data: Data) -> DataError:
    """The error for the first column that a file does not have, or has in several that could be meant."""
    if names.unclear:
        what, fix = unclear_names(names.unclear)
        return DataError(what, where=str(path), fix=fix)
    name = names.absent[0]
    role = "text" if name == data.text else "label" if name == data.label else "group" if name == data.group else name
    listed = ", ".join(f"`{column[:60]}`" for column in known[:30])
    close = nearest(name, known)
    hint = f"write `{role}: COLUMN` under `data:`"
    if name in data.fields:
        hint = f"add the column to the file, or take `{name}` out of `fields:`"
    return DataError(
        f"there is no column `{name}`; the columns are {listed}",
        where=str(path),
        fix=close if close.startswith("did you") else hint,
    )


def refusal(path: Path, faults: Sequence[Fault]) -> DataError:
    """One error for all the rows of a file that cannot be read, the first ten by number."""
    lines = [f"row {fault.row}: {fault.what}" for fault in faults[:_SHOWN]]
    if len(faults) > _SHOWN:
        lines.append(f"and {len(faults) - _SHOWN} more")
    head = f"{len(faults)} row{'s' * (len(faults) != 1)} cannot be read\n    " if len(faults) > 1 else ""
    return DataError(head + "\n    ".join(lines), where=str(path), fix=faults[0].fix)


def _sheet(path: Path, columns: Sequence[str] | None) -> Iterator[tuple[int, dict[str, str]]]:
    if not path.is_file():
        raise UsageError("no such file", where=str(path), fix="check the path")
    try:
        import polars
        from polars.exceptions import PolarsError
    except ImportError:
        raise MissingPackageError(
            f"{path.suffix} files need polars", where=str(path), fix="pip install 'penjing[train]', or save it as CSV"
        ) from None
    parquet = path.suffix.lower() == ".parquet"
    try:
        if parquet:
            frame = polars.read_parquet(path)
        else:
            from fastexcel import FastExcelError

            try:
                frame = polars.read_excel(
                    path,
                    has_header=columns is None,
                    drop_empty_rows=False,
                    raise_if_empty=False,
                    read_options={"dtypes": "string"},
                )
            except FastExcelError as error:
                raise DataError(
                    f"not a readable workbook: {str(error).splitlines()[0]}",
                    where=str(path),
                    fix="open it in a spreadsheet and save it as .xlsx or CSV (UTF-8)",
                ) from None
    except PolarsError as error:
        raise DataError(
            f"not a readable {path.suffix} file: {str(error).splitlines()[0]}", where=str(path), fix="write it again"
        ) from None
    names = list(columns) if columns is not None else frame.columns
    if len(names) != frame.width:
        raise DataError(
            f"`columns:` names {len(names)}, the sheet has {frame.width}", where=str(path), fix="name every column"
        )
    first = 1 if parquet or columns is not None else 2
    for row, values in enumerate(frame.iter_rows(), start=first):
        if any(value is not None for value in values):
            yield row, {name: text_of(value) for name, value in zip(names, values, strict=True)}
