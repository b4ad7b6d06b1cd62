"""Turns: one pass at a time in the order of asking, after what is urgent, and never starved by it."""

from __future__ import annotations

import threading
import time

from penjing.serve.turns import Turns


def test_threads_take_turns_and_none_runs_beside_another() -> None:
    idle = threading.Event()
    idle.set()
    turns, order, inside = Turns(idle, 1), [], 0

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


def test_a_pass_lets_the_urgent_go_first_but_not_for_ever() -> None:
    idle = threading.Event()
    turns = Turns(idle, 0.1)
    began = time.monotonic()
    with turns.turn():
        assert time.monotonic() - began >= 0.09
    threading.Timer(0.02, idle.set).start()
    began = time.monotonic()
    with Turns(idle, 5).turn():
        assert time.monotonic() - began < 2


def test_a_pass_that_fails_gives_its_turn_back() -> None:
    idle = threading.Event()
    idle.set()
    turns = Turns(idle, 1)
    for _ in range(2):
        try:
            with turns.turn():
                raise ZeroDivisionError
        except ZeroDivisionError:
            pass
    with turns.turn():
        pass
