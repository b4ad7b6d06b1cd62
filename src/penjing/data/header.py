"""Where the header of a table is: below titles and empty lines, once, or not at all."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from penjing.core.errors import DataError
from penjing.data.fold import fold_name
from penjing.data.names import EXACT, names_column, role_of

NUMBER = re.compile(r"[-+]?[0-9][0-9.,:/\-年月日 ]*")
_LOOK = 12  # rows among which the header is looked for
_SENTENCE = re.compile(r"[。！？；.!?;](\s|$)|，|, ")
_ASKING = re.compile(r"(?:[\w/-]+ ){0,2}[\w/-]{1,12}[?？]")  # `Rehire?`, `Is resolved?`, `是否立案？`


def find_header(rows: Sequence[Sequence[str]], wanted: Sequence[str] = ()) -> int:
    """The place of the header among the first rows: that with the wanted names, else the first that is no title."""
    for place, cells in enumerate(rows[:_LOOK]):
        if wanted and has_names(cells, wanted):
            return place
    widths = Counter(_width(cells) for cells in rows if _width(cells) > 1)
    width = max(widths, key=lambda each: (widths[each], each)) if widths else 1
    for place, cells in enumerate(rows[:_LOOK]):
        if any(cell.strip() for cell in cells) and not _is_title(rows, place, width):
            return _below_sentences(rows, place, width)
    return 0


def _below_sentences(rows: Sequence[Sequence[str]], place: int, width: int) -> int:
    """A title with commas has more cells than the table: the header is then the first row as wide as most that names
    a column of texts and one of labels."""
    for later, cells in enumerate(rows[place:_LOOK], start=place):
        if _width(cells) == width:
            roles = {role_of(cell) for cell in cells}
            return later if later > place and {"text", "label"} <= roles and _is_named(cells) else place
    return place


def has_names(cells: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether a row holds all these names, whatever their width and case."""
    return {fold_name(name) for name in wanted} <= {fold_name(cell) for cell in cells}


def is_name(cell: str) -> bool:
    """Whether a cell could name a column: short, no number, no sentence."""
    sentence = _SENTENCE.search(cell) and not _ASKING.fullmatch(cell)
    return len(cell) <= 40 and not NUMBER.fullmatch(cell) and not sentence


def has_header(cells: Sequence[Sequence[str]]) -> bool:
    """Whether the first of the rows names the columns: short distinct words that are not repeated below."""
    first = [cell.strip() for cell in cells[0]]
    # A cell such as `Y` or `cat` that is repeated below is a value.
    exact = [place for place, name in enumerate(first) if name.lower() in EXACT]
    if any(first[place] not in _below(cells, place) for place in exact) or _is_counted(cells):
        return True
    if not _is_named(first):
        return _differs_in_kind(cells)
    for place, name in enumerate(first):
        if name and name in _below(cells, place):
            return False
    if len(first) == 1:
        return names_column(first[0])
    return True


def _below(cells: Sequence[Sequence[str]], place: int) -> set[str]:
    """The values below the first row in one column; a sheet of several blocks repeats its header above each."""
    return {_at(row, place) for row in cells[1:] if row != cells[0]}


