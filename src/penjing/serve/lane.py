"""A lane: the queue of one kind of work, with bounds on its texts, on their cost, and on waiting time."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from penjing.serve.errors import AnswerError
from penjing.serve.microbatch import MicroBatcher, PassBounds

Ask = TypeVar("Ask")
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class LaneBounds:
    """The most texts and the most cost in a lane, and the seconds that its first request may wait for an engine.

    busy_texts, round_seconds, round_entries: if the lane holds `busy_texts` texts, a round of the event loop admits no
    more requests after `round_seconds` or `round_entries` requests. So a refusal waits for one short round at most.
    """

    texts: int
    cost: float
    seconds: float
    retry_after: int = 1
    busy_texts: float = math.inf
    round_seconds: float = math.inf
    round_entries: float = math.inf


class Round:
    """The time that the present round of the event loop has taken, and the requests that it has admitted unparsed."""

    def __init__(self) -> None:
        self._began: float | None = None
        self.entered = 0

    def seconds(self) -> float:
        """Seconds since the first call in this round."""
        now = time.monotonic()
        if self._began is None:
            self._began = now
            # `call_soon` runs in the next round.
            asyncio.get_running_loop().call_soon(self._end)
        return now - self._began

    def _end(self) -> None:
        self._began, self.entered = None, 0


class Lane(Generic[Ask, Answer]):
    """A queue with its bounds and its threads. A request that is alone in a lane is always admitted."""

    def __init__(
        self,
        name: str,
        bounds: LaneBounds,
        works: Sequence[Callable[[Sequence[Ask]], list[Answer]]],
        *,
        one_pass: PassBounds,
        cost: Callable[[Ask], float] = lambda _ask: 1.0,
    ) -> None:
        self.name, self.bounds = name, bounds
        self.texts, self.cost, self.refused = 0, 0.0, 0
        self._cost_of = cost
        self._round = Round()
        self.batcher: MicroBatcher[Ask, Answer] = MicroBatcher(*works, bounds=one_pass, cost=cost, name=name)

    def full(self, texts: int = 0, cost: float = 0.0) -> str:
        """Why a request of this size is not admitted now, or "". It is cheap, so it is checked first."""
        if not self.texts:
            return ""
        if self.texts + self._round.entered + max(texts, 1) > self.bounds.texts:
            return f"{self.texts} texts wait already"
        if self.cost + max(cost, 1) > self.bounds.cost:
            return f"texts with {self.cost:,.0f} characters of work wait already"
        if self.batcher.age() > self.bounds.seconds:
            return f"requests have waited for {self.bounds.seconds:g} s already"
        late = self._round.seconds() > self.bounds.round_seconds or self._round.entered >= self.bounds.round_entries
        if self.texts >= self.bounds.busy_texts and late:
            return f"{self.texts} texts wait already, and the service is late"
        return ""

    def enter(self) -> None:
        """Count a request that goes to the parser: the lane does not show it before the next round."""
        self._round.seconds()
        self._round.entered += 1

    @contextmanager
    def admit(self, asks: Sequence[Ask]) -> Iterator[None]:
        """Count a request until it is answered. Raises AnswerError 503 where the lane is full."""
        texts, cost = len(asks), sum(map(self._cost_of, asks))
        if reason := self.full(texts, cost):
            raise self.refusal(reason)
        self.texts += texts
        self.cost += cost
        try:
            yield
        finally:
            self.texts -= texts
            self.cost -= cost

    def refusal(self, reason: str) -> AnswerError:
        """The refusal of a full lane, counted."""
        self.refused += 1
        after = self.bounds.retry_after
        fix = f"ask again in {after} s, or slower" if after > 1 else "ask again in a second, or slower"
        return AnswerError(503, "overloaded", f"lane {self.name}: {reason}", fix, {"Retry-After": str(after)})

    async def run(self, asks: Sequence[Ask]) -> list[Answer]:
        """Admit a request and answer it. Raises AnswerError 503."""
        with self.admit(asks):
            return await self.batcher.ask(asks)
