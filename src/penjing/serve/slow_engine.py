"""The engine of the slow lanes in a process of its own: starts the process, asks it, and starts it anew if it died."""

from __future__ import annotations

import json
import logging
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from penjing.cases.record import Answer, Ask
from penjing.cases.replay_record import ReplayAsk
from penjing.core.nouns import Release
from penjing.engines.protocol import Device
from penjing.runtime.cascade import Tally
from penjing.serve.errors import AnswerError
from penjing.serve.messages import answer_from_json, ask_to_json, decode, encode, error_from_json, replay_ask_to_json

_LOG = logging.getLogger("penjing.serve")
LANES = ("long", "evidence", "replay")
_LIFE = "life"
# To import, to verify the release and to warm the engine; a large release on a slow disk takes a minute.
_START_SECONDS = 300.0
_STOP_SECONDS = 5.0
# A process that cannot be started, or dies at once, is not started anew with every request.
_PAUSE_SECONDS = 2.0
# One pass may take long. A process that does not answer for so long is asked whether it lives, and has so long to say.
_QUIET_SECONDS = 5.0
_LIVES_SECONDS = 10.0
# No pass takes so long; the request that it was for has been answered with 503 before.
_ANSWER_SECONDS = 600.0


@dataclass
class _Running:
    """A process and the service's end of its sockets; ready: whether it has said that it can answer.

    life: a socket on which the process answers at once, whatever its lanes do.
    """

    process: subprocess.Popen[bytes]
    lanes: dict[str, Connection]
    life: Connection
    counted: tuple[int, ...] = (0, 0, 0, 0)
    ready: bool = False
    asking: threading.Lock = field(default_factory=threading.Lock)
    _pinging: threading.Lock = field(default_factory=threading.Lock)

    def receive(self, lane: str) -> Any:
        """The next answer of a lane. Raises EOFError or OSError; TimeoutError where the process is stuck."""
        connection = self.lanes[lane]
        until = time.monotonic() + _ANSWER_SECONDS
        while not connection.poll(_QUIET_SECONDS):
            if not self._lives():
                raise TimeoutError(f"it has given no sign of life for {_LIVES_SECONDS:g} s")
            if time.monotonic() > until:
                raise TimeoutError(f"it has not answered for {_ANSWER_SECONDS:g} s")
        return decode(connection.recv_bytes())

    def _lives(self) -> bool:
        with self._pinging:
            self.life.send_bytes(b"?")
            return self.life.poll(_LIVES_SECONDS) and bool(self.life.recv_bytes())

    def end(self, seconds: float) -> None:
        """End the process: by itself within so many seconds, or killed.

        The sockets are shut down and not closed: a thread that waits for one wakes up, and no file opened meanwhile
        gets its number while that thread may still use it.
        """
        for connection in (*self.lanes.values(), self.life):
            with suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as one:
                one.shutdown(socket.SHUT_RDWR)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
            return
        self.process.kill()
        self.process.wait()


