"""The file of cases that people fill in: CSV that a spreadsheet opens safely, or a workbook."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from penjing.data.formula_cells import defuse, kept_as_it_stands
from penjing.data.workbook import MOST_CHARACTERS, open_workbook

_CUT = " […]"
AddRow = Callable[[Sequence[object]], None]


@contextmanager
def open_case_file(path: Path, *, workbook: bool) -> Iterator[AddRow]:
    """Yield what adds a row. CSV is UTF-8 with BOM, so that Excel reads Chinese, and no cell of it is a formula.

    In a workbook every cell is a text as it stands; one that a reader would take an apostrophe from has one more. One
    of more than 32,767 characters, the most that a cell holds, ends in […]. Raises DataError for more rows than a
    workbook has.
    """
    if workbook:
        with open_workbook(path) as book:
            yield lambda cells: book.write([_fitting(kept_as_it_stands(str(cell))) for cell in cells])
        return
    with path.open("w", encoding="utf-8-sig", newline="") as target:
        writer = csv.writer(target)
        yield lambda cells: writer.writerow([defuse(str(cell)) for cell in cells])


def is_workbook(file: Path) -> bool:
    """Whether the name of a file says that it is a workbook."""
    return file.suffix.lower() == ".xlsx"


def _fitting(cell: str) -> str:
    return cell if len(cell) <= MOST_CHARACTERS else cell[: MOST_CHARACTERS - len(_CUT)] + _CUT
