"""The engine of the slow lanes in a process of its own: starts it, sends it requests, and restarts it if it dies."""

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
# Time to import, to verify the release and to warm the engine. A large release on a slow disk takes a minute.
_START_SECONDS = 300.0
_STOP_SECONDS = 5.0
# A process that cannot start, or dies at once, is not restarted by every request.
_PAUSE_SECONDS = 2.0
# A pass may take long. After the first time without an answer the process is pinged; it must reply within the second.
_QUIET_SECONDS = 5.0
_LIVENESS_SECONDS = 10.0
# No pass takes this long; its request has been answered with 503 before.
_ANSWER_SECONDS = 600.0


@dataclass
class _Running:
    """A process and the service's end of its sockets; ready: whether it has reported that it can answer.

    life: a socket on which the process answers pings at once, also while its lanes work. turns: one request of a lane
    at a time, of whichever service.
    """

    process: subprocess.Popen[bytes]
    lanes: dict[str, Connection]
    liveness: Connection
    counted: tuple[int, ...] = (0, 0, 0, 0)
    ready: bool = False
    asking: threading.Lock = field(default_factory=threading.Lock)
    turns: dict[str, threading.Lock] = field(default_factory=lambda: {name: threading.Lock() for name in LANES})
    _pinging: threading.Lock = field(default_factory=threading.Lock)

    def receive(self, lane: str) -> Any:
        """The next answer of a lane. Raises EOFError or OSError; TimeoutError if the process is stuck."""
        connection = self.lanes[lane]
        until = time.monotonic() + _ANSWER_SECONDS
        while not connection.poll(_QUIET_SECONDS):
            if not self._is_alive():
                raise TimeoutError(f"it has given no sign of life for {_LIVENESS_SECONDS:g} s")
            if time.monotonic() > until:
                raise TimeoutError(f"it has not answered for {_ANSWER_SECONDS:g} s")
        return decode(connection.recv_bytes())

    def _is_alive(self) -> bool:
        with self._pinging:
            self.liveness.send_bytes(b"?")
            return self.liveness.poll(_LIVENESS_SECONDS) and bool(self.liveness.recv_bytes())

    def end(self, seconds: float) -> None:
        """End the process; it is killed if it has not ended after `seconds`.

        The sockets are shut down and not closed: a thread that waits for one wakes up, and no new file
        gets its number while that thread may still use it.
        """
        for connection in (*self.lanes.values(), self.liveness):
            with suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as one:
                one.shutdown(socket.SHUT_RDWR)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
            return
        self.process.kill()
        self.process.wait()


