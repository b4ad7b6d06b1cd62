"""Answers of /readyz and /metrics, made at most once a second however often they are requested."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from penjing.core.errors import PenjingError


class CachedState:
    """The last answer of `make`, returned again for `seconds`; a failure is kept as long, and raised again.

    A caller waits while the answer is being made: it is never made twice at once.
    """

    def __init__(self, make: Callable[[], Awaitable[bytes]], seconds: float) -> None:
        self._make, self._seconds = make, seconds
        self._made = float("-inf")
        self._body: bytes | None = None
        self._failed: PenjingError | None = None
        self._one = asyncio.Lock()

    def fresh(self) -> bytes | None:
        """The answer if it is fresh and not a failure, else None; does not wait."""
        return self._body if time.monotonic() - self._made < self._seconds else None

    async def get(self) -> bytes:
        """The answer, made again if it is not fresh. Raises what `make` raised."""
        asked = time.monotonic()
        async with self._one:
            # Made while this call waited, so it is new.
            if self._made < asked and asked - self._made >= self._seconds:
                self._body = self._failed = None
                try:
                    self._body = await self._make()
                except PenjingError as error:
                    self._failed = error
                self._made = time.monotonic()
            if self._failed is not None:
                raise self._failed
            assert self._body is not None
            return self._body
