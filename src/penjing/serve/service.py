"""The service behind the addresses: it decides in lanes, answers after the commit, and reads the records."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.concurrency import run_in_threadpool

from penjing.cases.record import Ask
from penjing.cases.replay_record import ReplayAsk
from penjing.cases.rule_reasons import RuleReasons
from penjing.core.artifact import promises
from penjing.core.certificate import CERTIFICATE
from penjing.core.errors import RequestError, UsageError
from penjing.core.nouns import Release
from penjing.core.pair import FURTHER
from penjing.core.periods import certified_at
from penjing.core.task import PairReader
from penjing.decide.decider import Decider, place
from penjing.decide.draw import Drawer
from penjing.explain.budget import EvidenceBudget
from penjing.explain.counterfactual import in_chinese
from penjing.explain.why import Language, why
from penjing.runtime.cascade import CascadeSession
from penjing.serve.bodies import PredictOne, RequestItem
from penjing.serve.early import Refusals
from penjing.serve.errors import AnswerError
from penjing.serve.garbage import set_up_collector
from penjing.serve.lanes import Lanes
from penjing.serve.lookups import CasePage, describe, look_up
from penjing.serve.metrics import CONTENT_TYPE, Metrics
from penjing.serve.readiness import Readiness
from penjing.serve.round_limit import RoundLimit
from penjing.serve.settings import Settings
from penjing.serve.shared_engines import SharedEngines, SlowShare, layout_of
from penjing.serve.slow_engine import SlowEngine
from penjing.serve.states import CachedState
from penjing.store.audit_key import find_audit_key
from penjing.store.case_data import CaseData
from penjing.store.checkpoints import Checkpoints
from penjing.store.database import Store
from penjing.store.erasure import erased_at
from penjing.store.records import Record
from penjing.store.writer import Writer

# Python runs one thread at a time. A waiting thread gets its turn after this time, and a decision takes some ten turns.
# With Python's default of 5 ms one busy thread of a slow lane would add 50 ms to every decision.
_SWITCH_SECONDS = 0.0005
# Each takes half a millisecond, and the engines and the writer need time between them.
_ANSWERED_IN_A_ROUND = 6


@dataclass(frozen=True)
class Explained:
    """What a request wants beside decisions and evidence; language: that of the reasons in words, None for none.

    about: the label or the task that the evidence is about, "" for the whole answer.
    """

    counterfactual: bool = False
    language: Language | None = None
    about: str = ""


PLAIN = Explained()


class DecisionService:
    """One release, one database, and as many engines as this machine can use."""

    def __init__(self, release: Release, store: Store, settings: Settings, shared: SharedEngines | None = None) -> None:
        """shared: what this service has in common with others of the same process."""
        self.release, self.store, self.settings = release, store, settings
        self.audit_key = find_audit_key(store, settings.audit_key)
        self.layout = layout_of(release, settings) if shared is None else shared.layout
        self.deciders = [
            Decider(release, threads=self.layout.threads, device=settings.device) for _ in range(self.layout.workers)
        ]
        secret = release.id.encode() if self.audit_key is None else self.audit_key.secret
        for decider in self.deciders:
            decider.drawer = Drawer(secret)
        self.slow_engine: SlowEngine | SlowShare = (
            SlowEngine(release, self.layout.threads, settings.device, secret)
            if shared is None
            else shared.slow(release, secret)
        )
        self._reasons = RuleReasons(store, {release.id: self.decider.policy})
        self.lanes = Lanes(self.deciders, self.slow_engine, partial(look_up, store, self._reasons), settings)
        self.metrics = Metrics(release.id, release.info.name)
        self.metrics.watch_lanes(self.lanes.all)
        sessions = [decider.session for decider in self.deciders]
        if tallies := [session.tally for session in sessions if isinstance(session, CascadeSession)]:
            self.metrics.watch([*tallies, self.slow_engine.tally])
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
        """The first of the engines, which are all the same."""
        return self.deciders[0]

    def warm(self) -> None:
        """Run every engine once with every shape before the first request. Raises PenjingError if one cannot start."""
        self.slow_engine.start()
        for decider in self.deciders:
            decider.session.warm()
        self.slow_engine.wait_until_ready()

    def open(self) -> None:
        """Start answering in the running event loop."""
        self._switch_before = sys.getswitchinterval()
        sys.setswitchinterval(_SWITCH_SECONDS)
        self._undo_collector = set_up_collector()
        self._writer, self._checkpoints = Writer(self.store), Checkpoints(self.store)
        self._readiness = Readiness(self._writer.probe)
        self.lanes.open()

    async def close(self) -> None:
        """Answer running requests within `stop_seconds`, write all decisions, then stop."""
        closing = asyncio.create_task(self.lanes.close())
        await asyncio.wait([closing], timeout=self.settings.stop_seconds)
        # A lane that still waits for the process gets an error when the process ends.
        await run_in_threadpool(self.slow_engine.close)
        await closing
        sys.setswitchinterval(self._switch_before)
        self._undo_collector()
        if self._writer is not None and self._checkpoints is not None:
            await run_in_threadpool(self._checkpoints.close)
            await run_in_threadpool(self._writer.close)
        self.store.close()

    async def decide(
        self, items: Sequence[RequestItem], evidence: bool, wanted: Explained = PLAIN
    ) -> list[dict[str, Any]]:
        """Decide these texts. All decisions are on the disk before this returns, or none."""
        settings = self.settings
        cases = [_case(item, place(index, len(items))) for index, item in enumerate(items)]
        budget = EvidenceBudget(settings.evidence_items, settings.evidence_tokens, settings.evidence_seconds)
        asks = [
            Ask(
                self._whole(item, index, len(items)),
                dict(item.fields),
                evidence,
                index=index,
                count=len(items),
                budget=budget,
                counterfactual=wanted.counterfactual,
                about=wanted.about,
            )
            for index, item in enumerate(items)
        ]
        lane = self.lanes.of(asks)
        # A request leaves its lane after it is on the disk, so that a slow disk fills the lane as a slow engine does.
        with lane.admit(asks):
            answers = await lane.batcher.ask(asks)
            made = [answer.record for answer in answers if answer.record is not None]
            records = [record.with_case(case) for record, case in zip(made, cases, strict=True)]
            began = time.perf_counter()
            assert self._writer is not None
            await asyncio.wrap_future(self._writer.submit(records))
            self.metrics.commit_seconds.observe(time.perf_counter() - began)
        await self._answers_of_a_round.turn()
        for answer, prepared in zip(answers, records, strict=True):
            outcome = self._counted(prepared.record.outcome)
            self.metrics.count_decision(outcome, prepared.record.route, answer.decided_by)
        shown = [case.to_json() | answer.shown for case, answer in zip(cases, answers, strict=True)]
        if wanted.language is not None:
            for one, prepared in zip(shown, records, strict=True):
                text = one.get("text", prepared.record.text)
                one["why"] = why(one, self.decider.policy, one.get("evidence"), wanted.language, text)
                if wanted.language == "zh" and "counterfactual" in one:
                    one["counterfactual"] = in_chinese(one["counterfactual"])
        return shown

    async def predict(self, items: Sequence[RequestItem | PredictOne]) -> list[dict[str, Any]]:
        """Calibrated probabilities only; nothing is recorded."""
        asks = [
            Ask(
                self._whole(item, index, len(items)),
                dict(item.fields),
                False,
                decide=False,
                index=index,
                count=len(items),
            )
            for index, item in enumerate(items)
        ]
        answers = await self.lanes.of(asks).run(asks)
        return [answer.shown for answer in answers]

    def _whole(self, item: RequestItem | PredictOne, index: int, count: int) -> str:
        """The text of an item, or both. Raises RequestError for a second one that the release does not read."""
        read = task.further if isinstance(task := self.decider.session.task, PairReader) else ()
        unread = [name for name in FURTHER if getattr(item, name) is not None and name not in read]
        if unread:
            what, fix = f"this release does not read `{unread[0]}`", f"leave `{unread[0]}` out"
            raise RequestError(what, where=place(index, count), fix=fix)
        return item.whole()

    async def find(self, identity: str) -> dict[str, Any]:
        """A recorded decision with its masked text and evidence. Raises AnswerError 404."""
        return await run_in_threadpool(describe, self.store, self._reasons, await self._find(identity))

    async def find_case(self, page: CasePage) -> dict[str, Any]:
        """The recorded decisions of a case, with the `next` page's `after`. Raises AnswerError 422."""
        found = (await self.lanes.lookup.run([page]))[0]
        if found is None:
            raise AnswerError(
                422, "bad_request", "`after` names no decision of this case", "give the `next` of the page before"
            )
        answer: dict[str, Any] = found
        return answer

    async def replay(self, identity: str) -> dict[str, Any]:
        """Decide a recorded case again. Raises AnswerError 404 (unknown) or 409 (made by another release)."""
        if reason := self.lanes.replay.full():
            raise self.lanes.replay.refusal(reason)
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
        """The release in service and its certificate. Raises StoreError if nothing can be recorded."""
        assert self._readiness is not None
        await self._readiness.check()
        await run_in_threadpool(self.store.check_room)
        return {
            "ready": True,
            "release": self.release.id,
            "name": self.release.info.name,
            **self._answers(),
            **certified_at(self.certificate, int(time.time())),
            "max_error": self.certificate.get("max_error"),
            "certify": self.decider.policy.spec.certify,
            "gates": self._gates,
            "unproven": [name for name, state in self._gates.items() if state == "unproven"],
        }

    def _answers(self) -> dict[str, Any]:
        """The answers of the release: labels, or the task with its state."""
        info = self.release.info
        return {"labels": list(info.labels)} if info.labels else {"task": {"type": info.task, **info.task_state}}

    def _counted(self, outcome: str) -> str:
        """The outcome for the metrics; "" for numbers and texts, which have too many values."""
        return outcome if self.release.info.labels else ""

    def _states(self) -> dict[str, tuple[str, CachedState]]:
        """The content type and the cached answer of each address that needs no key."""

        async def health() -> bytes:
            return b'{"ok": true}'

        async def ready() -> bytes:
            return json.dumps(await self.ready(), ensure_ascii=False).encode()

        async def metrics() -> bytes:
            return self.metrics.render()

        seconds = self.settings.state_seconds
        return {
            "/healthz": ("application/json", CachedState(health, 3600)),
            "/readyz": ("application/json", CachedState(ready, seconds)),
            "/metrics": (CONTENT_TYPE, CachedState(metrics, seconds)),
        }

    async def _find(self, identity: str) -> Record:
        record: Record | None = (await self.lanes.lookup.run([identity]))[0] if len(identity) <= 64 else None
        if record is None:
            raise AnswerError(404, "unknown_decision", "no decision has this id", "give the id of a decision made here")
        return record

    async def _erased(self, record: Record) -> str | None:
        return await run_in_threadpool(erased_at, self.store, record.id) if record.text is None else None


def _case(item: RequestItem, where: str | None) -> CaseData:
    """The caller's own data of an item. Raises RequestError that names the item."""
    try:
        return CaseData(item.ref or None, dict(item.keep))
    except RequestError as error:
        raise RequestError(error.what, where=where, fix=error.fix) from None


def _certificate(release: Release) -> dict[str, Any]:
    try:
        found = json.loads((release.folder / CERTIFICATE).read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError:
        raise UsageError("certificate.json is not JSON", where=str(release.folder)) from None
    return found if isinstance(found, dict) else {}
