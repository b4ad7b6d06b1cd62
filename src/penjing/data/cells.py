"""Cells as text: how numbers, dates, lists and objects of JSON, workbooks and parquet are written in a row."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from penjing.data.fields import text_of

_SHOWN = 5
# Keys of the speaker and of the message in exports of chats.
_SPOKEN = (
    ("role", "content"), ("from", "value"), ("speaker", "text"), ("speaker", "utterance"), ("role", "text"),
    ("sender", "text"), ("sender", "content"), ("author", "content"), ("from", "content"), ("role", "value"),
)  # fmt: skip
CONVERSATION = (
    'write one text a row: {"text": …, "label": …}; the text is what the customer wrote, its messages joined, '
    "the label what is to be decided"
)


@dataclass(frozen=True)
class Fault:
    """A row that cannot be read: its number, what is wrong, what to do.

    about: where a value of a declared field is wrong, the field, the value and what it is not; rows with the same field
    are one problem, however different their values.
    """

    row: int
    what: str
    fix: str
    about: tuple[str, str, str] | None = None


class UnreadableCell(str):
    """A cell without a plain value (a list, an object, an uncomputed formula); a row that needs it is refused."""

    what: str
    fix: str

    def __new__(cls, shown: str, what: str, fix: str) -> UnreadableCell:
        """`shown`: the cell as a string, for rows that do not need its value."""
        cell = super().__new__(cls, shown)
        cell.what, cell.fix = what, fix
        return cell


class ListCell(str):
    """The only value of a list, or nothing of an empty one; `listed` is the list as JSON."""

    listed: str

    def __new__(cls, shown: str, listed: str) -> ListCell:
        """`shown`: the cell as a string, for all who do not read lists."""
        cell = super().__new__(cls, shown)
        cell.listed = listed
        return cell


def as_list(cell: str) -> str:
    """A cell for those who read lists: a list as JSON, or lists of entities and relations; any other cell as it is."""
    if isinstance(cell, ListCell):
        return cell.listed
    readable = cell.startswith("[") or (cell.startswith("{") and '"relations"' in cell)
    return str(cell) if isinstance(cell, UnreadableCell) and readable else cell


def refuse_unreadable(cells: Mapping[str, str], used: Sequence[str], row: int) -> Fault | None:
    """The fault of the first used column whose cell holds no plain value."""
    for name in used:
        cell = cells.get(name)
        if isinstance(cell, UnreadableCell):
            return Fault(row, f"`{name}` is {cell.what}", cell.fix)
    return None


def json_cell(value: object) -> str:
    """A value of JSON or parquet. A list of one value is that value; null and NaN are empty."""
    if isinstance(value, str):
        return value
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, list | tuple):
        return _list_cell(value)
    if isinstance(value, dict):
        return _list_cell(value["choices"]) if set(value) == {"choices"} else _object_cell(value)
    return text_of(value)


def sheet_cell(value: object) -> str:
    """A value of a workbook as the sheet shows it: 1.0 is 1, a day has no time, a number has 15 digits."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else format(value, ".15g")
    if isinstance(value, datetime.datetime):
        if value.tzinfo is not None:
            return value.isoformat(" ", "seconds")  # with its offset: midnight is no day of its own elsewhere
        return value.strftime("%Y-%m-%d" if value.time() == datetime.time() else "%Y-%m-%d %H:%M:%S")
    return "" if value is None else str(value)


def parquet_cell(value: object) -> str:
    """A value of parquet: days and times as in a workbook, the rest as in JSON."""
    return sheet_cell(value) if isinstance(value, datetime.date | datetime.time) else json_cell(value)


def speakers(values: Sequence[object]) -> list[str]:
    """The speakers of a list that is a conversation, as chat exports write it; empty for any other list."""
    found = []
    for value in values:
        pair = next((pair for pair in _SPOKEN if isinstance(value, dict) and set(pair) <= set(value)), None)
        if pair is None or not isinstance(value, dict):
            return []
        found.append(str(value[pair[0]])[:20])
    return list(dict.fromkeys(found))


def _list_cell(values: object) -> str:
    if not isinstance(values, list | tuple):
        return json_cell(values)
    if not values:
        return ListCell("", "[]")
    if len(values) == 1 and not isinstance(values[0], list | tuple | dict):
        return ListCell(json_cell(values[0]), _dump(values))
    spoken = speakers(values)
    if spoken:
        what = f"a conversation of {len(values)} messages ({', '.join(spoken[:_SHOWN])}), not one text"
        return UnreadableCell(_dump(values), what, CONVERSATION)
    shown = ", ".join(str(value)[:40] for value in values[:_SHOWN]) + (", …" if len(values) > _SHOWN else "")
    what = f"a list of {len(values)} value{'s' * (len(values) != 1)} ({shown}), not one value"
    return UnreadableCell(_dump(values), what, "keep one value a row")


def _object_cell(value: Mapping[str, object]) -> str:
    keys = ", ".join(f"`{key}`" for key in list(value)[:_SHOWN]) + (", …" if len(value) > _SHOWN else "")
    what = f"an object with {keys}, not a plain value" if value else "an empty object, not a plain value"
    return UnreadableCell(_dump(value), what, 'write flat rows: {"text": …, "label": …}')


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
