"""Every table compared with its hash chain: names each row that was changed, deleted, or added outside Penjing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, String, cast, or_, select
from sqlalchemy.exc import DBAPIError

from penjing.core.errors import DamageError, StoreError
from penjing.store import audit
from penjing.store.chain import Entry, link, start_of
from penjing.store.database import Store
from penjing.store.opening import check_key, database_id
from penjing.store.parts import DIGEST_BYTES, ERASED, KINDS, Kind, digests_of, salts_of, values_of
from penjing.store.signing import SignedHead, head_file_of, load_head, load_key
from penjing.store.tables import chain, writers

_PAGE = 500
_WORDS = {
    "decision": "decision",
    "review": "case for review of the decision",
    "verdict": "verdict on the decision",
    "release": "release",
    "deployment": "last start of the release",
    "key": "key",
    "revocation": "revocation of the key",
    "audit": "audit entry",
}


@dataclass(frozen=True)
class Discrepancy:
    """One thing that is wrong: the table, the row, and what is wrong with it in words."""

    table: str
    row: str
    what: str


@dataclass
class Verified:
    """What a verification saw: rows by kind, entries of each writer with its public key, what is wrong."""

    rows: dict[str, int] = field(default_factory=dict)
    writers: list[dict[str, Any]] = field(default_factory=list)
    before: int = 0
    erased: int = 0
    findings: list[Discrepancy] = field(default_factory=list)

    def say(self, table: str, row: object, what: str) -> None:
        """Note something wrong."""
        self.findings.append(Discrepancy(table, str(row), what))


def verify_store(store: Store, advance: Callable[[int], None] = lambda _: None) -> Verified:
    """Check every table against the chains, the chains against their signed heads, the heads against the key file.

    Works page by page, so that a service can go on writing; what is written meanwhile is not looked at. `advance` is
    told how many entries were checked. Raises StoreError where the database cannot be read at all.
    """
    done = Verified()
    with store.read() as connection:
        database = database_id(connection)
        found = list(connection.execute(select(writers).order_by(writers.c.id)))
        erased = set(connection.execute(select(chain.c.row).where(chain.c.kind == "erased")).scalars())
    done.erased = len(erased)
    _check_writers(store, database, found, done)
    for writer in found:
        _check_chain(store, database, writer, erased, done, advance)
    with store.read() as connection:
        query = select(chain).where(chain.c.kind == "deployment").order_by(chain.c.time, chain.c.writer, chain.c.number)
        started = {entry.row: entry for entry in connection.execute(query)}
        if started:
            _check_rows(connection, KINDS["deployment"], list(started.values()), erased, done)
        for name in ("decision", "review", "verdict", "release", "key", "revocation", "audit"):
            _check_added(connection, KINDS[name], done)
        _check_strays(connection, done)
    try:
        audit.verify(store)
    except DamageError as error:
        done.say("audit", "", error.what)
    return done


def _check_writers(store: Store, database: str, found: list[Row[Any]], done: Verified) -> None:
    counts = {row.public: row.number for row in found}
    if not found:
        done.say("writers", "", "no writer is known: the chains were taken away")
    try:
        key = load_key(store.key_file)
        check_key(store, key, database, counts)
    except StoreError as error:
        done.say("writers", "", f"{error.where}: {error.what}")
        key = None
    known = {key.public, *key.trusted} if key is not None else set()
    for row in found:
        head = SignedHead(database, row.public, row.number, row.hash, row.time, row.signature)
        if not head.holds():
            done.say("writers", row.id, f"the signature of its head ({row.number} entries) is not the writer's")
        if known and row.public not in known:
            done.say("writers", row.id, f"its key {row.public} is unknown to this machine's key file")
        done.writers.append({"writer": row.id, "public": row.public, "entries": row.number, "head": row.hash})


def _check_chain(
    store: Store,
    database: str,
    writer: Row[Any],
    erased: set[str],
    done: Verified,
    advance: Callable[[int], None],
) -> None:
    """Follow one chain to its head, and compare the rows of each page."""
    number, previous = 0, start_of(database, writer.public)
    noted = _noted(store, writer.public)
    for connection, page in _pages(store, writer.id, writer.number):
        by_kind: dict[str, list[Any]] = {}
        for entry in page:
            _check_gap(number, entry.number, done)
            made = Entry(entry.kind, entry.row, entry.digests, b"")
            if entry.number == number + 1 and entry.hash != link(previous, entry.number, entry.time, made):
                done.say("chain", entry.number, f"the entry for the {_name(entry.kind, entry.row)} was changed")
            if noted is not None and entry.number == noted.count and entry.hash.hex() != noted.hash:
                done.say("chain", entry.number, "it is not the entry that was noted beside the key")
            number, previous = entry.number, entry.hash
            kind = KINDS.get(entry.kind)
            if kind is None:
                done.say("chain", entry.number, f"`{entry.kind}` is no kind of entry")
            elif kind.name == "began":
                done.before = max(done.before, entry.number - 1)
            elif kind.table is not None and kind.name != "deployment":  # of those the last one counts
                by_kind.setdefault(kind.name, []).append(entry)
        for name, entries in by_kind.items():
            _check_rows(connection, KINDS[name], entries, erased, done)
        advance(len(page))
    _check_gap(number, writer.number + 1, done)
    if number == writer.number and previous.hex() != writer.hash:
        done.say("writers", writer.id, f"its signed head is not the last of its {number} entries")


def _noted(store: Store, public: str) -> SignedHead | None:
    try:
        head = load_head(head_file_of(store.key_file))
    except StoreError:  # said by `_check_writers`
        return None
    return head if head is not None and head.writer == public and head.holds() else None


def _pages(store: Store, writer: int, end: int) -> Iterator[tuple[Connection, list[Row[Any]]]]:
    base = select(chain).where(chain.c.writer == writer, chain.c.number <= end).order_by(chain.c.number).limit(_PAGE)
    number = 0
    while True:
        with store.read() as connection:
            page = list(connection.execute(base.where(chain.c.number > number)))
            yield connection, page
        if len(page) < _PAGE:
            return
        number = page[-1].number


def _check_gap(before: int, number: int, done: Verified) -> None:
    if number > before + 2:
        done.say("chain", before + 1, f"the entries {before + 1} to {number - 1} were deleted")
    elif number == before + 2:
        done.say("chain", before + 1, f"the entry {before + 1} was deleted")


def _check_rows(connection: Connection, kind: Kind, entries: list[Any], erased: set[str], done: Verified) -> None:
    """Compare the rows that these entries are of with the entries' digests."""
    assert kind.table is not None
    key = kind.table.c[kind.key]
    wanted = [int(entry.row) if kind.name == "audit" else entry.row for entry in entries]
    rows = {str(row[kind.key]): row for row in _fetched(connection, kind, key, wanted, done)}
    done.rows[kind.name] = done.rows.get(kind.name, 0) + len(entries)
    for entry in entries:
        row = rows.get(entry.row)
        if row is None:
            done.say(kind.table.name, entry.row, f"the {_name(kind.name, entry.row)} of {entry.time} was deleted")
            continue
        for part in _changed(kind, entry, row, entry.row in erased):
            done.say(kind.table.name, entry.row, _said(kind, part, row))


