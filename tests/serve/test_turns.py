"""Turns: one pass at a time in the order of asking."""

from __future__ import annotations

import threading
import time

from penjing.serve.turns import Turns


def test_threads_take_turns_in_the_order_of_asking_and_none_runs_beside_another() -> None:
    turns, order, inside = Turns(), [], 0

    def work(name: str) -> None:
        nonlocal inside
        with turns.turn():
            inside += 1
            assert inside == 1
            order.append(name)
            time.sleep(0.001)
            inside -= 1

    threads = []
    with turns.turn():
        for asked, name in enumerate("cabdfe", start=2):
            threads.append(threading.Thread(target=work, args=[name]))
            threads[-1].start()
            while turns._issued < asked:  # until this one waits
                time.sleep(0.001)
        assert not order
    for thread in threads:
        thread.join()
    assert "".join(order) == "cabdfe"


def test_a_pass_that_fails_gives_its_turn_back() -> None:
    turns = Turns()
    for _ in range(2):
        try:
            with turns.turn():
                raise ZeroDivisionError
        except ZeroDivisionError:
            pass
    with turns.turn():
        pass
