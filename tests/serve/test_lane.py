"""A lane: its bounds on texts, cost and waiting, a request alone, and what a refusal says."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence

import pytest

from penjing.serve.errors import AnswerError
from penjing.serve.lane import Lane, LaneBounds
from penjing.serve.microbatch import PassBounds


def lane_of(bounds: LaneBounds, free: threading.Event | None = None) -> Lane[int, int]:
    def work(asks: Sequence[int]) -> list[int]:
        assert free is None or free.wait(10)
        return list(asks)

    return Lane("short", bounds, [work], one_pass=PassBounds(2), cost=float)


def test_texts_and_cost_are_bounded_until_the_answer_is_given() -> None:
    lane = lane_of(LaneBounds(4, 100, 10))

    async def run() -> None:
        with lane.admit([1, 2, 3]):
            assert (lane.texts, lane.cost) == (3, 6)
            with pytest.raises(AnswerError, match="lane short: 3 texts wait already") as caught, lane.admit([1, 1]):
                pass
            assert (caught.value.status, caught.value.code) == (503, "overloaded")
            assert caught.value.headers["Retry-After"].isdecimal()
            with pytest.raises(AnswerError, match="6 characters of work wait already"), lane.admit([95]):
                pass
            assert lane.full() == ""
            with lane.admit([90]):
                assert lane.full() == "4 texts wait already"
        assert (lane.texts, lane.cost, lane.refused) == (0, 0, 2)

    asyncio.run(run())


def test_a_request_alone_is_admitted_whatever_its_size() -> None:
    async def run() -> None:
        lane = lane_of(LaneBounds(4, 100, 10))
        lane.batcher.open()
        assert await lane.run(list(range(100, 150))) == list(range(100, 150))
        assert lane.texts == 0
        await lane.batcher.close()

    asyncio.run(run())


def test_a_lane_whose_first_request_has_waited_too_long_admits_no_more() -> None:
    async def run() -> None:
        free = threading.Event()
        lane = lane_of(LaneBounds(100, 1000, 0.03), free)
        lane.batcher.open()
        tasks = [asyncio.create_task(lane.run([n])) for n in range(4)]
        await asyncio.sleep(0.01)
        assert lane.full() == ""
        await asyncio.sleep(0.05)
        assert lane.full() == "requests have waited for 0.03 s already"
        free.set()
        assert await asyncio.gather(*tasks) == [[0], [1], [2], [3]]
        assert lane.full() == ""
        await lane.batcher.close()

    asyncio.run(run())


def test_a_late_round_of_the_event_loop_admits_no_more_while_enough_wait() -> None:
    async def run() -> None:
        lane = lane_of(LaneBounds(100, 1000, 10, busy_texts=2, round_seconds=0.02))
        with lane.admit([1]):
            time.sleep(0.03)
            assert lane.full() == "", "too few wait"
            with lane.admit([1, 1]):
                assert lane.full() == "", "the clock of a round starts at the first question"
                time.sleep(0.03)
                assert lane.full() == "3 texts wait already, and the service is late"
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                assert lane.full() == "", "a new round"

    asyncio.run(run())


def test_requests_that_enter_in_one_round_count_before_they_are_in_the_lane() -> None:
    async def run() -> None:
        lane = lane_of(LaneBounds(10, 1000, 10, busy_texts=4, round_seconds=10, round_entries=2))
        with lane.admit([1, 1, 1, 1]):
            for _ in range(2):
                assert lane.full() == ""
                lane.enter()
            assert "the service is late" in lane.full(), "a pass has entered while two wait"
            for _ in range(4):
                lane.enter()
            assert lane.full() == "4 texts wait already"
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert lane.full() == "", "a new round"

    asyncio.run(run())
