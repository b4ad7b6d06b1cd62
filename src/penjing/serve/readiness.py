"""Whether decisions can be recorded now: a real test write, at most once a second, shared by all callers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future

from penjing.core.errors import StoreError

FRESH_SECONDS = 1.0
# Longer than the database waits for a lock, so that the error of the database is the one that is shown.
LONGEST_SECONDS = 8.0


class Readiness:
    """Calls `probe` for a test write; its result, good or bad, is the answer for one second."""

    def __init__(self, probe: Callable[[], Future[None]], fresh: float = FRESH_SECONDS) -> None:
        self._probe, self._fresh = probe, fresh
        self._at = float("-inf")
        self._failed: StoreError | None = None
        self._running: asyncio.Task[None] | None = None

    async def check(self) -> None:
        """Raise StoreError if the last test write failed or does not end."""
        if time.monotonic() - self._at > self._fresh:
            if self._running is None or self._running.done():
                self._running = asyncio.create_task(self._test())
            await asyncio.shield(self._running)
        if self._failed is not None:
            raise StoreError(self._failed.what, where=self._failed.where, fix=self._failed.fix)

    async def _test(self) -> None:
        try:
            await asyncio.wait_for(asyncio.wrap_future(self._probe()), LONGEST_SECONDS)
            self._failed = None
        except StoreError as error:
            self._failed = error
        except TimeoutError:
            message = f"the database did not record a test within {LONGEST_SECONDS:g} s"
            self._failed = StoreError(message, fix="see what holds the database, and the log of the service")
        self._at = time.monotonic()
