"""Texts and fields from a file for the commands that decide or predict."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TypeVar

from penjing.core.errors import UsageError
from penjing.data.read import read_rows

Row = tuple[int, str, dict[str, str]]
T = TypeVar("T")


def read_texts(file: str, column: str | None) -> Iterator[Row]:
    """(row number, text, all cells) of csv, tsv, jsonl or plain lines; "-" is standard input.

    column: where the text is; by default `text`, or the only column there is. Raises UsageError for another name.
    """
    for number, cells in read_rows(file):
        name = column or ("text" if "text" in cells or len(cells) != 1 else next(iter(cells)))
        if name not in cells:
            known = ", ".join(f"`{cell}`" for cell in list(cells)[:20])
            raise UsageError(
                f"there is no column `{name}`; there are {known or 'none'}",
                where=f"{file}:{number}",
                fix="name the column of the texts with --text COLUMN",
            )
        yield number, cells[name], cells


def batches(rows: Iterator[T], size: int) -> Iterator[list[T]]:
    """Lists of at most `size` of them, in their order."""
    while batch := list(islice(rows, size)):
        yield batch
