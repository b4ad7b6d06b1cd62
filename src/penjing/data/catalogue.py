"""A catalogue: the entries among which the nearest one is looked for, each with an id and a text, from one file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from penjing.core.errors import DataError, RequestError, UsageError, shown
from penjing.core.options import nearest
from penjing.core.paths import AnyPath
from penjing.data.fold import fold
from penjing.data.labels import LONGEST_LABEL, read_label
from penjing.data.mask import mask
from penjing.data.read import open_table

# All entries are compared with every text, and a release holds their texts three times.
MOST_ENTRIES = 50_000
MOST_CHARACTERS = 20_000_000
LONGEST_ENTRY = 2_000  # characters


@dataclass(frozen=True)
class Catalogue:
    """Entries in the order of the file: the id of each, which is the gold of a row, and its masked text."""

    ids: tuple[str, ...]
    texts: tuple[str, ...]


def read_catalogue(
    path: AnyPath, text: str = "text", identity: str = "", masked: Callable[[str], str] | None = None
) -> Catalogue:
    """The entries of a file. text: the column of their texts; identity: that of their ids, "" if texts are the ids.
    masked: how their texts are masked; None: by the newest masking.

    A file with one column needs no names. Raises UsageError for a file or a column that is not there, DataError for
    fewer than two entries or too many, too many characters in all, an empty text, and an id or a text that is there
    twice. Texts that differ by case, width or masked values alone are the same.
    """
    table = open_table(path, wanted=[name for name in (text, identity) if name])
    ids: dict[str, int] = {}
    texts: dict[str, str] = {}
    alike: dict[str, int] = {}
    characters = 0
    for row, cells in table.rows():
        where = f"{table.where}:{row}"
        column = _column(cells, text, where)
        words = _entry(cells[column], where)
        name = _id(cells[_column(cells, identity, where)] if identity else words, where, own=bool(identity))
        read = mask(words).text if masked is None else masked(words)
        for found, key, kept in ((name, name, ids), (words, fold(read), alike)):
            if key in kept:
                raise _twice(found, kept[key], where, same=found in (ids if kept is ids else texts))
            kept[key] = row
        texts[words] = read
        characters += len(words)
        if len(ids) > MOST_ENTRIES:
            _refuse_more(table.where, f"the catalogue has more than {MOST_ENTRIES:,} entries")
        if characters > MOST_CHARACTERS:
            _refuse_more(table.where, f"the texts of the entries have more than {MOST_CHARACTERS:,} characters")
    return Catalogue(tuple(ids), tuple(checked(list(ids), list(texts.values()), table.where)))


def checked(ids: Sequence[str], texts: Sequence[str], where: str | None = None) -> Sequence[str]:
    """The texts of at least two entries. Raises DataError for fewer."""
    if len(ids) < 2:
        raise DataError("a catalogue needs at least two entries", where=where, fix="add entries, or rows of others")
    return texts


def _twice(found: str, row: int, where: str, *, same: bool) -> DataError:
    what = f"`{shown(found, 60)}` is in row {row} of the catalogue too"
    if not same:
        what = f"`{shown(found, 60)}` is in row {row} of the catalogue too, but for case, width or masked values"
    return DataError(what, where=where, fix="keep one of the two rows")


def _refuse_more(where: str, what: str) -> None:
    raise DataError(what, where=where, fix="use a smaller one, such as the entries of one product")


def _column(cells: dict[str, str], name: str, where: str) -> str:
    if name in cells:
        return name
    if len(cells) == 1:
        return next(iter(cells))
    fix = f"{nearest(name, tuple(cells))}; `entry:` and `id:` under `task:` name the columns"
    raise UsageError(f"the catalogue has no column `{name}`", where=where, fix=fix)


def _entry(cell: str, where: str) -> str:
    try:
        found = read_label(cell)
    except RequestError as error:
        raise DataError(error.what, where=where, fix=error.fix) from None
    if not found:
        raise DataError("an entry without a text", where=where, fix="write its text, or take the row out")
    if len(found) > LONGEST_ENTRY:
        what = f"an entry of {len(found):,} characters; {LONGEST_ENTRY:,} are the most"
        raise DataError(what, where=where, fix="give its title, or the question that it answers")
    return found


def _id(cell: str, where: str, *, own: bool) -> str:
    found = _entry(cell, where) if own else cell
    if len(found) > LONGEST_LABEL:
        what = f"an id of {len(found):,} characters; {LONGEST_LABEL} are the most"
        raise DataError(what, where=where, fix="give the entries short ids in a column of their own: `id: COLUMN`")
    return found
