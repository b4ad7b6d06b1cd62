"""The engine of the slow lanes, seen from the service: the same answers, errors, a death, and an end."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from penjing.cases.record import Ask
from penjing.core.errors import RequestError
from penjing.core.nouns import Release
from penjing.explain.budget import EvidenceBudget
from penjing.serve import slow_engine
from penjing.serve.errors import AnswerError
from penjing.serve.slow_engine import SlowEngine

FIELDS = {"channel": "web"}


@pytest.fixture
def engine(tiny_release: Release) -> Iterator[SlowEngine]:
    made = SlowEngine(tiny_release, 1, "cpu", b"secret")
    yield made
    made.close()


def test_lanes_are_answered_side_by_side_each_with_its_own(engine: SlowEngine) -> None:
    engine.wait_until_ready()

    def ask(number: int) -> str:
        lane = ("long", "evidence")[number % 2]
        with locks[lane]:  # a lane has one thread
            (answer,) = engine.decide(lane, [Ask(f"win cash {number}", FIELDS, lane == "evidence")])
        assert answer.record is not None
        return f"{answer.record.record.text}"

    locks = {"long": threading.Lock(), "evidence": threading.Lock()}
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(ask, range(40))) == [f"win cash {number}" for number in range(40)]


def test_a_refused_text_and_the_time_spent_come_back(engine: SlowEngine) -> None:
    with pytest.raises(RequestError, match="NUL") as caught:
        engine.decide("long", [Ask("a\x00b", FIELDS, False, index=4, count=9)])
    assert caught.value.where == "request 5"
    budget = EvidenceBudget(5, 4096, 60)
    engine.decide("evidence", [Ask("明天开会。win cash now", FIELDS, True, budget=budget)])
    assert 0 < budget.spent < 60


def test_a_process_that_dies_is_told_and_another_takes_over(
    engine: SlowEngine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(slow_engine, "_PAUSE_SECONDS", 0.2)
    engine.wait_until_ready()
    before = engine.pid
    assert before is not None
    os.kill(before, signal.SIGKILL)
    with caplog.at_level(logging.ERROR), pytest.raises(AnswerError, match="is being started") as caught:
        engine.decide("long", [Ask("win cash", FIELDS, False)])
    assert (caught.value.status, caught.value.headers["Retry-After"]) == (503, "5")
    assert "signal 9" in caplog.text
    with pytest.raises(AnswerError):  # not with every request
        engine.decide("long", [Ask("win cash", FIELDS, False)])
    time.sleep(0.25)
    assert engine.decide("long", [Ask("win cash", FIELDS, False)])
    assert engine.pid not in {None, before}


def test_a_death_under_way_answers_every_lane(engine: SlowEngine) -> None:
    engine.wait_until_ready()
    asks = [Ask(f"win cash {number}" * 400, FIELDS, True) for number in range(40)]
    with ThreadPoolExecutor(2) as threads:
        running = [threads.submit(engine.decide, lane, asks) for lane in ("long", "evidence")]
        time.sleep(0.2)
        assert engine.pid is not None
        os.kill(engine.pid, signal.SIGKILL)
        for one in running:
            with pytest.raises(AnswerError):
                one.result(10)


def test_a_process_that_does_not_answer_is_ended_and_another_takes_over(
    engine: SlowEngine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(slow_engine, "_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(slow_engine, "_QUIET_SECONDS", 0.1)
    monkeypatch.setattr(slow_engine, "_LIVENESS_SECONDS", 1.0)
    engine.wait_until_ready()
    assert engine.pid is not None
    os.kill(engine.pid, signal.SIGSTOP)
    # Larger than a socket holds: a lane may be stuck in sending too.
    asks = {"long": [Ask("win cash", FIELDS, False)], "evidence": [Ask("win cash " * 200_000, FIELDS, True)]}
    with caplog.at_level(logging.ERROR), ThreadPoolExecutor(2) as threads:
        for one in [threads.submit(engine.decide, lane, some) for lane, some in asks.items()]:
            with pytest.raises(AnswerError, match="is being started"):
                one.result(20)
    assert "was ended" in caplog.text
    assert engine.decide("long", asks["long"])


def test_a_long_pass_is_no_sign_of_death(engine: SlowEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_engine, "_QUIET_SECONDS", 0.01)
    engine.wait_until_ready()
    before = engine.pid
    assert engine.decide("evidence", [Ask(f"win cash {number}" * 40, FIELDS, True) for number in range(30)])
    assert engine.pid == before


def test_an_end_refuses_what_waits_for_a_stuck_process(engine: SlowEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_engine, "_STOP_SECONDS", 0.2)
    engine.wait_until_ready()
    assert engine.pid is not None
    os.kill(engine.pid, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(engine.decide, "long", [Ask("win cash", FIELDS, False)])
        time.sleep(0.2)
        engine.close()
        with pytest.raises(AnswerError):
            waiting.result(5)


def test_a_process_that_the_system_refuses_is_told(
    engine: SlowEngine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(slow_engine.subprocess, "Popen", refuse)
    with caplog.at_level(logging.ERROR), pytest.raises(AnswerError, match="is being started"):
        engine.decide("long", [Ask("win cash", FIELDS, False)])
    assert "temporarily unavailable" in caplog.text


def test_a_process_that_cannot_start_says_why_in_the_log(
    tiny_release: Release, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine = SlowEngine(replace(tiny_release, folder=tmp_path / "gone"), 1, "cpu", b"secret")
    with caplog.at_level(logging.ERROR), pytest.raises(AnswerError):
        engine.wait_until_ready()
    assert str(tmp_path / "gone") in caplog.text
    assert engine.pid is None
    engine.close()


def test_after_the_end_nothing_is_started(engine: SlowEngine) -> None:
    engine.wait_until_ready()
    pid = engine.pid
    engine.close()
    assert pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(AnswerError):
        engine.decide("long", [Ask("win cash", FIELDS, False)])
