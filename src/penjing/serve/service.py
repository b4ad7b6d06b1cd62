"""The service behind the addresses: decides in lanes, acknowledges after the commit, answers from the records."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool

from penjing.cases.record import Ask
from penjing.cases.replay_record import ReplayAsk
from penjing.core.artifact import promises
from penjing.core.certificate import CERTIFICATE
from penjing.core.errors import UsageError
from penjing.core.machine import cores
from penjing.core.nouns import Release
from penjing.decide.decider import Decider
from penjing.explain.budget import EvidenceBudget
from penjing.measure.workers import Layout, measured_layout
from penjing.runtime.cascade import CascadeSession
from penjing.serve.bodies import Item
from penjing.serve.early import Refusals
from penjing.serve.errors import AnswerError
from penjing.serve.garbage import set_up_collector
from penjing.serve.lanes import Lanes
from penjing.serve.metrics import CONTENT_TYPE, Metrics
from penjing.serve.readiness import Readiness
from penjing.serve.round_limit import RoundLimit
from penjing.serve.settings import Settings
from penjing.serve.slow_engine import SlowEngine
from penjing.serve.states import Kept
from penjing.store.checkpoints import Checkpoints
from penjing.store.database import Store
from penjing.store.erasure import erased_at
from penjing.store.records import Record, get_record
from penjing.store.writer import Writer

# Python runs one thread at a time. A thread that waits gets its turn after so many seconds, and a decision takes some
# ten turns: with Python's own 5 ms one busy thread of a slow lane would add 50 ms to every decision.
_SWITCH_SECONDS = 0.0005
# Each takes half a millisecond, and the engines and the writer take turns with them.
_ANSWERED_IN_A_ROUND = 6


class Service:
    """One release, one database, and as many engines as pay on this machine."""

    def __init__(self, release: Release, store: Store, settings: Settings) -> None:
        self.release, self.store, self.settings = release, store, settings
        self.layout = _layout(release, settings)
        self.deciders = [
            Decider(release, threads=self.layout.threads, device=settings.device) for _ in range(self.layout.workers)
        ]
        self.slow = SlowEngine(release, self.layout.threads, settings.device)
        self.lanes = Lanes(self.deciders, self.slow, partial(_find_all, store), settings)
        self.metrics = Metrics(release.id, release.info.name)
        self.metrics.watch_lanes(self.lanes.all)
        sessions = [decider.session for decider in self.deciders]
        if tallies := [session.tally for session in sessions if isinstance(session, CascadeSession)]:
            self.metrics.watch([*tallies, self.slow.tally])
        self.refusals = Refusals(self.lanes, self.metrics)
        self.certificate = _certificate(release)
        self._gates = {gate["name"]: gate["state"] for gate in promises(release, self.certificate)}
        self.states = self._states()
        self._switch_before = sys.getswitchinterval()
        self._undo_collector: Callable[[], None] = lambda: None
        self._answers_of_a_round = RoundLimit(_ANSWERED_IN_A_ROUND)
        self._writer: Writer | None = None
        self._checkpoints: Checkpoints | None = None
        self._readiness: Readiness | None = None

    @property
    def decider(self) -> Decider:
        """The first of the engines, which are all alike."""
        return self.deciders[0]

    def warm(self) -> None:
        """Every engine meets every shape once, before the first request. Raises PenjingError where one cannot start."""
        self.slow.start()
        for decider in self.deciders:
            decider.session.warm()
        self.slow.wait_until_ready()

    def open(self) -> None:
        """Begin to answer, in the running event loop."""
        self._switch_before = sys.getswitchinterval()
        sys.setswitchinterval(_SWITCH_SECONDS)
        self._undo_collector = set_up_collector()
        self._writer, self._checkpoints = Writer(self.store), Checkpoints(self.store)
        self._readiness = Readiness(self._writer.probe)
        self.lanes.open()

    async def close(self) -> None:
        """Answer what was asked within `stop_seconds`, write what was decided, then stop."""
        closing = asyncio.create_task(self.lanes.close())
        await asyncio.wait([closing], timeout=self.settings.stop_seconds)
        # A lane that still waits for the process is refused by its end.
        await run_in_threadpool(self.slow.close)
        await closing
        sys.setswitchinterval(self._switch_before)
        self._undo_collector()
        if self._writer is not None and self._checkpoints is not None:
            await run_in_threadpool(self._checkpoints.close)
            await run_in_threadpool(self._writer.close)
        self.store.close()

    async def decide(self, items: Sequence[Item], evidence: bool) -> list[dict[str, Any]]:
        """Decide these texts; every decision is on the disk before this returns, all of them or none."""
        settings = self.settings
        budget = EvidenceBudget(settings.evidence_items, settings.evidence_tokens, settings.evidence_seconds)
        asks = [
            Ask(item.text, dict(item.fields), evidence, index=index, count=len(items), budget=budget)
            for index, item in enumerate(items)
        ]
        lane = self.lanes.of(asks)
        # A request leaves its lane once it is on the disk: a slow disk fills the lane as a slow engine does.
        with lane.admit(asks):
            answers = await lane.batcher.ask(asks)
            records = [answer.record for answer in answers if answer.record is not None]
            began = time.perf_counter()
            assert self._writer is not None
            await asyncio.wrap_future(self._writer.submit(records))
            self.metrics.commit_seconds.observe(time.perf_counter() - began)
        await self._answers_of_a_round.turn()
        for answer, prepared in zip(answers, records, strict=True):
            outcome = self._counted(prepared.record.outcome)
            self.metrics.count_decision(outcome, prepared.record.route, answer.decided_by)
        return [answer.shown for answer in answers]

    async def predict(self, items: Sequence[Item]) -> list[dict[str, Any]]:
        """Calibrated probabilities alone: nothing is recorded."""
        asks = [
            Ask(item.text, dict(item.fields), False, decide=False, index=index, count=len(items))
            for index, item in enumerate(items)
        ]
        answers = await self.lanes.of(asks).run(asks)
        return [answer.shown for answer in answers]

    async def find(self, identity: str) -> dict[str, Any]:
        """A recorded decision with its masked text and evidence. Raises AnswerError 404."""
        record = await self._find(identity)
        answer = record.decided()
        answer |= {"created": record.created, "text": record.text, "evidence": record.evidence}
        erased = await self._erased(record)
        return answer if erased is None else answer | {"erased": erased}

    async def replay(self, identity: str) -> dict[str, Any]:
        """Decide a recorded case again. Raises AnswerError 404 (unknown) or 409 (made by another release)."""
        if said := self.lanes.replay.full():
            raise self.lanes.replay.refusal(said)
        record = await self._find(identity)
        if record.release != self.release.id:
            raise AnswerError(
                409,
                "other_release",
                f"this case was decided by the release {record.release[:12]}, not by the one in service",
                f"run `penjing replay {record.id}` where that release is",
            )
        (done,) = await self.lanes.replay.run([ReplayAsk(record, await self._erased(record))])
        return done

    async def ready(self) -> dict[str, Any]:
        """What is in service and what its certificate says. Raises StoreError where nothing can be recorded."""
        assert self._readiness is not None
        await self._readiness.check()
        await run_in_threadpool(self.store.check_room)
        return {
            "ready": True,
            "release": self.release.id,
            "name": self.release.info.name,
            **self._answers(),
            "certified": self.certificate.get("certified"),
            "max_error": self.certificate.get("max_error"),
            "gates": self._gates,
            "unproven": [name for name, state in self._gates.items() if state == "unproven"],
        }

    def _answers(self) -> dict[str, Any]:
        """What the release answers with: labels, or the task with its state."""
        info = self.release.info
        return {"labels": list(info.labels)} if info.labels else {"task": {"type": info.task, **info.task_state}}

    def _counted(self, outcome: str) -> str:
        """The outcome as it is counted: numbers and texts have too many values for a metric each."""
        return outcome if self.release.info.labels else ""

    def _states(self) -> dict[str, tuple[str, Kept]]:
        """The content type and the kept answer of each address that asks for no key."""

        async def health() -> bytes:
            return b'{"ok": true}'

        async def ready() -> bytes:
            return json.dumps(await self.ready(), ensure_ascii=False).encode()

        async def metrics() -> bytes:
            return self.metrics.render()

        seconds = self.settings.state_seconds
        return {
            "/healthz": ("application/json", Kept(health, 3600)),
            "/readyz": ("application/json", Kept(ready, seconds)),
            "/metrics": (CONTENT_TYPE, Kept(metrics, seconds)),
        }

    async def _find(self, identity: str) -> Record:
        record = (await self.lanes.lookup.run([identity]))[0] if len(identity) <= 64 else None
        if record is None:
            raise AnswerError(404, "unknown_decision", "no decision has this id", "give the id of a decision made here")
        return record

    async def _erased(self, record: Record) -> str | None:
        return await run_in_threadpool(erased_at, self.store, record.id) if record.text is None else None


def _find_all(store: Store, identities: Sequence[str]) -> list[Record | None]:
    return [get_record(store, identity) for identity in identities]


def _layout(release: Release, settings: Settings) -> Layout:
    if settings.threads or settings.workers:
        workers = settings.workers or 1
        return Layout(workers, settings.threads or max(1, cores() // workers))
    kept = Path(settings.cache).expanduser() / "layout.json"
    return measured_layout(release.artifact, cores(), kept, settings.device)


def _certificate(release: Release) -> dict[str, Any]:
    try:
        found = json.loads((release.folder / CERTIFICATE).read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError:
        raise UsageError("certificate.json is not JSON", where=str(release.folder)) from None
    return found if isinstance(found, dict) else {}
