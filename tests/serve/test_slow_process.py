"""The process of the slow lanes: answers each message, outlives what fails, and ends with the service."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from multiprocessing.connection import Connection
from socket import socketpair
from typing import Any

import pytest

from penjing.cases.record import Ask, work
from penjing.cases.replay_record import ReplayAsk
from penjing.core.nouns import Release
from penjing.decide.decider import Decider
from penjing.serve.messages import ask_to_json, decode, encode, replay_ask_to_json
from penjing.serve.slow_process import SlowWork, serve_lane

FIELDS = {"channel": "web"}


@pytest.fixture(scope="module")
def decider(tiny_release: Release) -> Decider:
    return Decider(tiny_release, threads=1)


def test_it_decides_and_replays_as_the_service_does(decider: Decider) -> None:
    slow = SlowWork(decider)
    asks = [Ask("win cash now", FIELDS, False), Ask("明天开会", FIELDS, True)]
    said = slow.answer({"asks": [ask_to_json(ask) for ask in asks], "secret": "00"})
    here = work(decider, asks)
    for other, own in zip(said["answers"], here, strict=True):
        for name in ("outcome", "route", "decided_by", "reason", "p"):
            assert other["shown"][name] == own.shown[name]
        assert other["shown"].get("evidence") == own.shown.get("evidence")
    assert said["spent"] == [0.0, 0.0]
    assert here[0].record is not None
    (replayed,) = slow.answer({"replays": [replay_ask_to_json(ReplayAsk(here[0].record.record))]})["replayed"]
    assert replayed["same"]


def test_an_error_is_an_answer(decider: Decider) -> None:
    said = SlowWork(decider).answer(
        {"asks": [ask_to_json(Ask("a\x00b", FIELDS, False, index=1, count=2))], "secret": "00"}
    )
    assert said["error"]["kind"] == "RequestError"
    assert said["error"]["where"] == "request 2"


def test_a_lane_outlives_what_nobody_foresaw() -> None:
    def answer(message: dict[str, Any]) -> dict[str, Any]:
        return {"half": 1 / message["number"]}

    ours, theirs = (Connection(one.detach()) for one in socketpair())
    lane = threading.Thread(target=serve_lane, args=[theirs, answer])
    lane.start()
    found = []
    for number in (0, 2):
        ours.send_bytes(encode({"number": number}))
        found.append(decode(ours.recv_bytes()))
    assert found == [{"failed": "ZeroDivisionError"}, {"half": 0.5}]
    ours.close()
    lane.join(5)
    assert not lane.is_alive()
    theirs.close()


def started(
    there: Release, *, release: str = "", **more: Any
) -> tuple[subprocess.Popen[bytes], Connection, Connection]:
    ours, theirs = socketpair()
    our_life, life = socketpair()
    given: dict[str, Any] = {"sockets": [theirs.fileno()], "life": life.fileno()}
    given |= {"releases": [[str(there.folder), release or there.id]]}
    given |= {"threads": 1, "device": "cpu", **more}
    command = [sys.executable, "-m", "penjing.serve.slow_process", json.dumps(given)]
    process = subprocess.Popen(command, pass_fds=[theirs.fileno(), life.fileno()])
    theirs.close()
    life.close()
    return process, Connection(ours.detach()), Connection(our_life.detach())


def test_it_has_a_lower_priority_ignores_signals_and_ends_with_the_service(tiny_release: Release) -> None:
    process, connection, life = started(tiny_release)
    assert decode(connection.recv_bytes()) == {"ready": process.pid}
    assert os.getpriority(os.PRIO_PROCESS, process.pid) > os.getpriority(os.PRIO_PROCESS, 0)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        process.send_signal(number)
    connection.send_bytes(encode({"asks": [ask_to_json(Ask("win cash", FIELDS, False))], "secret": "00"}))
    assert len(decode(connection.recv_bytes())["answers"]) == 1
    connection.close()
    assert process.wait(10) == 0
    life.close()


def test_it_ends_at_once_with_the_service_whatever_it_computes(tiny_release: Release) -> None:
    process, connection, life = started(tiny_release)
    assert "ready" in decode(connection.recv_bytes())
    asks = [Ask(f"win cash {number}" * 400, FIELDS, True) for number in range(200)]
    connection.send_bytes(encode({"asks": [ask_to_json(ask) for ask in asks], "secret": "00"}))
    assert not connection.poll(0.3)  # it computes
    life.send_bytes(b"?")
    assert life.poll(5)
    life.close()
    assert process.wait(2) == 0
    connection.close()


def test_it_ends_with_the_service_while_it_starts(tiny_release: Release) -> None:
    process, connection, life = started(tiny_release)
    connection.close()
    life.close()
    assert process.wait(30) == 0


def test_another_release_in_the_folder_is_refused(tiny_release: Release) -> None:
    process, connection, life = started(tiny_release, release="0" * 64)
    said = decode(connection.recv_bytes())["error"]
    assert "not 000000000000" in said["what"]
    assert process.wait(10) == 0
    connection.close()
    life.close()