def _fetched(
    connection: Connection, kind: Kind, key: Any, wanted: list[Any], done: Verified
) -> list[Mapping[str, Any]]:
    assert kind.table is not None
    try:
        return [dict(row._mapping) for row in connection.execute(select(kind.table).where(key.in_(wanted)))]
    except (DBAPIError, ValueError, TypeError) as error:
        done.say(kind.table.name, wanted[0], f"from this row on {len(wanted)} cannot be read: {error}")
        return []


def _changed(kind: Kind, entry: Any, row: Mapping[str, Any], erased: bool) -> list[str]:
    """The parts of the row whose digest is another one than the entry holds."""
    values = values_of(kind, row)
    if entry.salt is not None and digests_of(kind, values, entry.salt) == entry.digests:
        return []
    if len(entry.digests) != DIGEST_BYTES * len(kind.parts) or entry.salt is None:
        return ["entry"]
    now = digests_of(kind, values, entry.salt)
    changed = []
    for number, (part, salt) in enumerate(zip(kind.parts, salts_of(kind, entry.salt), strict=True)):
        place = slice(number * DIGEST_BYTES, (number + 1) * DIGEST_BYTES)
        if salt == ERASED and erased and part in kind.personal and _blank(values[part]):
            continue
        if now[place] != entry.digests[place]:
            changed.append(part)
    return changed


def _blank(value: Any) -> bool:
    return value in (None, "", "null")


def _said(kind: Kind, part: str, row: Mapping[str, Any]) -> str:
    name = _name(kind.name, str(row[kind.key]))
    if kind.name == "revocation" and row["revoked"] is None:
        return f"the {name} was taken back: the key opens the service again"
    if kind.name == "verdict" and part == "status":
        return f"the {name} was taken back: the case is {row['status']!r}"
    if part == "entry":
        return f"the salt of the {name} was taken away, so that it cannot be compared"
    shown = (
        ""
        if kind.name == "decision" and part in {"text", "decision", "fields", "evidence", "prediction"}
        else (f"; it is now {str(row.get(part))[:80]!r}")
    )
    return f"`{part}` of the {name} was changed{shown}"


def _check_added(connection: Connection, kind: Kind, done: Verified) -> None:
    """Rows that no entry is of."""
    assert kind.table is not None
    key = kind.table.c[kind.key]
    here = select(cast(key, String(64)))
    if kind.name == "verdict":
        told = [kind.table.c[part].is_not(None) for part in kind.parts if part != "status"]
        here = here.where(or_(kind.table.c.status != "open", *told))
    elif kind.name == "revocation":
        here = here.where(kind.table.c.revoked.is_not(None))
    added = here.except_(select(chain.c.row).where(chain.c.kind == kind.name))
    for identity in connection.execute(added).scalars():
        done.say(kind.table.name, identity, f"the {_name(kind.name, str(identity))} was added outside Penjing")


def _check_strays(connection: Connection, done: Verified) -> None:
    """Entries outside every signed chain: they would vouch for rows that no writer has entered."""
    inside = (chain.c.writer == writers.c.id) & (chain.c.number >= 1) & (chain.c.number <= writers.c.number)
    strays = select(chain).outerjoin(writers, inside).where(writers.c.id.is_(None)).limit(_PAGE)
    for entry in connection.execute(strays):
        name = _name(entry.kind, entry.row)
        what = f"the entry for the {name} is in no writer's signed chain: it was added outside Penjing"
        done.say("chain", f"{entry.writer}/{entry.number}", what)


def _name(kind: str, row: str) -> str:
    return f"{_WORDS.get(kind, kind)} {row[:64]}"
