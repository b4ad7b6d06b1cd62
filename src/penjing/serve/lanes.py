"""The five lanes of a service: which requests each takes, and which engine works for it.

    cost of a request = characters of its texts * 1 (decide, predict, replay), * 17 (evidence), * 97 (counterfactual)

Short decisions have engines of their own. Long texts and large batches, evidence, and replays share one further
engine in a process of its own (serve/slow_engine.py). They take turns there, so that no lane delays short
decisions or another lane. Records are looked up on a thread of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from penjing.cases.record import Answer, Ask, work
from penjing.cases.replay_record import ReplayAsk
from penjing.decide.decider import Decider
from penjing.serve.lane import Lane, LaneBounds
from penjing.serve.lookups import CasePage
from penjing.serve.microbatch import PassBounds
from penjing.serve.settings import Settings
from penjing.serve.shared_engines import SlowShare
from penjing.serve.slow_engine import SlowEngine

# A JSON body has a few bytes around a text, and up to six for a character.
_BYTES_AROUND = 512
_RETRY_SLOW = 5
# Requests that a round of the event loop parses while two passes wait; half a millisecond each.
_ROUND_ENTRIES = 3


class Lanes:
    """Short decisions (`short`), long texts and large batches (`long`), `evidence`, replays (`replay`), `lookup`."""

    def __init__(
        self,
        deciders: Sequence[Decider],
        slow_engine: SlowEngine | SlowShare,
        find: Callable[[Sequence[str | CasePage]], list[Any]],
        settings: Settings,
    ) -> None:
        self._settings = settings
        short, seconds = settings.short_characters, settings.waiting_seconds
        one_pass = PassBounds(settings.max_batch, short, settings.max_wait_ms / 1000, seconds)
        bounds = LaneBounds(
            settings.max_waiting,
            settings.waiting_characters,
            seconds,
            busy_texts=2 * settings.max_batch * len(deciders),
            round_seconds=settings.round_ms / 1000,
            round_entries=_ROUND_ENTRIES,
        )
        self.short: Lane[Ask, Answer] = Lane(
            "short", bounds, [partial(work, one) for one in deciders], one_pass=one_pass, cost=Ask.cost
        )
        bounds = LaneBounds(
            settings.long_waiting, settings.long_waiting_characters, settings.long_waiting_seconds, _RETRY_SLOW
        )
        one_pass = PassBounds(settings.max_batch, short, patience=bounds.seconds)
        self.long: Lane[Ask, Answer] = Lane(
            "long", bounds, [partial(slow_engine.decide, "long")], one_pass=one_pass, cost=Ask.cost
        )
        bounds = LaneBounds(
            settings.evidence_waiting,
            settings.evidence_waiting_characters,
            settings.evidence_waiting_seconds,
            _RETRY_SLOW,
        )
        one_pass = PassBounds(1, patience=bounds.seconds)
        self.evidence: Lane[Ask, Answer] = Lane(
            "evidence", bounds, [partial(slow_engine.decide, "evidence")], one_pass=one_pass, cost=Ask.cost
        )
        bounds = LaneBounds(
            settings.replay_waiting, settings.replay_waiting_characters, settings.replay_waiting_seconds, _RETRY_SLOW
        )
        self.replay: Lane[ReplayAsk, dict[str, Any]] = Lane(
            "replay",
            bounds,
            [slow_engine.replay],
            one_pass=PassBounds(1, patience=bounds.seconds),
            cost=ReplayAsk.cost,
        )
        bounds = LaneBounds(settings.lookup_waiting, float("inf"), settings.lookup_waiting_seconds)
        self.lookup: Lane[str | CasePage, Any] = Lane("lookup", bounds, [find], one_pass=PassBounds(16))
        self.all: tuple[Lane[Any, Any], ...] = (self.short, self.long, self.evidence, self.replay, self.lookup)

    def of(self, asks: Sequence[Ask]) -> Lane[Ask, Answer]:
        """The lane of a request, by its kind and its cost."""
        if any(ask.evidence or ask.counterfactual for ask in asks):
            return self.evidence
        small = len(asks) <= self._settings.max_batch and sum(map(Ask.cost, asks)) <= self._settings.short_characters
        return self.short if small else self.long

    def first(self, length: int) -> Lane[Ask, Answer]:
        """The lane that is checked before a body of this length is read; the kind of request is not known yet."""
        return self.long if length > 6 * self._settings.short_characters + _BYTES_AROUND else self.short

    def open(self) -> None:
        """Start working in the running event loop."""
        for lane in self.all:
            lane.batcher.open()

    async def close(self) -> None:
        """Answer all waiting requests, then stop."""
        for lane in self.all:
            await lane.batcher.close()
