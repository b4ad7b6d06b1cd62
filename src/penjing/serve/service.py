"""The service behind the addresses: decides on the desk, acknowledges after the commit, answers from the records."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool

from penjing.core.artifact import promises
from penjing.core.errors import UsageError
from penjing.core.nouns import Prediction, Release
from penjing.decide.decider import Decided, Decider, Request
from penjing.runtime.cascade import CascadeSession
from penjing.runtime.layout import Layout, measured_layout
from penjing.runtime.machine import cores
from penjing.serve.again import replay_record
from penjing.serve.desk import Desk
from penjing.serve.errors import AnswerError
from penjing.serve.metrics import Metrics
from penjing.serve.readiness import Readiness
from penjing.serve.settings import Settings
from penjing.serve.wire import Item
from penjing.store.database import Store
from penjing.store.records import Record, get_record, make_record
from penjing.store.writer import Writer


@dataclass(frozen=True)
class Ask:
    """A text for the desk; `decide` is whether the policy speaks too."""

    text: str
    fields: dict[str, Any]
    evidence: bool
    decide: bool = True


@dataclass(frozen=True)
class Answer:
    """What came of it: a decision with its masked text, or a prediction alone."""

    prediction: Prediction
    decided: Decided | None = None
    evidence: dict[str, Any] | None = None


class Service:
    """One release, one database, and as many engines as pay on this machine."""

    def __init__(self, release: Release, store: Store, settings: Settings) -> None:
        self.release, self.store, self.settings = release, store, settings
        self.layout = _layout(release, settings)
        self.deciders = [
            Decider(release, threads=self.layout.threads, device=settings.device) for _ in range(self.layout.workers)
        ]
        self.metrics = Metrics(release.id, release.info.name)
        sessions = [decider.session for decider in self.deciders]
        if tallies := [session.tally for session in sessions if isinstance(session, CascadeSession)]:
            self.metrics.watch(tallies)
        self.certificate = _certificate(release)
        self._gates = {gate["name"]: gate["state"] for gate in promises(release, self.certificate)}
        self._desk: Desk[Ask, Answer] = Desk(
            *(partial(work, decider) for decider in self.deciders),
            limit=settings.max_waiting,
            largest=settings.max_batch,
            wait=settings.max_wait_ms / 1000,
        )
        self._writer: Writer | None = None
        self._readiness: Readiness | None = None

    @property
    def decider(self) -> Decider:
        """The first of the engines, which are all alike."""
        return self.deciders[0]

    def warm(self) -> None:
        """Every engine meets every shape once, before the first request."""
        for decider in self.deciders:
            decider.session.warm()

    def open(self) -> None:
        """Begin to answer, in the running event loop."""
        self._writer = Writer(self.store)
        self._readiness = Readiness(self._writer.probe)
        self._desk.open()

    async def close(self) -> None:
        """Answer what was asked, write what was decided, then stop."""
        await self._desk.close()
        if self._writer is not None:
            await run_in_threadpool(self._writer.close)
        self.store.close()

    async def decide(self, items: Sequence[Item], evidence: bool) -> list[dict[str, Any]]:
        """Decide these texts; every decision is on the disk before this returns, all of them or none."""
        answers = await self._ask([Ask(item.text, dict(item.fields), evidence) for item in items])
        records = [self._record(answer) for answer in answers]
        began = time.perf_counter()
        assert self._writer is not None
        await asyncio.wrap_future(self._writer.submit(records))
        self.metrics.commit_seconds.observe(time.perf_counter() - began)
        for answer in answers:
            assert answer.decided is not None
            decision = answer.decided.decision
            self.metrics.count_decision(decision.outcome, decision.route, decision.decided_by)
        return [decision_json(answer) for answer in answers]

    async def predict(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        """Calibrated probabilities alone: nothing is recorded."""
        answers = await self._ask([Ask(text, {}, evidence=False, decide=False) for text in texts])
        return [answer.prediction.to_json() for answer in answers]

    async def find(self, identity: str) -> dict[str, Any]:
        """A recorded decision with its masked text and evidence. Raises AnswerError 404."""
        record = await self._find(identity)
        answer = record.decided()
        return answer | {"created": record.created, "text": record.text, "evidence": record.evidence}

    async def replay(self, identity: str) -> dict[str, Any]:
        """Decide a recorded case again. Raises AnswerError 404 (unknown) or 409 (made by another release)."""
        record = await self._find(identity)
        if record.release != self.release.id:
            raise AnswerError(
                409,
                "other_release",
                f"this case was decided by the release {record.release[:12]}, not by the one in service",
                f"run `penjing replay {record.id}` where that release stands",
            )
        done = await run_in_threadpool(replay_record, record, self.decider)
        return done.to_json()

    async def ready(self) -> dict[str, Any]:
        """What is in service and what its certificate says. Raises StoreError where nothing can be recorded."""
        assert self._readiness is not None
        await self._readiness.check()
        return {
            "ready": True,
            "release": self.release.id,
            "name": self.release.info.name,
            "labels": list(self.release.info.labels),
            "certified": self.certificate.get("certified"),
            "max_error": self.certificate.get("max_error"),
            "gates": self._gates,
            "unproven": [name for name, state in self._gates.items() if state == "unproven"],
        }

    async def _find(self, identity: str) -> Record:
        record = await run_in_threadpool(get_record, self.store, identity) if len(identity) <= 64 else None
        if record is None:
            raise AnswerError(404, "unknown_decision", "no decision has this id", "give the id of a decision made here")
        return record

    async def _ask(self, asks: Sequence[Ask]) -> list[Answer]:
        self.metrics.waiting.set(self._desk.waiting + len(asks))
        try:
            return await self._desk.ask(asks)
        finally:
            self.metrics.waiting.set(self._desk.waiting)

    def _record(self, answer: Answer) -> Record:
        return record_of(self.release, self.decider, answer)


def work(decider: Decider, asks: Sequence[Ask]) -> list[Answer]:
    """Decide and predict in one pass of the engine. Raises RequestError for a text or a field that is refused."""
    decided = iter(decider.decide([Request(ask.text, ask.fields) for ask in asks if ask.decide]))
    bare = [decider.session.prepare(ask.text).text for ask in asks if not ask.decide]
    predicted = iter(decider.session.predict(bare) if bare else [])
    answers = []
    for ask in asks:
        if not ask.decide:
            answers.append(Answer(next(predicted)))
            continue
        one = next(decided)
        answers.append(Answer(one.prediction, one, _evidence(decider, one) if ask.evidence else None))
    return answers


def _evidence(decider: Decider, decided: Decided) -> dict[str, Any]:
    # Imported when first asked for: what cuts Chinese into words takes a second to load.
    from penjing.explain.evidence import explain

    return dict(explain(decider.session, decided.masked.text).to_json())


def record_of(release: Release, decider: Decider, answer: Answer) -> Record:
    """The record of a decided answer; the masked text goes in only where the release keeps texts."""
    assert answer.decided is not None
    text = answer.decided.masked.text if release.info.texts == "masked" else None
    evidence = answer.evidence if text is not None else None
    return make_record(answer.decided.decision, answer.prediction, text, decider.session.fingerprint(), evidence)


def decision_json(answer: Answer) -> dict[str, Any]:
    """The decision as it is answered: with its p; where evidence was asked for, with it and the masked text."""
    assert answer.decided is not None
    shown = answer.decided.decision.to_json()
    shown["p"] = answer.decided.decision.facts["p"]
    if answer.evidence is not None:  # its offsets count in the masked text
        shown |= {"text": answer.decided.masked.text, "evidence": answer.evidence}
    return shown


def _layout(release: Release, settings: Settings) -> Layout:
    if settings.threads or settings.workers:
        workers = settings.workers or 1
        return Layout(workers, settings.threads or max(1, cores() // workers))
    kept = Path(settings.cache).expanduser() / "layout.json"
    return measured_layout(release.artifact, cores(), kept, settings.device)


def _certificate(release: Release) -> dict[str, Any]:
    try:
        found = json.loads((release.folder / "certificate.json").read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError:
        raise UsageError("certificate.json is not JSON", where=str(release.folder)) from None
    return found if isinstance(found, dict) else {}
