"""Micro-batching: groups what waits, keeps order, cuts large requests, isolates a refusal, drains."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from penjing.core.errors import RequestError
from penjing.serve.errors import AnswerError
from penjing.serve.microbatch import MicroBatcher, PassBounds


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
        batcher = MicroBatcher(engine, bounds=PassBounds(8))
        batcher.open()
        engine.free.clear()
        first = asyncio.create_task(batcher.ask([0]))
        while not engine.calls:
            await asyncio.sleep(0.001)
        rest = [asyncio.create_task(batcher.ask([n, n + 1])) for n in range(1, 9)]
        await asyncio.sleep(0.01)
        assert batcher.waiting == 17
        engine.free.set()
        assert await first == [0]
        assert await asyncio.gather(*rest) == [[2 * n, 2 * n + 2] for n in range(1, 9)]
        assert [len(call) for call in engine.calls] == [1, 8, 8]
        assert batcher.waiting == 0
        await batcher.close()

    asyncio.run(run())


def test_engines_side_by_side_take_requests_as_they_are_free() -> None:
    async def run() -> None:
        first, second = Engine(), Engine()
        batcher = MicroBatcher(first, second, bounds=PassBounds(4))
        batcher.open()
        first.free.clear()
        second.free.clear()
        tasks = [asyncio.create_task(batcher.ask([n])) for n in range(2)]
        await asyncio.sleep(0.05)
        assert (first.calls, second.calls) == ([[0]], [[1]]), "two that wait are shared among two engines"
        tasks += [asyncio.create_task(batcher.ask([n, n])) for n in range(2, 5)]
        await asyncio.sleep(0.01)
        second.free.set()
        assert await asyncio.gather(*tasks[2:]) == [[4, 4], [6, 6], [8, 8]]
        assert first.calls == [[0]], "the first engine is at its text still"
        assert [n for call in second.calls for n in call] == [1, 2, 2, 3, 3, 4, 4]
        assert batcher.waiting == 1
        first.free.set()
        assert await asyncio.gather(*tasks[:2]) == [[0], [2]]
        await batcher.close()
        assert batcher.waiting == 0

    asyncio.run(run())


def test_engines_that_wait_for_company_do_not_take_the_same_request() -> None:
    async def run() -> None:
        first, second = Engine(), Engine()
        batcher = MicroBatcher(first, second, bounds=PassBounds(2, company=0.02))
        batcher.open()
        for n in range(5):
            assert await batcher.ask([n]) == [2 * n]
        assert await asyncio.gather(*(batcher.ask([n]) for n in range(9))) == [[2 * n] for n in range(9)]
        await batcher.close()
        assert sorted(n for call in first.calls + second.calls for n in call) == sorted([*range(5), *range(9)])

    asyncio.run(run())


def test_a_request_waits_for_company_until_the_batch_is_full_or_its_time_has_come() -> None:
    async def run() -> None:
        engine = Engine()
        batcher = MicroBatcher(engine, bounds=PassBounds(4, company=60))
        batcher.open()
        tasks = []
        for n in range(4):
            tasks.append(asyncio.create_task(batcher.ask([n])))
            await asyncio.sleep(0.005)
        assert await asyncio.gather(*tasks) == [[0], [2], [4], [6]]
        assert engine.calls == [[0, 1, 2, 3]], "a minute has not passed: the fourth text filled the batch"
        last = asyncio.create_task(batcher.ask([5]))
        await asyncio.sleep(0.005)
        await batcher.close()
        assert await last == [10], "a batcher that closes waits for nobody"
        patient = MicroBatcher(engine, bounds=PassBounds(4, company=0.02))
        patient.open()
        assert await patient.ask([7]) == [14]
        assert engine.calls[-1] == [7]
        await patient.close()

    asyncio.run(run())


def test_a_refused_text_fails_alone() -> None:
    async def run() -> None:
        engine = Engine()
        batcher = MicroBatcher(engine)
        batcher.open()
        engine.free.clear()
        tasks = [asyncio.create_task(batcher.ask([n])) for n in (1, 2, 13, 4)]
        await asyncio.sleep(0.01)
        engine.free.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert [found[0], found[1], found[3]] == [[2], [4], [8]]
        assert isinstance(found[2], RequestError)
        with pytest.raises(ZeroDivisionError):
            await batcher.ask([666])
        assert await batcher.ask([5]) == [10]
        await batcher.close()

    asyncio.run(run())


def test_a_request_larger_than_a_pass_takes_turns_with_the_others() -> None:
    async def run() -> None:
        engine = Engine()
        batcher = MicroBatcher(engine, bounds=PassBounds(4))
        batcher.open()
        engine.free.clear()
        large = asyncio.create_task(batcher.ask(list(range(100, 110))))
        while not engine.calls:
            await asyncio.sleep(0.001)
        small = asyncio.create_task(batcher.ask([1]))
        other = asyncio.create_task(batcher.ask([2, 3]))
        await asyncio.sleep(0.01)
        assert batcher.waiting == 13
        engine.free.set()
        assert await large == [2 * n for n in range(100, 110)], "answers keep their order over all passes"
        assert (await small, await other) == ([2], [4, 6])
        assert engine.calls[:2] == [[100, 101, 102, 103], [104, 105, 106, 107]] or engine.calls[1][0] == 1
        assert max(map(len, engine.calls)) <= 4
        assert batcher.waiting == 0
        assert batcher.idle.is_set()
        await batcher.close()

    asyncio.run(run())


def test_a_pass_is_bounded_by_cost_too() -> None:
    async def run() -> None:
        engine = Engine()
        batcher = MicroBatcher(engine, bounds=PassBounds(8, cost=10), cost=float)
        batcher.open()
        engine.free.clear()
        tasks = [asyncio.create_task(batcher.ask([0]))]
        while not engine.calls:
            await asyncio.sleep(0.001)
        tasks += [asyncio.create_task(batcher.ask([n])) for n in (6, 4, 1, 50, 2)]
        await asyncio.sleep(0.01)
        engine.free.set()
        assert await asyncio.gather(*tasks) == [[0], [12], [8], [2], [100], [4]]
        assert engine.calls == [[0], [6, 4], [1], [50], [2]], "one text alone may cost more than a pass"
        await batcher.close()

    asyncio.run(run())


def test_a_refused_piece_ends_its_request_and_no_other() -> None:
    async def run() -> None:
        engine = Engine()
        batcher = MicroBatcher(engine, bounds=PassBounds(2))
        batcher.open()
        bad = asyncio.create_task(batcher.ask([1, 2, 13, *range(20, 40)]))
        good = asyncio.create_task(batcher.ask(list(range(40, 50))))
        assert await good == [2 * n for n in range(40, 50)]
        with pytest.raises(RequestError):
            await bad
        await batcher.close()
        assert batcher.waiting == 0
        assert not any(n in call for call in engine.calls for n in range(30, 40)), "what is refused is not finished"

    asyncio.run(run())


def test_a_request_that_no_engine_begins_in_time_is_refused() -> None:
    async def run() -> None:
        engine = Engine()
        batcher = MicroBatcher(engine, bounds=PassBounds(1, patience=0.02))
        batcher.open()
        engine.free.clear()
        first = asyncio.create_task(batcher.ask([1]))
        while not engine.calls:
            await asyncio.sleep(0.001)
        late = asyncio.create_task(batcher.ask([2]))
        await asyncio.sleep(0.05)
        assert 0.04 < batcher.age() < 5
        engine.free.set()
        assert await first == [2]
        with pytest.raises(AnswerError, match=r"waited for 0\.02 s") as caught:
            await late
        assert (caught.value.status, caught.value.code) == (503, "overloaded")
        assert await batcher.ask([3]) == [6]
        assert batcher.age() == 0
        await batcher.close()

    asyncio.run(run())


def test_a_client_that_went_away_harms_nobody() -> None:
    async def run() -> None:
        engine = Engine()
        batcher = MicroBatcher(engine)
        batcher.open()
        engine.free.clear()
        gone, stays = asyncio.create_task(batcher.ask([1])), asyncio.create_task(batcher.ask([2]))
        await asyncio.sleep(0.01)
        gone.cancel()
        engine.free.set()
        assert await stays == [4]
        await batcher.close()

    asyncio.run(run())


def test_close_answers_what_waits_and_refuses_more() -> None:
    async def run() -> None:
        engine = Engine()
        batcher = MicroBatcher(engine, bounds=PassBounds(2))
        batcher.open()
        engine.free.clear()
        tasks = [asyncio.create_task(batcher.ask([n])) for n in range(10)]
        await asyncio.sleep(0.01)
        closing = asyncio.create_task(batcher.close())
        await asyncio.sleep(0.01)
        with pytest.raises(AnswerError, match="stopping"):
            await batcher.ask([1])
        engine.free.set()
        await closing
        assert [task.result() for task in tasks] == [[2 * n] for n in range(10)]

    asyncio.run(run())
