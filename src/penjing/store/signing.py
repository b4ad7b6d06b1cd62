"""The signing key of a database: an Ed25519 key and the last signed head, in two files beside the database.

The key file also shows that a database was made here before, so that a lost one is not silently replaced.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from penjing.core.canon import canonical_json
from penjing.core.errors import StoreError
from penjing.core.folder import make_private, write_whole
from penjing.core.formats import refuse_newer


@dataclass(frozen=True)
class SignedHead:
    """The end of a writer's chain: how many entries it has, and the hash of the last one."""

    database: str
    writer: str
    count: int
    hash: str
    time: str
    signature: str = ""

    def message(self) -> bytes:
        """The bytes that are signed."""
        return canonical_json(
            {
                "penjing": "chain head",
                "database": self.database,
                "writer": self.writer,
                "count": self.count,
                "hash": self.hash,
                "time": self.time,
            }
        )

    def holds(self) -> bool:
        """Whether the signature is valid."""
        return is_signed(self.writer, self.message(), self.signature)


@dataclass(frozen=True)
class SigningKey:
    """A private key for one database. `trusted`: public keys of earlier writers that this machine accepted."""

    database: str
    public: str
    private: str
    trusted: tuple[str, ...] = ()

    def sign(self, count: int, hash: str, time: str) -> SignedHead:
        """The signed head of this key's chain."""
        head = SignedHead(self.database, self.public, count, hash, time)
        return replace(head, signature=self._opened.sign(head.message()).hex())

    def sign_text(self, message: bytes) -> str:
        """The signature of any other message, as hexadecimal digits."""
        return self._opened.sign(message).hex()

    def derive(self, purpose: bytes) -> bytes:
        """32 secret bytes for another purpose, always the same; they tell nothing of the key (HMAC-SHA-256)."""
        return hmac.new(bytes.fromhex(self.private), purpose, hashlib.sha256).digest()

    @cached_property
    def _opened(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(self.private))


def is_signed(public: str, message: bytes, signature: str) -> bool:
    """Whether the holder of the key `public` (hexadecimal) has signed the message."""
    try:
        opened = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
        opened.verify(bytes.fromhex(signature), message)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def make_key(database: str, trusted: tuple[str, ...] = ()) -> SigningKey:
    """A new random key for this database."""
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw().hex()
    return SigningKey(database, public, key.private_bytes_raw().hex(), trusted)


def key_file_of(database: Path) -> Path:
    """The default key file of a database file. It is hidden, so that `rm NAME*` and `rm *` leave it."""
    return database.with_name(f".{database.name}.key")


def head_file_of(key_file: Path) -> Path:
    """The file of the last signed head, beside the key."""
    return key_file.with_name(key_file.name.removesuffix(".key") + ".head")


def load_key(file: Path) -> SigningKey | None:
    """The key in this file, or None if there is no file. Raises StoreError if it cannot be used."""
    found = _load(file)
    if found is None:
        return None
    refuse_newer(found, 1, file.name, str(file), StoreError)
    try:
        key = SigningKey(found["database"], found["public"], found["private"], tuple(found["trusted"]))
        derived = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(key.private)).public_key()
        if derived.public_bytes_raw().hex() != key.public:
            raise ValueError
    except (KeyError, TypeError, ValueError):
        raise _unusable(file, "is not a signing key of Penjing") from None
    return key


def save_key(file: Path, key: SigningKey) -> None:
    """Write a key that only its owner can read; an existing file is never overwritten. Raises StoreError."""
    values = {"format": 1, "database": key.database, "public": key.public, "private": key.private}
    content = canonical_json(values | {"trusted": list(key.trusted)}) + b"\n"
    try:
        with make_private(file) as target:
            target.write(content)
            target.flush()
            os.fsync(target.fileno())
    except OSError as error:
        raise _unusable(file, f"cannot be made: {(error.strerror or str(error)).lower()}") from None


def load_head(file: Path) -> SignedHead | None:
    """The last head that was noted, or None. Raises StoreError if the file holds something else."""
    found = _load(file)
    if found is None:
        return None
    try:
        return SignedHead(**{name: found[name] for name in SignedHead.__dataclass_fields__})
    except (KeyError, TypeError):
        raise _unusable(file, "is not a signed head of Penjing") from None


def save_head(file: Path, head: SignedHead) -> None:
    """Replace the noted head in one step. Raises OSError."""
    content = canonical_json({name: getattr(head, name) for name in SignedHead.__dataclass_fields__})
    write_whole(file, content + b"\n", private=True)


def _load(file: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(file.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(file, f"cannot be read: {(error.strerror or str(error)).lower()}") from None
    except ValueError:
        raise _unusable(file, "is damaged") from None
    if not isinstance(found, dict):
        raise _unusable(file, "is damaged")
    return found


def _unusable(file: Path, what: str) -> StoreError:
    return StoreError(
        f"the file {what}",
        where=str(file),
        fix="restore it from a backup; `penjing verify --begin-anew` makes a new signing key",
    )
