"""Which request goes where, and that none of the slow lanes holds up a short decision."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from penjing.cases.record import Ask
from penjing.core.nouns import Release
from penjing.serve.bodies import RequestItem
from penjing.serve.errors import AnswerError
from penjing.serve.service import DecisionService
from penjing.serve.settings import Settings
from penjing.store.database import open_store
from penjing.store.releases import put_in_service

FIELDS = {"channel": "web"}
LONG = "昨天到的，很好。win cash now! " * 300


def opened(release: Release, folder: Path, **settings: object) -> DecisionService:
    store = open_store(f"sqlite:///{folder / 'service.db'}")
    put_in_service(store, release)
    return DecisionService(release, store, Settings(cache=str(folder), threads=1, **settings))


def asks(*texts: str, evidence: bool = False) -> list[Ask]:
    return [Ask(text, {}, evidence) for text in texts]


def test_what_is_asked_and_its_cost_choose_the_lane(tiny_release: Release, tmp_path: Path) -> None:
    lanes = opened(tiny_release, tmp_path).lanes
    assert lanes.of(asks("short")) is lanes.short
    assert lanes.of(asks(*["short"] * 16)) is lanes.short
    assert lanes.of(asks(*["short"] * 17)) is lanes.long
    assert lanes.of(asks("x" * 2001)) is lanes.long
    assert lanes.of(asks("short", evidence=True)) is lanes.evidence
    assert lanes.first(300) is lanes.short
    assert lanes.first(20_000) is lanes.long
    assert [lane.name for lane in lanes.all] == ["short", "long", "evidence", "replay", "lookup"]


def test_only_the_slow_lanes_are_worked_on_by_another_process(tiny_release: Release, tmp_path: Path) -> None:
    async def run() -> None:
        service = opened(tiny_release, tmp_path)
        service.open()
        short = [RequestItem(text="win cash", fields=FIELDS)]
        assert await service.decide(short, False)
        assert service.slow_engine.pid is None, "it starts with its first request, if it was not warmed"
        (made,) = await service.decide(short, True)
        assert service.slow_engine.pid not in {None, os.getpid()}
        assert (await service.replay(made["id"]))["same"]
        pid = service.slow_engine.pid
        await service.close()
        assert pid is not None
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)

    asyncio.run(run())


def slow_things(service: DecisionService, identity: str) -> list[asyncio.Task[object]]:
    long = [RequestItem(text=f"{number} {LONG}", fields=FIELDS) for number in range(4)]
    many = [RequestItem(text=f"win cash {number}", fields=FIELDS) for number in range(256)]
    work = [service.decide(long, True), service.decide(long, False), service.decide(many, False)]
    return [asyncio.create_task(one) for one in (*work, *(service.replay(identity) for _ in range(20)))]


def test_a_short_decision_does_not_wait_for_any_of_them(tiny_release: Release, tmp_path: Path) -> None:
    async def run() -> None:
        service = opened(tiny_release, tmp_path, evidence_seconds=60, evidence_tokens=100_000)
        service.warm()
        service.open()
        (made,) = await service.decide([RequestItem(text=LONG, fields=FIELDS)], False)
        slow = slow_things(service, made["id"])
        await asyncio.sleep(0.05)
        waits = []
        for number in range(20):
            began = time.perf_counter()
            await service.decide([RequestItem(text=f"see you at {number}", fields=FIELDS)], False)
            waits.append(time.perf_counter() - began)
            await asyncio.sleep(0.01)
        assert not all(task.done() for task in slow), "the slow work was still going on"
        assert sorted(waits)[10] < 0.1, waits
        found = await asyncio.gather(*slow)
        assert len(found[2]) == 256  # type: ignore[arg-type]
        assert all(one["same"] for one in found[3:])  # type: ignore[index]
        await service.close()

    asyncio.run(run())


def test_a_batch_of_256_is_admitted_by_an_idle_service(tiny_release: Release, tmp_path: Path) -> None:
    async def run() -> None:
        service = opened(tiny_release, tmp_path)
        service.open()
        many = [RequestItem(text=f"win cash {number}", fields=FIELDS) for number in range(256)]
        assert len({one["id"] for one in await service.decide(many, False)}) == 256
        assert all(lane.texts == 0 for lane in service.lanes.all)
        await service.close()

    asyncio.run(run())


def test_a_full_lane_refuses_and_the_others_go_on(tiny_release: Release, tmp_path: Path) -> None:
    async def run() -> None:
        service = opened(tiny_release, tmp_path, replay_waiting=2, evidence_waiting=2)
        service.open()
        (made,) = await service.decide([RequestItem(text="win cash", fields=FIELDS)], False)
        with service.lanes.replay.admit([]), pytest.raises(AnswerError, match="lane replay") as caught:
            service.lanes.replay.texts += 2
            await service.replay(made["id"])
        assert caught.value.headers["Retry-After"].isdecimal()
        item = RequestItem(text="win cash", fields=FIELDS)
        service.lanes.evidence.texts += 2
        with pytest.raises(AnswerError, match="lane evidence"):
            await service.decide([item], True)
        assert await service.decide([item], False)
        await service.close()

    asyncio.run(run())
