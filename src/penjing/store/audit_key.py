"""The key by which audits are drawn: that of a file which several servers share, else one made from the signing key."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from pathlib import Path

from penjing.core.errors import UsageError
from penjing.core.paths import local_path
from penjing.store.database import Store

LEAST, MOST = 32, 4096  # bytes of a file
_OTHERS = 0o027  # others may do nothing with the file, its group may read it
_MAKE = "make one by `umask 077; openssl rand -hex 32 > FILE`, and copy it to every server"


@dataclass(frozen=True)
class AuditKey:
    """secret: 32 bytes, which are never shown. file: where it was read; None: made from the signing key."""

    secret: bytes
    file: Path | None = None

    @property
    def fingerprint(self) -> str:
        """Eight hexadecimal digits by which two servers are compared; they tell nothing of the key."""
        return hmac.new(self.secret, b"penjing: fingerprint", hashlib.sha256).hexdigest()[:8]

    def __repr__(self) -> str:
        return f"AuditKey({self.fingerprint})"


def find_audit_key(store: Store, file: str) -> AuditKey | None:
    """The key of the file, if one is set; else that of the store; None without either. Raises UsageError."""
    if file:
        return read_audit_key(file)
    derived = store.audit_key()
    return None if derived is None else AuditKey(derived)


def read_audit_key(file: str) -> AuditKey:
    """The key in a file: at least 32 bytes, of which white space at the ends does not count.

    Raises UsageError for a file that is not there, is too short or too long, or that others can read.
    """
    path = local_path(file)
    try:
        mode = path.stat().st_mode
        with path.open("rb") as opened:
            content = opened.read(MOST + 1).strip()
    except OSError as error:
        what = f"the audit key cannot be read: {(error.strerror or str(error)).lower()}"
        raise UsageError(what, where=str(path), fix=_MAKE) from None
    if mode & _OTHERS:
        what = f"others can read or change the audit key (mode {mode & 0o777:o})"
        raise UsageError(what, where=str(path), fix=f"chmod 600 {path}")
    if not LEAST <= len(content) <= MOST:
        what = f"the audit key has {len(content):,} bytes, not {LEAST} to {MOST:,}"
        raise UsageError(what, where=str(path), fix=_MAKE)
    return AuditKey(hmac.new(content, b"penjing: draws for audits", hashlib.sha256).digest(), path)
