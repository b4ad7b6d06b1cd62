"""The parts of a row that a chain entry covers. Each has a salt of its own, so that one part can be erased."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Table

from penjing.core.canon import canonical_json
from penjing.store.tables import (
    audit,
    case_data,
    decisions,
    erasures,
    keys,
    releases,
    reviews,
    run_rows,
    runs,
    waiting_texts,
)

SALT_BYTES = DIGEST_BYTES = 16
ERASED = bytes(SALT_BYTES)
_FIELDS = '"fields":'
_DECODER = json.JSONDecoder()


@dataclass(frozen=True)
class Kind:
    """A kind of entry: the table and the columns that identify its row, and the parts that it covers.

    repeats: a row may be entered several times; then the last entry counts.
    """

    name: str
    table: Table | None
    key: tuple[str, ...]
    parts: tuple[str, ...]
    personal: frozenset[str] = frozenset()
    repeats: bool = False

    @cached_property
    def encoded_parts(self) -> tuple[bytes, ...]:
        """The names of the parts as bytes."""
        return tuple(part.encode() for part in self.parts)

    def identity(self, row: Mapping[str, Any]) -> str:
        """The identity of a row in an entry."""
        return "/".join([str(row[name]) for name in self.key]) if self.key else str(row["row"])


# A kind covers values that do not change later: a review that is closed later gets an entry of the kind `verdict`.
# The exceptions have `repeats`: a release is started many times, and a row with a deleted decision is decided again.
KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "decision",
            decisions,
            ("id",),
            (
                *("release", "created", "route", "outcome", "text"),
                *("decision", "fields", "prediction", "fingerprint", "evidence"),
            ),
            frozenset({"text", "fields", "evidence"}),
        ),
        Kind("review", reviews, ("decision",), ("opened",)),
        Kind(
            "verdict",
            reviews,
            ("decision",),
            ("status", "closed", "verdict", "reviewer", "note"),
            frozenset({"reviewer", "note"}),
        ),
        Kind("case data", case_data, ("decision",), ("created", "ref", "keep"), frozenset({"ref", "keep"})),
        Kind("waiting text", waiting_texts, ("decision",), ("text", "evidence"), frozenset({"text", "evidence"})),
        Kind("release", releases, ("id",), ("name", "first")),
        Kind("deployment", releases, ("id",), ("folder", "last"), repeats=True),
        Kind("key", keys, ("id",), ("name", "digest", "scopes", "created")),
        Kind("revocation", keys, ("id",), ("revoked",)),
        Kind("audit", audit, ("number",), ("time", "kind", "detail", "previous", "hash")),
        Kind("run", runs, ("id",), ("key", "file", "started")),
        Kind("run end", runs, ("id",), ("finished",), repeats=True),
        Kind("run row", run_rows, ("run", "row"), ("decision",), repeats=True),
        Kind("erasure", erasures, ("decision",), ("time", "parts")),
        Kind("began", None, (), ("count",)),
        Kind("form", None, (), ("revision",)),
        Kind("erased", None, (), ("parts",)),  # of the third form; later forms have the time in `erasures`
    )
}


def values_of(kind: Kind, row: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a row's parts. The declared fields of a decision are a part of their own."""
    if kind.name != "decision":
        return {part: row.get(part) for part in kind.parts}
    rest, fields = split_fields(row["decision"])
    values = {part: row.get(part) for part in kind.parts}
    return values | {"decision": rest, "fields": fields}


def split_fields(decision: Any) -> tuple[Any, str]:
    """(a decision's JSON with null for its fields, the JSON of its fields); byte for byte, for any content."""
    try:
        fields = canonical_json(json.loads(decision)["facts"]["fields"]).decode()
    except (KeyError, TypeError, ValueError, RecursionError):
        return decision, ""
    return decision.replace(_FIELDS + fields, _FIELDS + "null", 1), fields


def split_plain(decision: Any) -> tuple[str, str] | None:
    """The same for the usual decision, without parsing its JSON; None if it must be parsed.

    The two parts together are the decision, so digests that agree on both cover all of it.
    """
    if not isinstance(decision, str) or decision.count(_FIELDS) != 1:
        return None
    start = decision.index(_FIELDS) + len(_FIELDS)
    try:
        end = _DECODER.raw_decode(decision, start)[1]
    except (ValueError, RecursionError):
        return None
    return decision[:start] + "null" + decision[end:], decision[start:end]


def salts_of(kind: Kind, salt: bytes) -> list[bytes]:
    """The salt of each part: derived from the salt of the entry, or as an erasure left them."""
    stored = salt if len(salt) == SALT_BYTES * len(kind.parts) and len(kind.parts) > 1 else _expand(kind, salt)
    return [stored[start : start + SALT_BYTES] for start in range(0, len(stored), SALT_BYTES)]


def _expand(kind: Kind, salt: bytes) -> bytes:
    return hashlib.shake_256(salt).digest(SALT_BYTES * len(kind.parts))


def digests_of(kind: Kind, values: Mapping[str, Any], salt: bytes) -> bytes:
    """The salted digests of all parts, one after the other: SHA-256 of salt, name and value, cut to 16 bytes each.

    The salt is drawn after the value, so that 128 bits are enough.
    """
    return digests_in_order(kind, [values[part] for part in kind.parts], salt)


def digests_in_order(kind: Kind, values: Iterable[Any], salt: bytes) -> bytes:
    """The same for values in the order of the parts."""
    sha256 = hashlib.sha256
    parts = len(kind.parts)
    if len(salt) == SALT_BYTES and parts > 1:  # the usual entry
        drawn = hashlib.shake_256(salt).digest(SALT_BYTES * parts)
        salts = [drawn[start : start + SALT_BYTES] for start in range(0, SALT_BYTES * parts, SALT_BYTES)]
    else:
        salts = salts_of(kind, salt)
    return b"".join(
        [
            sha256(
                own + name + (b"\1" + value.encode("utf-8", "surrogatepass") if type(value) is str else _encoded(value))
            ).digest()[:DIGEST_BYTES]
            for name, value, own in zip(kind.encoded_parts, values, salts, strict=True)
        ]
    )


def _encoded(value: Any) -> bytes:
    # Text is stored. A null or bytes that another program wrote must not look like a text.
    if value is None:
        return b"\0"
    if isinstance(value, bytes):
        return b"\2" + value
    return b"\1" + str(value).encode("utf-8", "surrogatepass")


def erase_salts(kind: Kind, salt: bytes, parts: frozenset[str]) -> bytes:
    """The salts of an entry without those of some parts."""
    return b"".join(
        ERASED if part in parts else own for part, own in zip(kind.parts, salts_of(kind, salt), strict=True)
    )
