"""States that are kept: made once a second however often they are asked for, failures too."""

from __future__ import annotations

import asyncio
import time

import pytest

from penjing.core.errors import StoreError
from penjing.serve.states import CachedState


class Source:
    """Counts how often it is asked; fails while it is told to."""

    def __init__(self) -> None:
        self.made, self.failing = 0, False

    async def __call__(self) -> bytes:
        self.made += 1
        await asyncio.sleep(0.01)
        if self.failing:
            raise StoreError("no database")
        return b"answer %d" % self.made


def test_many_who_ask_at_once_and_soon_after_get_one_answer() -> None:
    async def run() -> None:
        source = Source()
        kept = CachedState(source, 0.2)
        assert kept.fresh() is None
        assert set(await asyncio.gather(*(kept.get() for _ in range(50)))) == {b"answer 1"}
        assert kept.fresh() == b"answer 1" == await kept.get()
        time.sleep(0.25)
        assert kept.fresh() is None
        assert await kept.get() == b"answer 2"

    asyncio.run(run())


def test_a_failure_is_kept_as_long_and_no_longer() -> None:
    async def run() -> None:
        source = Source()
        source.failing = True
        kept = CachedState(source, 0.2)
        for _ in range(5):
            with pytest.raises(StoreError):
                await kept.get()
        assert source.made == 1
        assert kept.fresh() is None
        source.failing = False
        time.sleep(0.25)
        assert await kept.get() == b"answer 2"

    asyncio.run(run())


def test_kept_for_no_time_it_is_made_for_every_one() -> None:
    async def run() -> None:
        kept = CachedState(Source(), 0)
        assert [await kept.get(), await kept.get()] == [b"answer 1", b"answer 2"]

    asyncio.run(run())
