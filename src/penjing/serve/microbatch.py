"""Micro-batching: texts that arrive while an engine works are decided together in its next, bounded passes."""

from __future__ import annotations

import asyncio
import math
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from penjing.core.errors import PenjingError
from penjing.serve.errors import AnswerError

Ask = TypeVar("Ask")
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class PassBounds:
    """The size of one pass of an engine, and how long a request may wait for its first pass.

    texts: most texts; cost: largest sum of their costs (a single text may exceed it); company: seconds that a pass
    waits for more texts; patience: seconds after which a request that no engine has begun is refused.
    """

    texts: int = 16
    cost: float = math.inf
    company: float = 0.0
    patience: float = math.inf


@dataclass
class _Job(Generic[Ask, Answer]):
    """A request: its texts, how many of them an engine was given, and the answers so far."""

    asks: Sequence[Ask]
    answer: asyncio.Future[list[Answer]]
    since: float
    given: int = 0
    answers: dict[int, Answer] = field(default_factory=dict)


@dataclass(frozen=True)
class _Part(Generic[Ask, Answer]):
    """The texts `start` to `end` of a job, in one pass."""

    job: _Job[Ask, Answer]
    start: int
    end: int

    @property
    def asks(self) -> Sequence[Ask]:
        return self.job.asks[self.start : self.end]


class MicroBatcher(Generic[Ask, Answer]):
    """Runs `work(asks) -> answers`, each of the `works` on a thread of its own, for one event loop.

    With `company` 0 no request waits for others: a free engine takes the texts that are waiting. So a single request
    has the latency of batch 1, and many at once have the throughput of a batch. A request that is larger than a pass
    alternates with the others, one pass each. If the engine refuses the texts of a request, only that request fails.
    """

    def __init__(
        self,
        *works: Callable[[Sequence[Ask]], list[Answer]],
        bounds: PassBounds | None = None,
        cost: Callable[[Ask], float] = lambda _ask: 1.0,
        name: str = "engine",
    ) -> None:
        self._works, self._bounds, self._cost = works, bounds or PassBounds(), cost
        self._jobs: deque[_Job[Ask, Answer]] = deque()
        self._arrived = asyncio.Event()
        self._closed = False
        self._threads = ThreadPoolExecutor(len(works), thread_name_prefix=f"penjing-{name}")
        self._runners: list[asyncio.Task[None]] = []
        self._queued = 0
        self._working = 0
        # Set while no text waits or is worked on; other threads wait for this event.
        self.idle = threading.Event()
        self.idle.set()

    @property
    def waiting(self) -> int:
        """Texts that wait or are worked on."""
        return self._queued + self._working

    def age(self) -> float:
        """Seconds that the first request in the queue has waited for its next pass; 0 if none waits."""
        return asyncio.get_running_loop().time() - self._jobs[0].since if self._jobs else 0.0

    def open(self) -> None:
        """Start working in the running event loop."""
        self._runners = [asyncio.create_task(self._run(work)) for work in self._works]

    async def ask(self, asks: Sequence[Ask]) -> list[Answer]:
        """The answers, in the order of the asks. Raises AnswerError 503 after `close`, or after `patience` seconds."""
        if self._closed:
            raise AnswerError(503, "stopping", "the service is stopping", "ask again soon", {"Retry-After": "5"})
        loop = asyncio.get_running_loop()
        job: _Job[Ask, Answer] = _Job(asks, loop.create_future(), loop.time())
        self._jobs.append(job)
        self._queued += len(asks)
        self.idle.clear()
        self._arrived.set()
        return await job.answer

    async def close(self) -> None:
        """Answer all waiting requests, refuse new ones, then stop."""
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
            if self._bounds.company:
                await self._gather(self._jobs[0].since + self._bounds.company)
                if not self._jobs:  # another engine took the texts
                    continue
            parts = self._take()
            failed = await self._answer(work, parts)
            # One request must not make the others of its pass fail: each is run again alone.
            if len(parts) > 1 and isinstance(failed, PenjingError):
                for part in parts:
                    self._fail([part], await self._answer(work, [part]))
            else:
                self._fail(parts, failed)
            self._working -= sum(part.end - part.start for part in parts)
            if not self.waiting:
                self.idle.set()

    async def _gather(self, deadline: float) -> None:
        """Wait until a pass is full, the deadline of its first request has come, or the batcher closes."""
        clock = asyncio.get_running_loop().time
        while self._queued < self._bounds.texts and not self._closed and (left := deadline - clock()) > 0:
            self._arrived.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._arrived.wait(), left)

    def _take(self) -> list[_Part[Ask, Answer]]:
        """The next pass: whole requests while they fit, or the next piece of a request that is larger than a pass."""
        # The waiting texts are shared: the first engine leaves a part to each other engine.
        share = min(self._bounds.texts, math.ceil(self._queued / len(self._works)))
        parts: list[_Part[Ask, Answer]] = []
        texts, spent = 0, 0.0
        now = asyncio.get_running_loop().time()
        while self._jobs:
            job = self._jobs[0]
            if self._given_up(job, now):
                continue
            start = job.given
            most = share - texts if parts else self._bounds.texts
            end, cost = self._reach(job, most, self._bounds.cost - spent, alone=not parts)
            if parts and end < len(job.asks):
                break
            self._jobs.popleft()
            parts.append(_Part(job, start, end))
            job.given = end
            texts, spent = texts + end - start, spent + cost
            if end < len(job.asks):
                job.since = now
                self._jobs.append(job)
                break
        self._queued -= texts
        self._working += texts
        return parts

    def _reach(self, job: _Job[Ask, Answer], texts: int, cost: float, *, alone: bool) -> tuple[int, float]:
        """(end, cost) of the texts of a job that fit, from the first one that no engine has."""
        end, spent = job.given, 0.0
        while end < len(job.asks) and end - job.given < texts:
            more = self._cost(job.asks[end])
            if spent + more > cost and not (alone and end == job.given):
                break
            end, spent = end + 1, spent + more
        return end, spent

    def _given_up(self, job: _Job[Ask, Answer], now: float) -> bool:
        """Remove a request from the queue if its client is gone, if it has failed, or if it has waited too long."""
        if not job.answer.done():
            if job.given or now - job.since <= self._bounds.patience:
                return False
            message = f"the request has waited for {self._bounds.patience:g} s"
            job.answer.set_exception(
                AnswerError(503, "overloaded", message, "ask again in a second, or slower", {"Retry-After": "1"})
            )
        self._jobs.popleft()
        self._queued -= len(job.asks) - job.given
        return True

    async def _answer(
        self, work: Callable[[Sequence[Ask]], list[Answer]], parts: Sequence[_Part[Ask, Answer]]
    ) -> BaseException | None:
        """Answer these parts with one call; returns the exception that it raised, or None."""
        asks = [ask for part in parts for ask in part.asks]
        if not asks:
            return None
        running = asyncio.wrap_future(self._threads.submit(work, asks))
        await asyncio.wait([running])
        if failed := running.exception():
            return failed
        answers = running.result()
        for part in parts:
            size, job = part.end - part.start, part.job
            job.answers.update(zip(range(part.start, part.end), answers[:size], strict=True))
            answers = answers[size:]
            if len(job.answers) == len(job.asks) and not job.answer.done():  # done: the client went away
                job.answer.set_result([job.answers[place] for place in range(len(job.asks))])
        return None

    @staticmethod
    def _fail(parts: Sequence[_Part[Ask, Answer]], failed: BaseException | None) -> None:
        for part in parts:
            if failed is not None and not part.job.answer.done():
                part.job.answer.set_exception(failed)
