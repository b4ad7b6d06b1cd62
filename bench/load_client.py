"""An open-loop load from a process of its own: `python bench/load_client.py` with a plan on standard input.

A request is sent at its planned moment whether earlier ones are answered or not, and its latency counts from that
moment. Client and service share the machine's cores.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from attack_target import Target

SECONDS, SHORT_RATE, CONNECTIONS = 6.0, 25.0, 32


@dataclass
class Stream:
    """Requests of one kind: `rate` a second (0: as fast as `connections` are answered), for `seconds`."""

    method: str
    path: str
    bodies: list[str] = field(default_factory=list)
    rate: float = SHORT_RATE
    seconds: float = SECONDS
    connections: int = CONNECTIONS
    key: str = ""


@dataclass
class Seen:
    """What the client saw of one stream: counts by status, and latencies in milliseconds by status."""

    seconds: float
    sent: int
    statuses: dict[str, int]
    p50_ms: dict[str, float]
    p99_ms: dict[str, float]
    cpu_seconds: float

    def good(self) -> float:
        """Answers 200 a second."""
        return self.statuses.get("200", 0) / self.seconds

    def short(self) -> str:
        """Counts and times, for one line."""
        parts = [f"{count} x {status} (p99 {self.p99_ms[status]:.0f} ms)" for status, count in self.statuses.items()]
        return ", ".join(parts)


class _Connection(asyncio.Protocol):
    """One HTTP/1.1 connection, kept; a bare reader, so that the load costs less than what it measures."""

    def __init__(self, done: Callable[[_Connection, int], None]) -> None:
        self._done, self._got, self._need = done, b"", 0
        self.transport: asyncio.Transport | None = None
        self.planned = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Keep what to write to."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Read until the answer is whole."""
        self._got += data
        if not self._need:
            end = self._got.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self._got[:end].lower()
            place = head.index(b"content-length:") + 15
            self._need = end + 4 + int(head[place:].split(b"\r\n", 1)[0])
        if len(self._got) >= self._need:
            status = int(self._got[9:12])
            self._got, self._need = b"", 0
            self._done(self, status)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """An answer that never came counts as status 0."""
        self.transport = None
        if self.planned:
            self._done(self, 0)


class _Load:
    """Sends one stream and notes what comes back."""

    def __init__(self, host: str, port: int, stream: Stream) -> None:
        self._host, self._port, self._stream = host, port, stream
        head = f"{stream.method} {stream.path} HTTP/1.1\r\nHost: {host}:{port}\r\n"
        head += f"Authorization: Bearer {stream.key}\r\n" if stream.key else ""
        self._requests = [_request(head, body) for body in stream.bodies] or [f"{head}\r\n".encode()]
        self._free: deque[_Connection] = deque()
        self._late: deque[float] = deque()
        self._times: dict[int, list[float]] = {}
        self.sent = self._answered = 0
        self._ends = 0.0

    async def run(self) -> Seen:
        """All of the stream; what is not answered 10 s after its end is counted as status 0."""
        cpu, began = time.process_time(), time.perf_counter()
        loop = asyncio.get_running_loop()
        for _ in range(self._stream.connections):
            await self._open(loop)
        # The service takes connections a while after the client has them: that is no part of an answer's time.
        await asyncio.sleep(0.003 * self._stream.connections)
        began = time.perf_counter()
        self._ends = began + self._stream.seconds
        if self._stream.rate:
            await self._open_loop(began)
        else:
            while self._free:
                self._send(time.perf_counter())
            await asyncio.sleep(self._stream.seconds)
        until = time.perf_counter() + 10
        while self._answered < self.sent + len(self._late) and time.perf_counter() < until:
            await asyncio.sleep(0.01)
        return self._seen(time.perf_counter() - began, time.process_time() - cpu)

    async def _open_loop(self, began: float) -> None:
        rate, planned = self._stream.rate, 0
        while (now := time.perf_counter()) < self._ends:
            due = int((now - began) * rate)
            while planned < due:
                planned += 1
                self._send(began + planned / rate)
            await asyncio.sleep(0.002)

    async def _open(self, loop: asyncio.AbstractEventLoop) -> None:
        _, made = await loop.create_connection(lambda: _Connection(self._done), self._host, self._port)
        self._free.append(made)

    def _send(self, planned: float) -> None:
        if not self._free:
            self._late.append(planned)
            return
        connection = self._free.popleft()
        if connection.transport is None:
            asyncio.get_running_loop().create_task(self._open(asyncio.get_running_loop()))
            self._late.append(planned)
            return
        connection.planned = planned
        connection.transport.write(self._requests[self.sent % len(self._requests)])
        self.sent += 1

    def _done(self, connection: _Connection, status: int) -> None:
        now = time.perf_counter()
        self._answered += 1
        self._times.setdefault(status, []).append((now - connection.planned) * 1e3)
        connection.planned = 0.0
        self._free.append(connection)
        if self._late:
            self._send(self._late.popleft())
        elif not self._stream.rate and now < self._ends:
            self._send(now)

    def _seen(self, seconds: float, cpu: float) -> Seen:
        missing = self.sent + len(self._late) - self._answered
        times = {str(status): sorted(each) for status, each in sorted(self._times.items())}
        if missing:
            times["0"] = [*times.get("0", []), *[seconds * 1e3] * missing]
        return Seen(
            seconds=max(self._stream.seconds, seconds if seconds > self._stream.seconds + 0.5 else 0),
            sent=self.sent + len(self._late),
            statuses={status: len(each) for status, each in times.items()},
            p50_ms={status: each[len(each) // 2] for status, each in times.items()},
            p99_ms={status: each[min(len(each) - 1, int(0.99 * len(each)))] for status, each in times.items()},
            cpu_seconds=cpu,
        )


def _request(head: str, body: str) -> bytes:
    raw = body.encode()
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(raw)}\r\n\r\n".encode() + raw


@contextmanager
def client(target: Target, stream: Stream) -> Iterator[Callable[[], Seen]]:
    """Start the load in a process of its own; the callable waits for its end."""
    plan = json.dumps({"host": target.host, "port": target.port, "stream": asdict(stream)})
    process = subprocess.Popen(
        [sys.executable, __file__, "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )

    def end() -> Seen:
        said, _ = process.communicate(plan, timeout=stream.seconds + 40)
        return Seen(**json.loads(said))

    try:
        yield end
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def drive(target: Target, stream: Stream) -> Seen:
    """Run a stream and wait for what it saw."""
    with client(target, stream) as end:
        return end()


def cpu_seconds(process: int) -> float:
    """Processor time of a process so far, in seconds, all of its threads together (Linux)."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """The client: a plan on standard input, what was seen on standard output."""
    import uvloop

    plan = json.load(sys.stdin)
    load = partial(_Load, plan["host"], plan["port"], Stream(**plan["stream"]))

    async def run() -> Seen:
        return await load().run()

    print(json.dumps(asdict(uvloop.run(run()))))


if __name__ == "__main__":
    main()
