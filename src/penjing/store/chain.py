"""The chain of a writer: an entry for every change of a row, written and signed in the transaction of the change."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update

from penjing.core.errors import StoreError
from penjing.store.bulk import insert_rows
from penjing.store.parts import KINDS, SALT_BYTES, digests_of, values_of
from penjing.store.signing import SignedHead, SigningKey
from penjing.store.tables import chain, now, writers

OPTION = "penjing_chain"
_PAGE = 500
# The kinds with which a row of the present tables is entered; a kind may need a column that is not null.
_ENTERED: tuple[tuple[str, str | None], ...] = (
    *(("decision", None), ("review", None), ("verdict", "closed"), ("release", None)),
    *(("deployment", None), ("key", None), ("revocation", "revoked"), ("audit", None)),
)
# The kinds that came with the fourth form.
_ENTERED_LATER: tuple[tuple[str, str | None], ...] = (("run", None), ("run end", "finished"), ("run row", None))
# Compiled once, because they run with every commit.
_END = select(writers.c.id, writers.c.number, writers.c.hash).where(writers.c.public == bindparam("public"))
_END = _END.with_for_update()
_ADVANCE = update(writers).where(writers.c.id == bindparam("writer"))
_ADVANCE = _ADVANCE.values({name: bindparam(name) for name in ("number", "hash", "time", "signature")})


@dataclass(frozen=True)
class ChainHead:
    """The end of a writer's chain in the database."""

    number: int
    hash: bytes


@dataclass(frozen=True)
class Entry:
    """An entry of a chain before it has its number."""

    kind: str
    row: str
    digests: bytes
    salt: bytes


