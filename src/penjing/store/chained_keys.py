"""The keys of the service that are in a signed chain. A row that was only written into the table is not accepted.

At a start each chain is followed once from its first entry to its signed head. After that only new entries are read.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field, replace
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Row, select

from penjing.store.chain import Entry, link, start_of
from penjing.store.database import Store
from penjing.store.engines import fetch_all
from penjing.store.opening import database_id
from penjing.store.parts import KINDS, digests_of, values_of
from penjing.store.signing import SignedHead
from penjing.store.tables import chain, keys, writers

_PAGE = 5000
_LOG = logging.getLogger("penjing.store")
_NEVER = "9"  # greater than any time


@dataclass
class _Followed:
    """How far a chain was followed, and the entries of keys in that part: (digests, time) by the id of the key.

    A break is a missing or changed entry. floor: the time of the first entry after the last break; older keys of any
    chain are refused, because a revocation may be missing. broken: no valid entry has come since the last break.
    """

    number: int
    hash: bytes
    keys: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    floor: str = ""
    broken: bool = False


class ChainedKeys:
    """Follows the chains of one store, and checks the rows of `keys` against them."""

    def __init__(self) -> None:
        self._followed: dict[str, _Followed] = {}
        self._salted: dict[bytes, bytes] = {}
        self._reported: set[str] = set()
        self._one = threading.Lock()

    def valid(self, store: Store) -> list[Row[Any]]:
        """The rows of keys that a signed chain has as they are now, and that no entry revokes.

        After a missing or changed entry only keys that are made later are valid. Each refused row is logged once.
        """
        with self._one, store.read() as connection:
            self._follow_all(connection, store)
            rows = list(connection.execute(select(keys).order_by(keys.c.created, keys.c.id)))
            salts = self._salts(connection)
        good = [row for row in rows if self._holds(row, salts)]
        kept = {row.id for row in good}
        for row in rows:
            if row.id not in kept and row.revoked is None and row.id not in self._reported:
                self._reported.add(row.id)
                message = "the key %s is not as the signed chain has it, and opens nothing: see `penjing verify`"
                _LOG.error(message, str(row.id)[:64])
        return good

    def _follow_all(self, connection: Connection, store: Store) -> None:
        database = database_id(connection)
        trusted = {store.key.public, *store.key.trusted} if store.key is not None else None
        here = set()
        for row in connection.execute(select(writers).order_by(writers.c.id)):
            public = str(row.public)
            head = SignedHead(database, public, row.number, row.hash, row.time, row.signature)
            if (trusted is not None and public not in trusted) or not head.holds():
                continue
            here.add(public)
            before = self._followed.get(public)
            if before is None or before.number > row.number or not before.hash:
                before = _Followed(0, start_of(database, public))
            self._followed[public] = _follow(connection, row, before)
        for public in self._followed.keys() - here:  # deleted meanwhile, or no longer signed
            self._followed[public] = _Followed(0, b"", broken=True)

    def _salts(self, connection: Connection) -> dict[bytes, bytes]:
        """The salt of each entry of a key, by the digests that the chain has of it."""
        wanted = {digests for one in self._followed.values() for digests, _ in one.keys.values()}
        if wanted - self._salted.keys():
            found = connection.execute(select(chain.c.digests, chain.c.salt).where(chain.c.kind == "key"))
            self._salted = {digests: salt for digests, salt in found.tuples() if salt is not None}
        return self._salted

    def _holds(self, row: Row[Any], salts: dict[bytes, bytes]) -> bool:
        chains, rule = self._followed.values(), KINDS["key"]
        if row.revoked is not None or any(row.id in one.revoked for one in chains):
            return False
        floor = max((_NEVER if one.broken else one.floor for one in chains), default="")
        for one in chains:
            digests, time = one.keys.get(str(row.id), (b"", ""))
            salt = salts.get(digests)
            if salt is None or time < floor:
                continue
            if digests_of(rule, values_of(rule, dict(row._mapping)), salt) == digests:
                return True
        return False


_CHAINED_KEYS: WeakKeyDictionary[Store, ChainedKeys] = WeakKeyDictionary()


def chained_keys_of(store: Store) -> ChainedKeys:
    """The chained keys of a store: one object for each store, so that its chains are followed only once."""
    return _CHAINED_KEYS.setdefault(store, ChainedKeys())


def _follow(connection: Connection, writer: Row[Any], before: _Followed) -> _Followed:
    """Follow the chain from the last entry that was read to its signed head."""
    now = replace(before, keys=dict(before.keys), revoked=set(before.revoked))
    columns = [chain.c[name] for name in ("number", "time", "kind", "row", "digests", "hash")]
    base = select(*columns).where(chain.c.writer == writer.id, chain.c.number <= writer.number)
    base = base.order_by(chain.c.number).limit(_PAGE)
    while True:
        page = fetch_all(connection, base.where(chain.c.number > now.number))
        for number, time, kind, row, digests, hashed in page:
            if number != now.number + 1 or hashed != link(now.hash, number, time, Entry(kind, row, digests, b"")):
                now.broken = True
            elif now.broken:
                now.broken, now.floor = False, max(now.floor, time)
            now.number, now.hash = number, hashed
            if kind == "key" and not now.broken:
                now.keys[row] = (digests, time)
            elif kind == "revocation":
                now.revoked.add(row)
        if len(page) < _PAGE:
            break
    if now.number != writer.number or now.hash.hex() != writer.hash:
        now.broken = True
    return now