class SlowEngine:
    """Decides, explains and replays in a process of its own, with one request of each lane at a time.

    tally: what a cascade in that process has counted since the service started.
    """

    def __init__(self, release: Release, threads: int, device: Device) -> None:
        self._release, self._threads, self._device = release, threads, device
        self._lock = threading.Lock()
        self._running: _Running | None = None
        self._not_before = 0.0
        self._closed = False
        self.tally = Tally()

    @property
    def pid(self) -> int | None:
        """The id of the process; None where none runs."""
        return None if self._running is None else self._running.process.pid

    def start(self) -> None:
        """Start the process where none runs; it gets ready while the service goes on."""
        with self._lock:
            self._begin()

    def wait_until_ready(self) -> None:
        """Start the process where none runs, and return once it can answer. Raises PenjingError where it cannot."""
        with self._lock:
            running = self._begin()
        try:
            self._wait(running)
        except (EOFError, OSError) as error:
            raise self._died(running, error) from None

    def decide(self, lane: str, asks: Sequence[Ask]) -> list[Answer]:
        """Answer these asks, as `answers.work` does. Raises RequestError, or AnswerError where the process is gone."""
        said = self._ask(lane, {"asks": [ask_to_json(ask) for ask in asks]})
        for ask, spent in zip(asks, said["spent"], strict=True):
            if ask.budget is not None:
                ask.budget.spent = spent
        return [answer_from_json(value) for value in said["answers"]]

    def replay(self, asks: Sequence[ReplayAsk]) -> list[dict[str, Any]]:
        """Replay these records, as `cases.replay_record` does; raises as `decide`."""
        said = self._ask("replay", {"replays": [replay_ask_to_json(ask) for ask in asks]})
        return [dict(value) for value in said["replayed"]]

    def close(self) -> None:
        """End the process; what a lane still waits for is refused."""
        with self._lock:
            self._closed = True
            running, self._running = self._running, None
        if running is not None:
            running.end(_STOP_SECONDS)

    def _ask(self, lane: str, message: dict[str, Any]) -> Any:
        with self._lock:
            running = self._begin()
        try:
            self._wait(running)
            running.lanes[lane].send_bytes(encode(message))
            said = running.receive(lane)
        except (EOFError, OSError) as error:
            raise self._died(running, error) from None
        self._count(running, said.pop("tally", None))
        if "error" in said:
            raise error_from_json(said["error"])
        if "failed" in said:
            raise RuntimeError(f"the process of the slow lanes failed: {said['failed']}")
        return said

    def _begin(self) -> _Running:
        """The process that runs, or a new one; called with the lock."""
        if self._running is not None:
            return self._running
        if self._closed or time.monotonic() < self._not_before:
            raise _unavailable()
        self._not_before = time.monotonic() + _PAUSE_SECONDS
        pairs = {name: socket.socketpair() for name in (*LANES, _LIFE)}
        descriptors = [theirs.fileno() for _, theirs in pairs.values()]
        given = {
            "sockets": descriptors[:-1],
            "life": descriptors[-1],
            "folder": str(self._release.folder.absolute()),
            "release": self._release.id,
            "threads": self._threads,
            "device": self._device,
        }
        command = [sys.executable, "-m", "penjing.serve.slow_process", json.dumps(given)]
        try:
            process = subprocess.Popen(
                command, pass_fds=descriptors, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=_environment()
            )
        except OSError as error:  # too many processes, no memory
            _LOG.error("the process of the slow lanes cannot start: %s", error)
            for ours, _ in pairs.values():
                ours.close()
            raise _unavailable() from None
        finally:
            for _, theirs in pairs.values():
                theirs.close()
        ends = {name: _connection(ours) for name, (ours, _) in pairs.items()}
        self._running = _Running(process, ends, ends.pop(_LIFE))
        return self._running

    def _wait(self, running: _Running) -> None:
        """Return once the process can answer. Raises EOFError where it ended, or AnswerError where it cannot."""
        with running.asking:
            if running.ready:
                return
            connection = running.lanes[LANES[0]]
            said = decode(connection.recv_bytes()) if connection.poll(_START_SECONDS) else {}
            if "ready" in said:
                running.ready = True
                return
        self._forget(running)
        reason = error_from_json(said["error"]) if "error" in said else f"it was not ready in {_START_SECONDS:g} s"
        _LOG.error("the process of the slow lanes cannot start: %s", reason)
        raise _unavailable()

    def _died(self, running: _Running, error: Exception) -> AnswerError:
        stuck = not isinstance(error, EOFError | ConnectionError)
        if self._forget(running, at_once=stuck) and not self._closed:
            code = running.process.returncode
            said = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
            said = f"was ended: {error}" if stuck else f"has ended with {said}"
            _LOG.error("the process of the slow lanes %s; the next request starts another", said)
        return _unavailable()

    def _forget(self, running: _Running, *, at_once: bool = False) -> bool:
        """Give up a process; whether it was the one that runs."""
        with self._lock:
            known = self._running is running
            if known:
                self._running = None
                self._not_before = time.monotonic() + _PAUSE_SECONDS
        if known:
            running.end(0 if at_once else _STOP_SECONDS)
        return known

    def _count(self, running: _Running, counted: list[int] | None) -> None:
        """Add what a cascade has counted since the previous answer; a new process begins at zero."""
        if counted is None:
            return
        with running.asking:
            more = [now - before for now, before in zip(counted, running.counted, strict=True)]
            if more[0] < 0:  # the answer of another lane, made later, has come first
                return
            running.counted = tuple(counted)
            for count, new in zip(fields(Tally), more, strict=True):
                setattr(self.tally, count.name, getattr(self.tally, count.name) + new)


def _unavailable() -> AnswerError:
    what = "the process that decides long texts, evidence and replays is being started"
    return AnswerError(503, "starting", what, "ask again in a few seconds", {"Retry-After": "5"})


def _connection(ours: socket.socket) -> Connection:
    """A connection on which neither a message nor the rest of one is waited for without end."""
    seconds = struct.pack("ll", int(_LIVES_SECONDS), 0)
    for option in (socket.SO_SNDTIMEO, socket.SO_RCVTIMEO):
        ours.setsockopt(socket.SOL_SOCKET, option, seconds)
    return Connection(ours.detach())


def _environment() -> dict[str, str]:
    """The environment of the service, with the folder from which this package was imported."""
    here = str(Path(__file__).parents[2])
    paths = [here, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
