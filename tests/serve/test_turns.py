"""Turns: one pass at a time in the order of asking."""

from __future__ import annotations

import threading
import time

from penjing.serve.turns import Turns


def test_threads_take_turns_and_none_runs_beside_another() -> None:
    turns, order, inside = Turns(), [], 0

    def work(name: str) -> None:
        nonlocal inside
        for _ in range(20):
            with turns.turn():
                inside += 1
                assert inside == 1
                order.append(name)
                time.sleep(0.001)
                inside -= 1

    threads = [threading.Thread(target=work, args=[name]) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(order) == 60
    middle = order[10:50]
    assert all(middle.count(name) >= 11 for name in "abc"), "no thread takes two turns while another waits"


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
