"""Which automatic decisions a person checks: drawn by a key of the service, so that nobody outside can choose them.

The draw of a case is an HMAC (SHA-256, RFC 2104) of its folded masked text and its fields. The same case draws the same
again, so that asking twice gains nothing, and without the key nobody can tell a case that is drawn from another. The
number is recorded among the facts of the decision together with the probability: a replay needs no key.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from penjing.core.canon import canonical_json
from penjing.core.nouns import Scalar
from penjing.data.fold import fold

_UNITS = 10**9


@dataclass(frozen=True)
class Drawer:
    """Draws cases for audits. key: secret bytes of the service; those of a release without a service are its id."""

    key: bytes

    def draw(self, masked: str, fields: Mapping[str, Scalar]) -> float:
        """A number in [0, 1) in steps of 1e-9 that looks uniform to who does not have the key."""
        given = {name: value for name, value in fields.items() if value is not None}
        message = canonical_json({"penjing": "audit", "text": fold(masked), "fields": given})
        found = hmac.new(self.key, message, hashlib.sha256).digest()
        return int.from_bytes(found[:8], "big") * _UNITS // 2**64 / _UNITS
