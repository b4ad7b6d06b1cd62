"""The desk: groups what waits, keeps order, isolates a refusal, is bounded, drains."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from penjing.core.errors import RequestError
from penjing.serve.desk import Desk
from penjing.serve.errors import AnswerError


class Engine:
    """Doubles numbers; refuses 13; breaks on 666; can be held."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.free = threading.Event()
        self.free.set()

    def __call__(self, asks: Sequence[int]) -> list[int]:
        self.calls.append(list(asks))
        assert self.free.wait(10)
        if 13 in asks:
            raise RequestError("13 is refused")
        if 666 in asks:
            raise ZeroDivisionError
        return [2 * ask for ask in asks]


def test_waiting_requests_are_answered_together_and_in_order() -> None:
    async def run() -> None:
        engine = Engine()
        desk = Desk(engine, limit=100, largest=8)
        desk.open()
        engine.free.clear()
        first = asyncio.create_task(desk.ask([0]))
        while not engine.calls:
            await asyncio.sleep(0.001)
        rest = [asyncio.create_task(desk.ask([n, n + 1])) for n in range(1, 9)]
        await asyncio.sleep(0.01)
        assert desk.waiting == 17
        engine.free.set()
        assert await first == [0]
        assert await asyncio.gather(*rest) == [[2 * n, 2 * n + 2] for n in range(1, 9)]
        assert [len(call) for call in engine.calls] == [1, 8, 8]
        assert desk.waiting == 0
        await desk.close()

    asyncio.run(run())


def test_engines_side_by_side_take_requests_as_they_are_free() -> None:
    async def run() -> None:
        first, second = Engine(), Engine()
        desk = Desk(first, second, limit=100, largest=4)
        desk.open()
        first.free.clear()
        second.free.clear()
        tasks = [asyncio.create_task(desk.ask([n])) for n in range(2)]
        await asyncio.sleep(0.05)
        assert (first.calls, second.calls) == ([[0]], [[1]]), "two that wait are shared among two engines"
        tasks += [asyncio.create_task(desk.ask([n, n])) for n in range(2, 5)]
        await asyncio.sleep(0.01)
        second.free.set()
        assert await asyncio.gather(*tasks[2:]) == [[4, 4], [6, 6], [8, 8]]
        assert first.calls == [[0]], "the first engine is at its text still"
        assert [n for call in second.calls for n in call] == [1, 2, 2, 3, 3, 4, 4]
        assert desk.waiting == 1
        first.free.set()
        assert await asyncio.gather(*tasks[:2]) == [[0], [2]]
        await desk.close()
        assert desk.waiting == 0

    asyncio.run(run())


def test_engines_that_wait_for_company_do_not_take_the_same_request() -> None:
    async def run() -> None:
        first, second = Engine(), Engine()
        desk = Desk(first, second, limit=100, largest=2, wait=0.02)
        desk.open()
        for n in range(5):
            assert await desk.ask([n]) == [2 * n]
        assert await asyncio.gather(*(desk.ask([n]) for n in range(9))) == [[2 * n] for n in range(9)]
        await desk.close()
        assert sorted(n for call in first.calls + second.calls for n in call) == sorted([*range(5), *range(9)])

    asyncio.run(run())


def test_a_request_waits_for_company_until_the_batch_is_full_or_its_time_has_come() -> None:
    async def run() -> None:
        engine = Engine()
        desk = Desk(engine, limit=100, largest=4, wait=60)
        desk.open()
        tasks = []
        for n in range(4):
            tasks.append(asyncio.create_task(desk.ask([n])))
            await asyncio.sleep(0.005)
        assert await asyncio.gather(*tasks) == [[0], [2], [4], [6]]
        assert engine.calls == [[0, 1, 2, 3]], "a minute has not passed: the fourth text filled the batch"
        last = asyncio.create_task(desk.ask([5]))
        await asyncio.sleep(0.005)
        await desk.close()
        assert await last == [10], "a desk that closes waits for nobody"
        patient = Desk(engine, limit=100, largest=4, wait=0.02)
        patient.open()
        assert await patient.ask([7]) == [14]
        assert engine.calls[-1] == [7]
        await patient.close()

    asyncio.run(run())


def test_a_refused_text_fails_alone() -> None:
    async def run() -> None:
        engine = Engine()
        desk = Desk(engine, limit=100)
        desk.open()
        engine.free.clear()
        tasks = [asyncio.create_task(desk.ask([n])) for n in (1, 2, 13, 4)]
        await asyncio.sleep(0.01)
        engine.free.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert [found[0], found[1], found[3]] == [[2], [4], [8]]
        assert isinstance(found[2], RequestError)
        with pytest.raises(ZeroDivisionError):
            await desk.ask([666])
        assert await desk.ask([5]) == [10]
        await desk.close()

    asyncio.run(run())


def test_a_full_desk_says_so_and_a_request_larger_than_the_batch_still_goes_through() -> None:
    async def run() -> None:
        engine = Engine()
        desk = Desk(engine, limit=20, largest=4)
        desk.open()
        engine.free.clear()
        task = asyncio.create_task(desk.ask(list(range(100, 115))))
        await asyncio.sleep(0.01)
        with pytest.raises(AnswerError, match="15 texts wait already") as caught:
            await desk.ask(list(range(6)))
        assert (caught.value.status, caught.value.headers) == (503, {"Retry-After": "1"})
        engine.free.set()
        assert len(await task) == 15
        await desk.close()

    asyncio.run(run())


def test_a_client_that_went_away_harms_nobody() -> None:
    async def run() -> None:
        engine = Engine()
        desk = Desk(engine, limit=20)
        desk.open()
        engine.free.clear()
        gone, stays = asyncio.create_task(desk.ask([1])), asyncio.create_task(desk.ask([2]))
        await asyncio.sleep(0.01)
        gone.cancel()
        engine.free.set()
        assert await stays == [4]
        await desk.close()

    asyncio.run(run())


def test_close_answers_what_waits_and_refuses_more() -> None:
    async def run() -> None:
        engine = Engine()
        desk = Desk(engine, limit=100, largest=2)
        desk.open()
        engine.free.clear()
        tasks = [asyncio.create_task(desk.ask([n])) for n in range(10)]
        await asyncio.sleep(0.01)
        closing = asyncio.create_task(desk.close())
        await asyncio.sleep(0.01)
        with pytest.raises(AnswerError, match="stopping"):
            await desk.ask([1])
        engine.free.set()
        await closing
        assert [task.result() for task in tasks] == [[2 * n] for n in range(10)]

    asyncio.run(run())
