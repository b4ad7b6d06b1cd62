"""Pairs of texts that mean the same, from a csv or tsv file without a header: two columns, or three."""

from __future__ import annotations

import csv
from pathlib import Path

from penjing.core.errors import DataError
from penjing.core.paths import no_such_file

Pair = tuple[str, str, str]


def read_pairs(path: Path) -> tuple[Pair, ...]:
    """(text, text that means the same, text that does not, or "") of every row.

    Raises UsageError for a missing file, DataError for one that is not UTF-8, has no row, or a row of another width.
    """
    if not path.is_file():
        raise no_such_file(path)
    delimiter = "\t" if path.suffix.lower() in (".tsv", ".tab") else ","
    found: list[Pair] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.reader(file, delimiter=delimiter):
                cells = [cell.strip() for cell in row]
                if not any(cells):
                    continue
                if len(cells) not in (2, 3) or not cells[0] or not cells[1]:
                    raise DataError(
                        f"row {len(found) + 1} has {len(cells)} columns, or an empty text",
                        where=str(path),
                        fix="give two texts a row, and a third one that means something else if you have it",
                    )
                found.append((cells[0], cells[1], cells[2] if len(cells) == 3 else ""))
    except UnicodeDecodeError:
        raise DataError("the file of pairs is not UTF-8", where=str(path), fix="save it as UTF-8") from None
    if not found:
        raise DataError("the file of pairs has no row", where=str(path), fix="give two texts a row")
    return tuple(found)