@dataclass
class ChainTransaction:
    """Gathers the entries of one transaction and adds them, with a signed head, at its end."""

    key: SigningKey | None
    known: ChainHead | None = None
    head: SignedHead | None = None
    problem: StoreError | None = None
    entries: list[Entry] = field(default_factory=list)
    _start: tuple[int, ChainHead] | None = None
    _added: bool = False

    @property
    def count(self) -> int:
        """The number of entries of the chain, those of `flush` included."""
        return self._start[1].number if self._start else 0

    def add(self, connection: Connection, kind: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Enter rows that the caller inserts or changes. Raises StoreError if this machine has no signing key."""
        self.add_entries(connection, [entry_of(kind, row) for row in rows])

    def add_entries(self, connection: Connection, entries: Iterable[Entry]) -> None:
        """The same, for entries that are made already."""
        if self._start is None:
            self._start = self._open(connection)
        self.entries += entries

    def finish(self, connection: Connection) -> None:
        """Add the gathered entries, and sign the new head. Call it last, before the commit."""
        self.flush(connection)
        if self._start is None or self.key is None or not self._added:
            return
        writer, end = self._start
        self.head = self.key.sign(end.number, end.hash.hex(), now())
        values = {"number": end.number, "hash": self.head.hash, "time": self.head.time}
        connection.execute(_ADVANCE, {"writer": writer, **values, "signature": self.head.signature})
        self.known = end

    def flush(self, connection: Connection) -> None:
        """Add the entries gathered so far; `finish` signs the head."""
        if self._start is None or not self.entries:
            return
        writer, head = self._start
        time, made = now(), []
        for entry in self.entries:
            head = ChainHead(head.number + 1, link(head.hash, head.number + 1, time, entry))
            made.append(
                {
                    "writer": writer,
                    "number": head.number,
                    "time": time,
                    "kind": entry.kind,
                    "row": entry.row,
                    "digests": entry.digests,
                    "hash": head.hash,
                    "salt": entry.salt,
                }
            )
        insert_rows(connection, chain, made)
        self.entries = []
        self._start, self._added = (writer, head), True

    def _open(self, connection: Connection) -> tuple[int, ChainHead]:
        """The writer of this key and the end of its chain, locked until the transaction ends."""
        if self.key is None:
            raise self.problem or StoreError(
                "the signing key of the database is not here: nothing can be recorded",
                fix="bring the key file from where the database was, or see `penjing verify --begin-anew`",
            )
        row = connection.execute(_END, {"public": self.key.public}).first()
        if row is None:
            raise _rolled_back()
        head = ChainHead(row.number, bytes.fromhex(row.hash))
        if self.known is not None and head != self.known:
            self._check_known(connection, row.id, head, self.known)
        return row.id, head

    def _check_known(self, connection: Connection, writer: int, head: ChainHead, known: ChainHead) -> None:
        """Another process may have added entries since; the entries of this process must still be there."""
        query = select(chain.c.hash).where(chain.c.writer == writer, chain.c.number == known.number)
        if head.number < known.number or connection.execute(query).scalar() != known.hash:
            raise _rolled_back()


def enter(connection: Connection, kind: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Enter rows in the chain of the transaction that `Store.write` opened."""
    transaction: ChainTransaction = connection.get_execution_options()[OPTION]
    transaction.add(connection, kind, rows)


def enter_entries(connection: Connection, entries: Iterable[Entry]) -> None:
    """The same, for entries that were made before the transaction."""
    transaction: ChainTransaction = connection.get_execution_options()[OPTION]
    transaction.add_entries(connection, entries)


def entry_of(kind: str, row: Mapping[str, Any]) -> Entry:
    """The entry of a row, under a new salt."""
    rule = KINDS[kind]
    salt = secrets.token_bytes(SALT_BYTES)
    return Entry(kind, rule.identity(row), digests_of(rule, values_of(rule, row), salt), salt)


def link(previous: bytes, number: int, time: str, entry: Entry) -> bytes:
    """The hash of an entry: over the one before it, and each of its parts with its length."""
    first, second, third = str(number).encode(), time.encode(), entry.kind.encode()
    row, digests = entry.row.encode("utf-8", "surrogatepass"), entry.digests
    # Without a loop, because a verification does this for every entry.
    body = (
        previous
        + len(first).to_bytes(4, "little")
        + first
        + len(second).to_bytes(4, "little")
        + second
        + len(third).to_bytes(4, "little")
        + third
        + len(row).to_bytes(4, "little")
        + row
        + len(digests).to_bytes(4, "little")
        + digests
    )
    return hashlib.sha256(body).digest()


def start_of(database: str, public: str) -> bytes:
    """What the first entry of a writer's chain follows."""
    return hashlib.sha256(f"{database}:{public}".encode()).digest()


def register(connection: Connection, key: SigningKey) -> None:
    """Add the writer of this key, with an empty chain."""
    last = connection.execute(select(func.max(writers.c.id))).scalar() or 0
    start, time = start_of(key.database, key.public), now()
    head = key.sign(0, start.hex(), time)
    values = {"id": last + 1, "public": key.public, "number": 0, "hash": head.hash, "time": time}
    connection.execute(insert(writers).values(**values, signature=head.signature))


def enter_all(connection: Connection, key: SigningKey, form: str) -> ChainTransaction:
    """Enter every row that is in the database already, as found; `began` says how many entries that made."""
    transaction = ChainTransaction(key)
    for kind, column in (*_ENTERED, *_ENTERED_LATER):
        _enter_rows(connection, transaction, kind, column)
    transaction.add(connection, "began", [{"row": "began", "count": transaction.count}])
    transaction.add(connection, "form", [{"row": "form", "revision": form}])
    transaction.finish(connection)
    return transaction


def enter_later(connection: Connection, form: str) -> None:
    """Enter, as found, the rows that the third form did not enter, in the chain of the transaction of `Store.write`."""
    transaction: ChainTransaction = connection.get_execution_options()[OPTION]
    for kind, column in _ENTERED_LATER:
        _enter_rows(connection, transaction, kind, column)
    transaction.add(connection, "form", [{"row": "form", "revision": form}])


def _enter_rows(connection: Connection, transaction: ChainTransaction, kind: str, column: str | None) -> None:
    table = KINDS[kind].table
    assert table is not None
    query = select(table).order_by(*table.primary_key)
    if column is not None:
        query = query.where(table.c[column].is_not(None))
    found = connection.execute(query.execution_options(yield_per=_PAGE)).mappings()
    for page in found.partitions(_PAGE):
        transaction.add(connection, kind, [dict(row) for row in page])
        transaction.flush(connection)


def _rolled_back() -> StoreError:
    return StoreError(
        "the database is not as this program left it: it was replaced or set back to an older state",
        fix="stop this program and compare the database with a backup; `penjing verify` says what differs",
    )