class SlowEngine:
    """Decides, explains and replays in a process of its own, with one request of each lane at a time.

    secret: the key by which audits are drawn; it goes with each request, because the arguments of a process are public.
    others: further releases that the process has open, for services that share it (serve/shared_engines.py).
    tally: the counts of a cascade in that process since the service started.
    """

    def __init__(
        self, release: Release, threads: int, device: Device, secret: bytes, others: Sequence[Release] = ()
    ) -> None:
        self._release, self._threads, self._device, self._secret = release, threads, device, secret.hex()
        self._others = others
        self._lock = threading.Lock()
        self._running: _Running | None = None
        self._not_before = 0.0
        self._closed = False
        self.tally = Tally()

    @property
    def pid(self) -> int | None:
        """The id of the process; None if none runs."""
        return None if self._running is None else self._running.process.pid

    def start(self) -> None:
        """Start the process if none runs; it loads while the service goes on."""
        with self._lock:
            self._begin()

    def wait_until_ready(self) -> None:
        """Start the process if none runs, and return when it can answer. Raises PenjingError if it cannot."""
        with self._lock:
            running = self._begin()
        try:
            self._wait(running)
        except (EOFError, OSError) as error:
            raise self._died(running, error) from None

    def decide(self, lane: str, asks: Sequence[Ask]) -> list[Answer]:
        """Answer these asks, as `answers.work` does. Raises RequestError, or AnswerError if the process is gone."""
        return self.decide_for(0, self._secret, lane, asks)

    def decide_for(self, place: int, secret: str, lane: str, asks: Sequence[Ask]) -> list[Answer]:
        """As `decide`, by the release at that place (0: the first, then `others`), with its own secret in hex."""
        reply = self._ask(lane, {"asks": [ask_to_json(ask) for ask in asks], "secret": secret, "place": place})
        for ask, spent in zip(asks, reply["spent"], strict=True):
            if ask.budget is not None:
                ask.budget.spent = spent
        return [answer_from_json(value) for value in reply["answers"]]

    def replay(self, asks: Sequence[ReplayAsk]) -> list[dict[str, Any]]:
        """Replay these records, as `cases.replay_record` does; raises as `decide`."""
        return self.replay_for(0, asks)

    def replay_for(self, place: int, asks: Sequence[ReplayAsk]) -> list[dict[str, Any]]:
        """As `replay`, by the release at that place."""
        reply = self._ask("replay", {"replays": [replay_ask_to_json(ask) for ask in asks], "place": place})
        return [dict(value) for value in reply["replayed"]]

    def close(self) -> None:
        """End the process; requests that still wait for it are refused."""
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
            with running.turns[lane]:
                running.lanes[lane].send_bytes(encode(message))
                reply = running.receive(lane)
        except (EOFError, OSError) as error:
            raise self._died(running, error) from None
        self._count(running, reply.pop("tally", None))
        if "error" in reply:
            raise error_from_json(reply["error"])
        if "failed" in reply:
            raise RuntimeError(f"the process of the slow lanes failed: {reply['failed']}")
        return reply

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
            "releases": [[str(one.folder.absolute()), one.id] for one in (self._release, *self._others)],
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
        """Return when the process can answer. Raises EOFError if it ended, or AnswerError if it cannot answer."""
        with running.asking:
            if running.ready:
                return
            connection = running.lanes[LANES[0]]
            reply = decode(connection.recv_bytes()) if connection.poll(_START_SECONDS) else {}
            if "ready" in reply:
                running.ready = True
                return
        self._forget(running)
        reason = error_from_json(reply["error"]) if "error" in reply else f"it was not ready in {_START_SECONDS:g} s"
        _LOG.error("the process of the slow lanes cannot start: %s", reason)
        raise _unavailable()

    def _died(self, running: _Running, error: Exception) -> AnswerError:
        stuck = not isinstance(error, EOFError | ConnectionError)
        if self._forget(running, at_once=stuck) and not self._closed:
            code = running.process.returncode
            ending = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
            ending = f"was ended: {error}" if stuck else f"has ended with {ending}"
            _LOG.error("the process of the slow lanes %s; the next request starts another", ending)
        return _unavailable()

    def _forget(self, running: _Running, *, at_once: bool = False) -> bool:
        """Give up a process; returns whether it was the running one."""
        with self._lock:
            known = self._running is running
            if known:
                self._running = None
                self._not_before = time.monotonic() + _PAUSE_SECONDS
        if known:
            running.end(0 if at_once else _STOP_SECONDS)
        return known

    def _count(self, running: _Running, counted: list[int] | None) -> None:
        """Add the counts of a cascade since the previous answer; a new process begins at zero."""
        if counted is None:
            return
        with running.asking:
            more = [now - before for now, before in zip(counted, running.counted, strict=True)]
            if more[0] < 0:  # a later answer of another lane came first
                return
            running.counted = tuple(counted)
            for count, new in zip(fields(Tally), more, strict=True):
                setattr(self.tally, count.name, getattr(self.tally, count.name) + new)


def _unavailable() -> AnswerError:
    what = "the process that decides long texts, evidence and replays is being started"
    return AnswerError(503, "starting", what, "ask again in a few seconds", {"Retry-After": "5"})


def _connection(ours: socket.socket) -> Connection:
    """A connection with a time limit for a message and for the rest of a message."""
    seconds = struct.pack("ll", int(_LIVENESS_SECONDS), 0)
    for option in (socket.SO_SNDTIMEO, socket.SO_RCVTIMEO):
        ours.setsockopt(socket.SOL_SOCKET, option, seconds)
    return Connection(ours.detach())


def _environment() -> dict[str, str]:
    """The environment of the service, with the folder from which this package was imported."""
    here = str(Path(__file__).parents[2])
    paths = [here, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
