"""Ids of records: 26 characters that sort by time, and are unique without a central counter."""

from __future__ import annotations

import os
import re
import time

from penjing.core.errors import RequestError

# Crockford's base 32 (no I, L, O, U), as in the ULID specification: 48 bits of milliseconds, 80 random bits.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_GIVEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:\-]{0,63}")


def new_id() -> str:
    """An id for a new record."""
    return encode_id(time.time_ns() // 1_000_000, os.urandom(10))


def encode_id(milliseconds: int, random: bytes) -> str:
    """The id of a time (milliseconds since 1970) and 10 random bytes."""
    number = (milliseconds << 80) | int.from_bytes(random, "big")
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -5, -5))


def check_id(given: str, where: str | None = None) -> str:
    """The id that a caller gave, if it is valid."""
    if not isinstance(given, str) or not _GIVEN.fullmatch(given):
        fix = "use 1 to 64 of A-Z a-z 0-9 . _ : - and begin with a letter or a digit, or leave the id out"
        raise RequestError("the id cannot be used", where=where, fix=fix)
    return given
