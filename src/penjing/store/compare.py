"""Rows compared with their entries in the chains: what was changed, deleted or added."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, String, Table, and_, cast, literal, or_, select, tuple_
from sqlalchemy.exc import DBAPIError

from penjing.store.engines import fetch_all
from penjing.store.parts import (
    DIGEST_BYTES,
    ERASED,
    KINDS,
    Kind,
    digests_in_order,
    salts_of,
    split_fields,
    split_plain,
)
from penjing.store.tables import chain, writers

_WORDS = {
    "decision": "decision",
    "review": "case for review of the decision",
    "verdict": "verdict on the decision",
    "case data": "caller's data of the decision",
    "waiting text": "text of the waiting decision",
    "release": "release",
    "deployment": "last start of the release",
    "key": "key",
    "revocation": "revocation of the key",
    "audit": "audit entry",
    "run": "run",
    "run end": "end of the run",
    "run row": "row of the run",
    "erasure": "date of the erasure of the decision",
}
_UNSHOWN = {"text", "decision", "fields", "evidence", "prediction"}
_CASES = {"case data", "waiting text"}
_DECISION = KINDS["decision"]
_PLACE, _PLACE_OF_FIELDS = _DECISION.parts.index("decision"), _DECISION.parts.index("fields")


@dataclass(frozen=True)
class Discrepancy:
    """One difference: the table, the row, and a description."""

    table: str
    row: str
    what: str


class ReadEntry(NamedTuple):
    """An entry as it was read."""

    writer: int
    number: int
    time: str
    row: str
    digests: bytes
    salt: bytes | None

    @property
    def place(self) -> str:
        """The name of the entry in a finding."""
        return f"{self.writer}/{self.number}"


def name_of(kind: str, row: str) -> str:
    """The name of a row in a message."""
    return f"{_WORDS.get(kind, kind)} {row[:76]}"


def compare_rows(
    connection: Connection, kind: Kind, entries: Sequence[ReadEntry], erased: Collection[str]
) -> Iterator[Discrepancy]:
    """The differences between these entries of one kind and their rows."""
    assert kind.table is not None
    rows: dict[str, list[Any]] = {}
    for found in _fetched(connection, kind, entries):
        if isinstance(found, Discrepancy):
            yield found
            return
        rows[found[0]] = found[1]
    differing = [entry for entry in entries if not _agrees(kind, entry, rows.get(entry.row))]
    if kind.repeats and differing:
        differing = _last_of(connection, kind, differing)
    for entry in differing:
        row = rows.get(entry.row)
        if row is None:
            yield Discrepancy(
                kind.table.name, entry.row, f"the {name_of(kind.name, entry.row)} of {entry.time} was deleted"
            )
            continue
        yield from _changes(kind, entry, row, entry.row in erased)


def added_rows(connection: Connection, kind: Kind) -> Iterator[Discrepancy]:
    """Rows without an entry."""
    table = kind.table
    assert table is not None
    here = select(_identity(kind, table))
    if kind.name == "verdict":
        closed = [table.c[part].is_not(None) for part in kind.parts if part != "status"]
        here = here.where(or_(table.c.status != "open", *closed))
    elif kind.name in {"revocation", "run end"}:
        here = here.where(table.c[kind.parts[0]].is_not(None))
    added = here.except_(select(chain.c.row).where(chain.c.kind == kind.name))
    for identity in connection.execute(added).scalars():
        name = name_of(kind.name, str(identity))
        yield Discrepancy(table.name, str(identity), f"the {name} was added outside Penjing")


def stray_entries(connection: Connection, most: int) -> Iterator[Discrepancy]:
    """Entries outside every signed chain: they would make rows look valid that no writer has entered."""
    inside = (chain.c.writer == writers.c.id) & (chain.c.number >= 1) & (chain.c.number <= writers.c.number)
    strays = select(chain).outerjoin(writers, inside).where(writers.c.id.is_(None)).limit(most)
    for entry in connection.execute(strays):
        name = name_of(str(entry.kind), str(entry.row))
        what = f"the entry for the {name} is in no writer's signed chain: it was added outside Penjing"
        yield Discrepancy("chain", f"{entry.writer}/{entry.number}", what)


def _identity(kind: Kind, table: Table) -> ColumnElement[str]:
    first, *rest = [cast(table.c[name], String(64)) for name in kind.key]
    made: ColumnElement[str] = first
    for each in rest:
        made = made + literal("/") + each
    return made


def _fetched(
    connection: Connection, kind: Kind, entries: Sequence[ReadEntry]
) -> Iterator[tuple[str, list[Any]] | Discrepancy]:
    """(identity, values in the order of the parts) of each row that exists."""
    table = kind.table
    assert table is not None
    columns = [table.c["decision" if part == "fields" else part] for part in kind.parts]
    width = len(kind.key)
    try:
        wanted = [_key_of(kind, table, entry.row) for entry in entries]
        keys = tuple_(*[table.c[name] for name in kind.key]) if width > 1 else table.c[kind.key[0]]
        where = keys.in_(wanted if width > 1 else [key[0] for key in wanted])
        query = select(*[table.c[name] for name in kind.key], *columns).where(where)
        for row in fetch_all(connection, query, scattered=True):
            identity = str(row[0]) if width == 1 else "/".join([str(value) for value in row[:width]])
            yield identity, list(row[width:])
    except (DBAPIError, ValueError, TypeError) as error:
        message = f"from this row on {len(entries)} cannot be read: {error}"
        yield Discrepancy(table.name, entries[0].row, message)


def _key_of(kind: Kind, table: Table, identity: str) -> tuple[Any, ...]:
    if kind.key == ("id",):
        return (identity,)
    parts = identity.rsplit("/", len(kind.key) - 1)
    return tuple(
        int(part) if table.c[name].type.python_type is int else part for name, part in zip(kind.key, parts, strict=True)
    )


def _agrees(kind: Kind, entry: ReadEntry, row: list[Any] | None) -> bool:
    if row is None or entry.salt is None:
        return False
    if kind is _DECISION:
        plain = split_plain(row[_PLACE])
        if plain is not None:
            values = list(row)
            values[_PLACE], values[_PLACE_OF_FIELDS] = plain
            if digests_in_order(kind, values, entry.salt) == entry.digests:
                return True
    return digests_in_order(kind, _parted(kind, row), entry.salt) == entry.digests


def _parted(kind: Kind, row: list[Any]) -> list[Any]:
    """The values, with the fields of a decision as a part of their own."""
    if kind is not _DECISION:
        return row
    values = list(row)
    values[_PLACE], values[_PLACE_OF_FIELDS] = split_fields(row[_PLACE])
    return values


def _last_of(connection: Connection, kind: Kind, entries: Sequence[ReadEntry]) -> list[ReadEntry]:
    """The entries that are the last of their row."""
    rows = {entry.row for entry in entries}
    query = select(chain.c.row, chain.c.time, chain.c.writer, chain.c.number)
    query = query.where(and_(chain.c.kind == kind.name, chain.c.row.in_(rows)))
    last: dict[str, tuple[str, int, int]] = {}
    for row, time, writer, number in connection.execute(query):
        last[row] = max(last.get(row, ("", 0, 0)), (str(time), writer, number))
    return [entry for entry in entries if (entry.writer, entry.number) == last[entry.row][1:]]


def _changes(kind: Kind, entry: ReadEntry, row: list[Any], erased: bool) -> Iterator[Discrepancy]:
    """The findings for an entry that does not agree with its row."""
    assert kind.table is not None
    changed = _changed(kind, entry, _parted(kind, row), erased)
    if changed is None or (len(changed) == len(kind.parts) > 1):
        name = name_of(kind.name, entry.row)
        what = f"the salt of the {name} was changed or removed, so the row cannot be compared; or all of it was changed"
        yield Discrepancy("chain", entry.place, what)
        yield Discrepancy(kind.table.name, entry.row, what)
        return
    values = dict(zip(kind.parts, row, strict=True))
    for part in changed:
        yield Discrepancy(kind.table.name, entry.row, _difference(kind, entry.row, part, values))


def _changed(kind: Kind, entry: ReadEntry, values: list[Any], erased: bool) -> list[str] | None:
    """The parts of the row whose digest differs from the entry; None if they cannot be compared."""
    if entry.salt is None or len(entry.digests) != DIGEST_BYTES * len(kind.parts):
        return None
    now = digests_in_order(kind, values, entry.salt)
    changed = []
    for number, (part, value, salt) in enumerate(zip(kind.parts, values, salts_of(kind, entry.salt), strict=True)):
        place = slice(number * DIGEST_BYTES, (number + 1) * DIGEST_BYTES)
        if salt == ERASED and erased and part in kind.personal and value in (None, "", "null"):
            continue
        if now[place] != entry.digests[place]:
            changed.append(part)
    return changed


def _difference(kind: Kind, row: str, part: str, values: dict[str, Any]) -> str:
    name = name_of(kind.name, row)
    if kind.name == "revocation" and values["revoked"] is None:
        return f"the {name} was undone: the key is valid again"
    if kind.name == "run end" and values["finished"] is None:
        return f"the {name} was undone: the run would go on"
    if kind.name == "verdict" and part == "status":
        return f"the {name} was undone: the case is {values['status']!r}"
    unshown = part in (_UNSHOWN if kind is _DECISION else kind.personal if kind.name in _CASES else ())
    shown = "" if unshown else f"; it is now {str(values.get(part))[:80]!r}"
    return f"`{part}` of the {name} was changed{shown}"
