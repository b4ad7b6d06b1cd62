"""Ready is what can record: a real write, at most once a second, one for all who ask."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future

import pytest

from penjing.core.errors import StoreError
from penjing.serve import readiness
from penjing.serve.readiness import Readiness


class Probes:
    """Counts test writes; `error` is what the next ones end in, None leaves them open."""

    def __init__(self) -> None:
        self.count = 0
        self.error: StoreError | None = None
        self.ends = True

    def __call__(self) -> Future[None]:
        self.count += 1
        future: Future[None] = Future()
        if self.error is not None:
            future.set_exception(self.error)
        elif self.ends:
            future.set_result(None)
        return future


def test_many_who_ask_share_one_write_a_second() -> None:
    async def run(probes: Probes) -> None:
        ready = Readiness(probes)
        await asyncio.gather(*(ready.check() for _ in range(20)))
        await ready.check()

    probes = Probes()
    asyncio.run(run(probes))
    assert probes.count == 1


def test_it_fails_and_recovers_with_the_database() -> None:
    async def run(probes: Probes) -> None:
        ready = Readiness(probes, fresh=0)
        await ready.check()
        probes.error = StoreError("the database is read-only")
        for _ in range(2):
            with pytest.raises(StoreError, match="read-only"):
                await ready.check()
        probes.error = None
        await ready.check()

    asyncio.run(run(Probes()))


def test_a_write_that_does_not_end_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "LONGEST_SECONDS", 0.05)

    async def run(probes: Probes) -> None:
        probes.ends = False
        with pytest.raises(StoreError, match="did not record a test"):
            await Readiness(probes).check()

    asyncio.run(run(Probes()))
