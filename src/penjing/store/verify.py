"""Compares every table with its hash chain; names each row that was changed, deleted or added outside Penjing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, distinct, func, select, type_coerce
from sqlalchemy.types import NullType

from penjing.core.errors import DamageError, StoreError, UsageError
from penjing.core.whole_number import whole_number
from penjing.store import audit
from penjing.store.about import FORM, ID, NAMES, PROBED, read_signed
from penjing.store.chain import Entry, link, start_of
from penjing.store.compare import Discrepancy, ReadEntry, added_rows, compare_rows, name_of, stray_entries
from penjing.store.database import Store
from penjing.store.engines import fetch_all
from penjing.store.opening import check_key, database_id
from penjing.store.parts import KINDS
from penjing.store.schema import schema_findings
from penjing.store.signing import SignedHead, head_file_of, load_head, load_key
from penjing.store.tables import about, chain, writers
from penjing.store.tables import audit as audit_table

_PAGE = 1000
_MOST_STRAYS = 500
_RAW = NullType()


@dataclass(frozen=True)
class KnownHead:
    """A head that was noted elsewhere: after `count` entries the chain of this writer had this hash."""

    writer: str
    count: int
    hash: str

    def __str__(self) -> str:
        return f"{self.writer}:{self.count}:{self.hash}"


def read_head(written: str) -> KnownHead:
    """A head as `penjing verify` prints it, WRITER:COUNT:HASH. Raises UsageError."""
    parts = written.strip().split(":")
    count = whole_number(parts[1]) if len(parts) == 3 else None
    if count is None or not all(_is_hash(part) for part in (parts[0], parts[2])):
        raise UsageError(
            f"`{written[:200]}` is not a head", fix="give it as `penjing verify` prints it: WRITER:COUNT:HASH"
        )
    return KnownHead(parts[0], count, parts[2])


@dataclass(frozen=True)
class Blanked:
    """Rows whose personal parts may be blank: those of an erasure, and texts of cases that have a verdict."""

    erased: frozenset[str]
    judged: frozenset[str]

    def of(self, kind: str) -> frozenset[str]:
        """The rows of this kind of entry that may be blank."""
        return self.erased | self.judged if kind == "waiting text" else self.erased


@dataclass
class Verified:
    """The result of a verification: rows by kind, entries of each writer with its public key, and findings."""

    rows: dict[str, int] = field(default_factory=dict)
    writers: list[dict[str, Any]] = field(default_factory=list)
    before: int = 0
    erased: int = 0
    findings: list[Discrepancy] = field(default_factory=list)

    def add_finding(self, table: str, row: object, what: str) -> None:
        """Add a finding."""
        self.findings.append(Discrepancy(table, str(row), what))

    @property
    def heads(self) -> list[KnownHead]:
        """The heads to note elsewhere."""
        return [KnownHead(str(one["public"]), one["entries"], str(one["head"])) for one in self.writers]


def verify_store(
    store: Store, advance: Callable[[int], None] = lambda _: None, expected: Iterable[KnownHead] = ()
) -> Verified:
    """Check every table against the chains, the chains against their signed heads, the heads against the key file.

    expected: heads that were noted elsewhere; each must still be in its chain. Without one, a database that was set
    back together with its key files is not found. Works page by page, so that a service can go on writing; rows that
    are written meanwhile are not checked. `advance` gets the number of entries that were checked.
    Raises StoreError if the database cannot be read at all.
    """
    done = Verified()
    with store.read() as connection:
        for finding in schema_findings(connection):
            done.findings.append(finding)
        database = database_id(connection)
        found = list(connection.execute(select(writers).order_by(writers.c.id)))
        erased = set(connection.execute(select(chain.c.row).where(chain.c.kind.in_(("erasure", "erased")))).scalars())
        held = select(chain.c.row).where(chain.c.kind == "waiting text")
        judged = chain.c.kind == "verdict", chain.c.row.in_(held)
        blanked = Blanked(
            frozenset(erased), frozenset(connection.execute(select(chain.c.row).where(*judged)).scalars())
        )
        known = [*expected, *_heads_in_audit(connection)]
    done.erased = len(erased)
    trusted = _check_writers(store, database, found, done)
    noted = _noted(store)
    if noted is not None:
        known.append(noted)
    for writer in found:
        if not isinstance(writer.number, int):
            done.add_finding("writers", writer.id, "its number of entries is no number")
            continue
        of_this = {head.count: head.hash for head in known if head.writer == writer.public}
        _check_chain(store, start_of(database, str(writer.public)), writer, of_this, blanked, done, advance)
    _check_known(found, known, done)
    with store.read() as connection:
        _check_about(connection, store, trusted, done)
        done.rows |= _repeated(connection)
        for kind in KINDS.values():
            if kind.table is not None and kind.name != "deployment":
                done.findings += added_rows(connection, kind)
        done.findings += stray_entries(connection, _MOST_STRAYS)
        _check_orphans(connection, done)
    try:
        audit.verify(store)
    except DamageError as error:
        done.add_finding("audit", "", error.what)
    return done


def _check_writers(store: Store, database: str, found: list[Row[Any]], done: Verified) -> set[str]:
    """Compare the heads with their signatures and with the key file; returns the writers that are trusted."""
    counts = {str(row.public): row.number for row in found if isinstance(row.number, int)}
    if not found:
        done.add_finding("writers", "", "no writer is known: the chains were removed")
    try:
        key = load_key(store.key_file)
        check_key(store, key, database, counts)
    except StoreError as error:
        done.add_finding("writers", "", f"{error.where}: {error.what}")
        key = None
    known = {key.public, *key.trusted} if key is not None else set()
    trusted = set()
    for row in found:
        head = SignedHead(database, str(row.public), row.number, row.hash, row.time, row.signature)
        if not head.holds():
            done.add_finding("writers", row.id, f"the signature of its head ({row.number} entries) is not the writer's")
        if known and row.public not in known:
            done.add_finding("writers", row.id, f"its key {row.public} is unknown to this machine's key file")
        else:
            trusted.add(str(row.public))
        done.writers.append({"writer": row.id, "public": row.public, "entries": row.number, "head": row.hash})
    return trusted


def _check_chain(
    store: Store,
    start: bytes,
    writer: Row[Any],
    known: Mapping[int, str],
    blanked: Blanked,
    done: Verified,
    advance: Callable[[int], None],
) -> None:
    """Follow one chain to its head, and compare the rows of each page."""
    number, previous = 0, start
    if known.get(0, start.hex()) != start.hex():
        done.add_finding("writers", writer.id, "its chain does not begin where a noted head says")
    for connection, page in _pages(store, writer.id, writer.number):
        by_kind: dict[str, list[ReadEntry]] = {}
        for here, time, kind, row, digests, hashed, salt in page:
            if here != number + 1:
                _check_gap(writer.id, number, here, done)
            whole = (
                type(time) is type(kind) is type(row) is str
                and type(digests) is type(hashed) is bytes
                and (salt is None or type(salt) is bytes)
            )
            made = whole and link(previous, here, time, Entry(kind, row, digests, b""))
            if not whole or (here == number + 1 and hashed != made):
                done.add_finding(
                    "chain", f"{writer.id}/{here}", f"the entry for the {name_of(str(kind), str(row))} was changed"
                )
            if whole and here in known and known[here] != hashed.hex():
                done.add_finding("chain", f"{writer.id}/{here}", "it is not the entry of a head that was noted")
            number, previous = here, hashed if type(hashed) is bytes else b""
            rule = KINDS.get(kind) if whole else None
            if rule is None:
                if whole:
                    done.add_finding("chain", f"{writer.id}/{here}", f"`{kind}` is no kind of entry")
            elif rule.name == "began":
                done.before = max(done.before, here - 1)
            elif rule.table is not None:
                by_kind.setdefault(kind, []).append(ReadEntry(writer.id, here, time, row, digests, salt))
        for name, entries in by_kind.items():
            done.rows[name] = done.rows.get(name, 0) + len(entries)
            done.findings += compare_rows(connection, KINDS[name], entries, blanked.of(name))
        advance(len(page))
    _check_gap(writer.id, number, writer.number + 1, done)
    if number == writer.number and previous.hex() != writer.hash:
        done.add_finding("writers", writer.id, f"its signed head is not the last of its {number} entries")


def _pages(store: Store, writer: Any, end: int) -> Iterator[tuple[Connection, list[Any]]]:
    # Without column types: a wrong value in a column must not stop the reading.
    columns = [chain.c[name] for name in ("number", "time", "kind", "row", "digests", "hash", "salt")]
    base = select(*[type_coerce(column, _RAW) for column in columns])
    base = base.where(chain.c.writer == writer, chain.c.number <= end).order_by(chain.c.number).limit(_PAGE)
    number = 0
    while True:
        with store.read() as connection:
            page = fetch_all(connection, base.where(chain.c.number > number))
            yield connection, page
        if len(page) < _PAGE:
            return
        number = page[-1][0]


def _check_gap(writer: Any, before: int, number: int, done: Verified) -> None:
    if number > before + 2:
        done.add_finding("chain", f"{writer}/{before + 1}", f"the entries {before + 1} to {number - 1} were deleted")
    elif number == before + 2:
        done.add_finding("chain", f"{writer}/{before + 1}", f"the entry {before + 1} was deleted")


def _noted(store: Store) -> KnownHead | None:
    """The head that was written beside the key."""
    try:
        head = load_head(head_file_of(store.key_file))
    except StoreError:  # reported by `_check_writers`
        return None
    return KnownHead(head.writer, head.count, head.hash) if head is not None and head.holds() else None


def _heads_in_audit(connection: Connection) -> list[KnownHead]:
    """The heads of earlier writers that were noted when a new one took over."""
    query = select(audit_table.c.detail).where(audit_table.c.kind == "begun anew")
    heads = []
    for written in connection.execute(query).scalars():
        try:
            noted = json.loads(written).get("heads", {})
            heads += [KnownHead(str(public), int(count), str(hash)) for public, (count, hash) in noted.items()]
        except (TypeError, ValueError, AttributeError, RecursionError):
            continue  # a changed audit entry; the check of the audit chain reports it
    return heads


def _check_known(found: list[Row[Any]], known: Iterable[KnownHead], done: Verified) -> None:
    """Check that every noted head is in a chain that is long enough; its hash was compared before."""
    counts = {row.public: row.number for row in found if isinstance(row.number, int)}
    for head in known:
        if head.writer not in counts:
            done.add_finding("writers", head.writer, "the writer of a noted head, and its chain, were deleted")
        elif counts[head.writer] < head.count:
            missing = head.count - counts[head.writer]
            done.add_finding(
                "writers", head.writer, f"{missing} entries of its chain are missing at the end: a head was noted"
            )


def _check_about(connection: Connection, store: Store, trusted: set[str], done: Verified) -> None:
    found = dict(connection.execute(select(about.c.name, about.c.value)).tuples().all())
    for name in NAMES:
        if name not in found:
            done.add_finding("about", name, f"the row `{name}` was deleted")
    for name in found.keys() - set(NAMES):
        done.add_finding("about", name, f"the row `{str(name)[:80]}` was added outside Penjing")
    database = str(found.get(ID))
    if store.key is not None and database != store.key.database:
        done.add_finding("about", ID, "the id of the database was changed")
        database = store.key.database
    for name in (FORM, PROBED):
        if name in found and read_signed(database, name, str(found[name]), trusted) is None:
            done.add_finding("about", name, f"the row `{name}` was changed: no writer has signed it")


def _repeated(connection: Connection) -> dict[str, int]:
    """The number of rows of each kind that may be entered more than once."""
    names = [kind.name for kind in KINDS.values() if kind.repeats]
    query = select(chain.c.kind, func.count(distinct(chain.c.row))).where(chain.c.kind.in_(names))
    return dict(connection.execute(query.group_by(chain.c.kind)).tuples().all())


def _check_orphans(connection: Connection, done: Verified) -> None:
    """Writers without entries, and entries without a writer."""
    query = select(chain.c.writer, func.count()).group_by(chain.c.writer)
    counts: dict[Any, int] = dict(connection.execute(query).tuples().all())
    here = dict(connection.execute(select(writers.c.id, writers.c.number)).tuples().all())
    for writer, count in counts.items():
        if writer not in here:
            done.add_finding("writers", writer, f"the writer of {count} entries was deleted, or its number was changed")
    for writer, number in here.items():
        if number and writer not in counts:
            done.add_finding(
                "writers", writer, f"the writer has none of its {number} entries, or its number was changed"
            )


def _is_hash(text: str) -> bool:
    return len(text) == 64 and all(letter in "0123456789abcdef" for letter in text)
