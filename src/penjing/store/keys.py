"""Keys of the service: shown once, stored as SHA-256, compared in constant time, with scopes, revocable."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, insert, select, update

from penjing.core.errors import UsageError
from penjing.store import audit
from penjing.store.chain import enter
from penjing.store.chained_keys import chained_keys_of
from penjing.store.database import Store
from penjing.store.tables import keys, now

SCOPES = ("decide", "read")
_PREFIX = "pj_"


@dataclass(frozen=True)
class Key:
    """A key as it is stored; the secret itself is not stored."""

    id: str
    name: str
    digest: str
    scopes: tuple[str, ...]
    created: str
    revoked: str | None


def create_key(store: Store, name: str, scopes: Collection[str] = SCOPES) -> tuple[Key, str]:
    """Make a key and return it with its secret (256 random bits), which is not stored. Raises UsageError."""
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        message = f"unknown scope `{unknown[0]}`" if unknown else "a key needs a scope"
        raise UsageError(message, fix=f"scopes are {', '.join(SCOPES)}")
    if not name.strip() or len(name) > 80 or not name.isprintable():
        raise UsageError("the name of a key has 1 to 80 printable characters", fix="for example --name claims-desk")
    secret = _PREFIX + secrets.token_urlsafe(32)
    key = Key(secrets.token_hex(4), name, digest_of(secret), tuple(s for s in SCOPES if s in scopes), now(), None)
    with store.write() as connection:
        row = {"id": key.id, "name": name, "digest": key.digest, "scopes": ",".join(key.scopes)}
        row["created"] = key.created
        connection.execute(insert(keys).values(**row))
        enter(connection, "key", [row])
        audit.append(connection, "key created", {"id": key.id, "name": name, "scopes": list(key.scopes)})
    return key, secret


def list_keys(store: Store) -> list[Key]:
    """All keys, the oldest first, with revoked ones."""
    with store.read() as connection:
        rows = connection.execute(select(keys).order_by(keys.c.created, keys.c.id))
        return [_key(row) for row in rows]


def active_keys(store: Store) -> list[Key]:
    """The keys that the service accepts now: those that a signed chain has, and that are not revoked."""
    return [_key(row) for row in chained_keys_of(store).valid(store)]


def _key(row: Row[Any]) -> Key:
    return Key(row.id, row.name, row.digest, tuple(str(row.scopes).split(",")), row.created, row.revoked)


def revoke_key(store: Store, identity: str) -> Key:
    """Revoke a key; this cannot be undone. Raises UsageError for an unknown or revoked one."""
    found = {key.id: key for key in list_keys(store)}.get(identity)
    if found is None or found.revoked:
        state = "was revoked before" if found else "is unknown"
        raise UsageError(f"the key `{identity[:16]}` {state}", fix="`penjing keys list` shows the ids")
    with store.write() as connection:
        time = now()
        done = connection.execute(
            update(keys).where(keys.c.id == identity, keys.c.revoked.is_(None)).values(revoked=time)
        )
        if done.rowcount == 0:
            raise UsageError(f"the key `{identity[:16]}` was revoked before", fix="`penjing keys list` shows the ids")
        enter(connection, "revocation", [{"id": identity, "revoked": time}])
        audit.append(connection, "key revoked", {"id": identity, "name": found.name})
    return found


def digest_of(secret: str) -> str:
    """SHA-256 (hex) of a key's secret. The secret has 256 random bits, so no slow hash is needed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def match_key(known: Sequence[Key], secret: str) -> Key | None:
    """The key with this secret, or None. Every known key is compared in constant time."""
    presented, match = digest_of(secret), None
    for key in known:
        if hmac.compare_digest(key.digest, presented):
            match = key
    return match
