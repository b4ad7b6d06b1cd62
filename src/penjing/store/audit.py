"""The audit chain: operations on the service. Each entry holds the SHA-256 of the one before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select, text

from penjing.core.canon import canonical_json, digest
from penjing.core.errors import DamageError
from penjing.store.chain import enter
from penjing.store.database import Store
from penjing.store.tables import audit, now

START = "0" * 64


@dataclass(frozen=True)
class AuditHead:
    """The last entry of a chain. A copy that is kept elsewhere finds entries that were cut from the end."""

    number: int
    hash: str


def append(connection: Connection, kind: str, detail: Mapping[str, Any]) -> AuditHead:
    """Add an entry in the transaction of the operation that it describes, so that both are committed or neither."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("LOCK TABLE audit IN EXCLUSIVE MODE"))
    last = connection.execute(select(audit.c.number, audit.c.hash).order_by(audit.c.number.desc()).limit(1)).first()
    number, previous = (last.number + 1, last.hash) if last else (1, START)
    entry: dict[str, Any] = {
        "number": number,
        "time": now(),
        "kind": kind,
        "detail": canonical_json(dict(detail)).decode(),
        "previous": previous,
    }
    entry["hash"] = digest(entry)
    connection.execute(insert(audit).values(**entry))
    enter(connection, "audit", [entry])
    return AuditHead(number, str(entry["hash"]))


def entries(store: Store) -> list[dict[str, Any]]:
    """The whole chain, oldest first."""
    with store.read() as connection:
        return [dict(row._mapping) for row in connection.execute(select(audit).order_by(audit.c.number))]


def verify(store: Store, expected: AuditHead | None = None) -> AuditHead:
    """Recompute the chain and return its head. Raises DamageError at the first entry that does not fit.

    expected: a head noted earlier, which must still be in the chain: without it, entries cut from the end are not seen.
    """
    head, met = AuditHead(0, START), expected is None or expected.number == 0
    with store.read() as connection:
        for row in connection.execute(select(audit).order_by(audit.c.number)):
            _check(row, head)
            head = AuditHead(row.number, row.hash)
            met = met or head == expected
    if not met:
        raise DamageError(
            f"the audit chain ends at entry {head.number} without the noted entry {expected.number if expected else 0}",
            fix=_FIX,
        )
    return head


_FIX = "the database was changed outside Penjing: compare it with a backup"


def _check(row: Row[Any], before: AuditHead) -> None:
    entry = {name: row._mapping[name] for name in ("number", "time", "kind", "detail", "previous")}
    if row.number != before.number + 1:
        raise DamageError(f"entry {before.number + 1} of the audit chain is missing", fix=_FIX)
    if row.previous != before.hash or row.hash != digest(entry):
        raise DamageError(f"entry {row.number} of the audit chain was changed", fix=_FIX)