def is_second_header(cells: Sequence[str], header: Sequence[str]) -> bool:
    """Whether the row below a header names the columns again in other words (`内容,类别` above `text,label`)."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    exact = [cell for cell in filled if cell.lower() in EXACT]
    others = [cell for cell in header if cell.strip() and names_column(cell)]
    return len(filled) > 1 and len(exact) == len(filled) and len(others) > 1


def join_headers(rows: Sequence[Sequence[str]], place: int) -> tuple[list[str], int, int]:
    """(names, place of the first and of the last row of the header): a header of several rows, merged cells or not.

    A name in the upper row over several columns is a group; the names of its columns are in the row below.
    """
    names, first, last = [cell.strip() for cell in rows[place]], place, place
    if place and _goes_on(rows[place - 1], names, rows[place + 1 :]):
        names, first = _joined(rows[place - 1], names), place - 1
    while last + 1 < len(rows) and _goes_on(names, rows[last + 1], rows[last + 2 :]):
        names, last = _joined(names, rows[last + 1]), last + 1
    return names, first, last


def column_names(cells: Sequence[str], where: str, row: int = 1) -> list[str]:
    """The names of a header; a column without a name gets its position. Raises DataError for a repeated name."""
    names = [cell.strip().lstrip("\ufeff") or f"column_{place}" for place, cell in enumerate(cells, start=1)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(
            f"the header names `{twice[0]}` twice",
            where=f"{where}:{row}",
            fix="give every column a name of its own, or say that there is no header (--header 0, `header: 0`)",
        )
    return names


def _joined(upper: Sequence[str], lower: Sequence[str]) -> list[str]:
    found, group = [], ""
    lowest = [cell.strip() for cell in lower if cell.strip()]
    for place in range(max(_width(upper), _width(lower))):
        above, below = _at(upper, place), _at(lower, place)
        group = above or group
        # Two groups may name their columns alike.
        found.append(f"{group} {below}" if below and lowest.count(below) > 1 else below or above)
    return found


def _goes_on(upper: Sequence[str], lower: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether the row below a header names columns that the header groups, and leaves the others as they are."""
    width = max(_width(upper), _width(lower))
    pairs = [(_at(upper, place), _at(lower, place)) for place in range(width)]
    named = [place for place, (above, below) in enumerate(pairs) if below and not above]
    kept = [place for place, (above, below) in enumerate(pairs) if above and not below]
    both = [place for place, (above, below) in enumerate(pairs) if above and below]
    if not named or not kept or not rows or not pairs[0][0] or any(place + 1 not in named for place in both):
        return False
    for place in (*named, *both):
        below = {_at(row, place) for row in rows}
        if not is_name(pairs[place][1]) or pairs[place][1] in below:
            return False
    return any(all(_at(row, place) for place in kept) for row in rows)


def _at(cells: Sequence[str], place: int) -> str:
    return cells[place].strip() if place < len(cells) else ""


def _width(cells: Sequence[str]) -> int:
    """Cells up to the last one that is filled."""
    return max((place for place, cell in enumerate(cells, start=1) if cell.strip()), default=0)


def _is_title(rows: Sequence[Sequence[str]], place: int, width: int) -> bool:
    """A line above the header: one cell over several columns, or fewer cells than the header that follows."""
    cells = rows[place]
    filled = sum(bool(cell.strip()) for cell in cells)
    below = [row for row in rows[place + 1 :] if any(cell.strip() for cell in row)]
    if width < 2 or not below or filled >= width:
        return False
    if filled == 1 and (width > 2 or _width(cells) == 1):
        return not names_column(next(cell for cell in cells if cell.strip()))
    if any(names_column(cell) for cell in cells):
        return False
    following = next((row for row in below if sum(bool(cell.strip()) for cell in row) >= width), None)
    if following is None or below.index(following) > _LOOK:
        return False
    start = below.index(following)
    named = _is_named([cell.strip() for cell in following]) or _differs_in_kind(below[start:])
    return named and has_header(below[start:])


def _is_counted(cells: Sequence[Sequence[str]]) -> bool:
    """Whether the first row numbers the columns from 0, as pandas does where they have no names."""
    first = [cell.strip() for cell in cells[0]]
    counted = first[1:] if first[:1] == [""] else first  # the index has no name
    if len(counted) < 2 or counted != [str(place) for place in range(len(counted))]:
        return False
    return any(not NUMBER.fullmatch(cell.strip()) for row in cells[1:3] for cell in row[-len(counted) :])


def _differs_in_kind(cells: Sequence[Sequence[str]]) -> bool:
    """Whether a first row with a sentence in it (`Dept.`, a question of a form) still names the columns.

    No cell may be repeated below it. Below two of them (below one, where a cell names a column of texts or labels)
    there must be only numbers, or a few repeated values.
    """
    first = [cell.strip() for cell in cells[0]]
    named = [name for name in first if name]
    if len(named) < 2 or len(set(named)) < len(named) or any(NUMBER.fullmatch(name) for name in named):
        return False
    kinds = 0
    for place, name in enumerate(first):
        below = [cell for row in cells[1:] if name and row != cells[0] and (cell := _at(row, place))]
        if name in below:
            return False
        repeated = len(set(below)) <= len(below) / 3
        kinds += len(below) >= 3 and (repeated or all(NUMBER.fullmatch(cell) for cell in below))
    return kinds >= (1 if any(names_column(name) for name in named) else 2)


def _is_named(names: Sequence[str]) -> bool:
    """Short distinct words, no numbers, no sentences."""
    named = [name for name in names if name]
    if not named or len(set(named)) != len(named):
        return False
    return all(is_name(name) for name in named)
