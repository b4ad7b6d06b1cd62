"""Limits how many requests continue in one round of the event loop, so that a round takes a few milliseconds."""

from __future__ import annotations

import asyncio
from collections import deque


class RoundLimit:
    """Lets at most `most` callers continue in a round of the event loop, in the order of their calls.

    One commit completes hundreds of requests. If all were answered in one round, they would delay refusals, states and
    new requests for all that time.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._gone = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def turn(self) -> None:
        """Return in a round that has a free place."""
        if not self._gone and not self._waiting:
            # `call_soon` runs in the next round.
            asyncio.get_running_loop().call_soon(self._next)
        if self._gone < self._most and not self._waiting:
            self._gone += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        await turn

    def _next(self) -> None:
        self._gone = 0
        while self._waiting and self._gone < self._most:
            turn = self._waiting.popleft()
            if not turn.done():  # done: the client went away
                turn.set_result(None)
                self._gone += 1
        if self._gone:
            asyncio.get_running_loop().call_soon(self._next)
