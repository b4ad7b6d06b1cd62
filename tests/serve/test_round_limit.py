"""A limit on a round: so many go on in a round of the event loop, the others in their order in the rounds after it."""

from __future__ import annotations

import asyncio

from penjing.serve.round_limit import RoundLimit


def test_so_many_go_on_in_a_round_in_the_order_of_asking() -> None:
    async def run() -> list[tuple[int, int]]:
        limit, gone, rounds = RoundLimit(3), [], 0

        async def one(number: int) -> None:
            await limit.turn()
            gone.append((rounds, number))

        tasks = [asyncio.create_task(one(number)) for number in range(20)]
        while not all(task.done() for task in tasks):
            await asyncio.sleep(0)
            rounds += 1
        return gone

    gone = asyncio.run(run())
    assert [number for _, number in gone] == list(range(20))
    counts = [sum(at == number for at, _ in gone) for number in {at for at, _ in gone}]
    assert max(counts) <= 3
    assert len(counts) >= 7


def test_one_that_gave_up_takes_no_place_of_another_and_a_lone_one_never_waits() -> None:
    async def run() -> None:
        limit = RoundLimit(1)
        await asyncio.wait_for(limit.turn(), 1)
        given_up = [asyncio.create_task(limit.turn()) for _ in range(5)]
        last = asyncio.create_task(limit.turn())
        await asyncio.sleep(0)
        for task in given_up[1:]:
            task.cancel()
        await asyncio.wait_for(last, 1)
        for _ in range(5):
            await asyncio.sleep(0)
        await asyncio.wait_for(limit.turn(), 1)

    asyncio.run(run())
