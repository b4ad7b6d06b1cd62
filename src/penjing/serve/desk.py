"""The desk: texts that arrive while the engine works are decided together next; a full desk says so at once."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from penjing.core.errors import PenjingError
from penjing.serve.errors import AnswerError

Ask = TypeVar("Ask")
Answer = TypeVar("Answer")


@dataclass
class _Job(Generic[Ask, Answer]):
    asks: Sequence[Ask]
    answer: asyncio.Future[list[Answer]]
    came: float


class Desk(Generic[Ask, Answer]):
    """Runs `work(asks) -> answers`, each of the `works` on a thread of its own, for one event loop.

    With `wait` 0 no request waits for company: what is there when an engine is free goes in, at most `largest` texts
    at a time. So one request alone has the latency of batch 1, and many at once the throughput of a batch. With more,
    a request waits up to so many seconds until `largest` texts are there: later answers, fewer passes. A request whose
    texts the engine refuses fails alone. Beyond `limit` waiting texts `ask` raises AnswerError 503.
    """

    def __init__(
        self, *works: Callable[[Sequence[Ask]], list[Answer]], limit: int, largest: int = 16, wait: float = 0.0
    ) -> None:
        self._works, self._limit, self._largest, self._wait = works, limit, largest, wait
        self._jobs: deque[_Job[Ask, Answer]] = deque()
        self._arrived = asyncio.Event()
        self._closed = False
        self._threads = ThreadPoolExecutor(len(works), thread_name_prefix="penjing-engine")
        self._runners: list[asyncio.Task[None]] = []
        self._queued = 0
        self.waiting = 0

    def open(self) -> None:
        """Begin to work, in the running event loop."""
        self._runners = [asyncio.create_task(self._run(work)) for work in self._works]

    async def ask(self, asks: Sequence[Ask]) -> list[Answer]:
        """The answers, in the order of the asks. Raises AnswerError 503 where the desk is full or closed."""
        if self._closed:
            raise AnswerError(503, "stopping", "the service is stopping", "ask again soon", {"Retry-After": "5"})
        if self.waiting + len(asks) > self._limit:
            said = f"{self.waiting} texts wait already"
            raise AnswerError(503, "overloaded", said, "ask again in a second, or slower", {"Retry-After": "1"})
        loop = asyncio.get_running_loop()
        job = _Job(asks, loop.create_future(), loop.time())
        self._jobs.append(job)
        self.waiting += len(asks)
        self._queued += len(asks)
        self._arrived.set()
        return await job.answer

    async def close(self) -> None:
        """Answer what waits, refuse what comes, then stop."""
        self._closed = True
        self._arrived.set()
        await asyncio.gather(*self._runners)
        self._threads.shutdown()

    async def _run(self, work: Callable[[Sequence[Ask]], list[Answer]]) -> None:
        while True:
            while not self._jobs:
                if self._closed:
                    return
                self._arrived.clear()
                await self._arrived.wait()
            if self._wait:
                await self._gather(self._jobs[0].came + self._wait)
                if not self._jobs:  # another engine was quicker
                    continue
            batch = self._take()
            failed = await self._answer(work, batch)
            # What one request did must not fail its neighbours: each is asked again alone.
            if len(batch) > 1 and isinstance(failed, PenjingError):
                for job in batch:
                    self._refuse([job], await self._answer(work, [job]))
            else:
                self._refuse(batch, failed)
            self.waiting -= sum(len(job.asks) for job in batch)

    async def _gather(self, deadline: float) -> None:
        """Wait until a batch is full, the deadline of its first request has come, or the desk closes."""
        clock = asyncio.get_running_loop().time
        while self._queued < self._largest and not self._closed and (left := deadline - clock()) > 0:
            self._arrived.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._arrived.wait(), left)

    def _take(self) -> list[_Job[Ask, Answer]]:
        # What waits is shared: an engine that comes first leaves their part to the others.
        most = min(self._largest, math.ceil(self._queued / len(self._works)))
        batch = [self._jobs.popleft()]
        size = len(batch[0].asks)
        while self._jobs and size + len(self._jobs[0].asks) <= most:
            batch.append(self._jobs.popleft())
            size += len(batch[-1].asks)
        self._queued -= size
        return batch

    async def _answer(
        self, work: Callable[[Sequence[Ask]], list[Answer]], batch: list[_Job[Ask, Answer]]
    ) -> BaseException | None:
        """Answer these jobs with one call; returns what it raised, for the caller to pass on."""
        asks = [ask for job in batch for ask in job.asks]
        running = asyncio.wrap_future(self._threads.submit(work, asks))
        await asyncio.wait([running])
        if failed := running.exception():
            return failed
        answers = running.result()
        for job in batch:
            if not job.answer.done():  # done: the client went away
                job.answer.set_result(answers[: len(job.asks)])
            answers = answers[len(job.asks) :]
        return None

    @staticmethod
    def _refuse(batch: list[_Job[Ask, Answer]], failed: BaseException | None) -> None:
        for job in batch:
            if failed is not None and not job.answer.done():
                job.answer.set_exception(failed)
