"""What /readyz and /metrics answer, made at most once a second however often it is asked for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from penjing.core.errors import PenjingError


class Kept:
    """The last answer of `make`, given again for `seconds`; a failure is kept as long, and raised again.

    Who asks while the answer is being made waits for it: it is never made twice at once.
    """

    def __init__(self, make: Callable[[], Awaitable[bytes]], seconds: float) -> None:
        self._make, self._seconds = make, seconds
        self._made = float("-inf")
        self._body: bytes | None = None
        self._failed: PenjingError | None = None
        self._one = asyncio.Lock()

    def fresh(self) -> bytes | None:
        """The answer where it is fresh and no failure, without waiting."""
        return self._body if time.monotonic() - self._made < self._seconds else None

    async def get(self) -> bytes:
        """The answer, made anew where it is not fresh. Raises what making it raised."""
        asked = time.monotonic()
        async with self._one:
            # Made while this call waited: as new as it could be.
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
