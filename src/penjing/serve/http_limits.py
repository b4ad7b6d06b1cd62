"""Limits of connections: a deadline for each state, a bound on their number, and an orderly close.

uvicorn's protocol on h11 has a deadline only for an idle connection. Here each state has one: the head, the body, the
work, the client reading the answer, the pause between requests, and the close. An answer that is sent before the body
is complete ends the connection. Later bytes are dropped for a while, so that the client can read the answer.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from penjing.serve.errors import error_response
from penjing.serve.http_language import headers_prefer_chinese, in_language
from penjing.serve.http_parser import BoundedConnection, HttpBounds

_REASON = {
    400: b"Bad Request",
    408: b"Request Timeout",
    413: b"Content Too Large",
    431: b"Request Header Fields Too Large",
    503: b"Service Unavailable",
}
# The application has its own deadline for reading a body, with a better message. This one comes later.
_LATER = 1.0
_RESET = struct.pack("ii", 1, 0)


class ParsingQueue:
    """Connections with bytes that are not parsed yet; one is parsed in each round of the event loop."""

    def __init__(self) -> None:
        self._queue: deque[LimitedProtocol] = deque()
        self._running = False

    def add(self, protocol: LimitedProtocol) -> None:
        """Queue a connection for another turn."""
        self._queue.append(protocol)
        if not self._running:
            self._running = True
            protocol.loop.call_soon(self._next)

    def _next(self) -> None:
        protocol = self._queue.popleft()
        protocol.parse_on()
        self._running = bool(self._queue)
        if self._running:
            protocol.loop.call_soon(self._next)


@dataclass(frozen=True)
class HttpLimits:
    """Seconds for each state, and bounds. `waiting` holds the connections without a request, the oldest first."""

    head_seconds: float = 20.0
    body_seconds: float = 20.0
    answer_seconds: float = 300.0
    write_seconds: float = 30.0
    idle_seconds: float = 30.0
    linger_seconds: float = 2.0
    linger_bytes: int = 4 * 1024 * 1024
    connections: int = 1000
    bounds: HttpBounds = field(default_factory=HttpBounds)
    waiting: dict[LimitedProtocol, None] = field(default_factory=dict, init=False, repr=False, compare=False)
    parsing: ParsingQueue = field(default_factory=ParsingQueue, init=False, repr=False, compare=False)


class LimitedProtocol(H11Protocol):
    """uvicorn's protocol on h11, with these limits."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        limits: HttpLimits | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.limits = limits or HttpLimits()
        self.conn = self.parser = BoundedConnection(self.limits.bounds)
        self.ended = False
        self._raw: asyncio.Transport = None  # type: ignore[assignment]
        self._state = ""
        self._answered = False
        self._dropped = 0
        self._queued = False
        self._late: asyncio.TimerHandle | None = None
        self._write_late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept a connection; if there are too many, close the one that has waited longest for a request."""
        self._raw = transport
        super().connection_made(OrderlyTransport(transport, self))
        if len(self.connections) > self.limits.connections:
            oldest = next(iter(self.limits.waiting), None)
            if oldest is None:
                self.refuse(503, "connections", "there are too many connections")
                return
            oldest.give_way()
        self._follow()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timers."""
        super().connection_lost(exc)
        self.ended = True
        self._stop()
        if self._write_late is not None:
            self._write_late.cancel()

    def data_received(self, data: bytes) -> None:
        """Parse the bytes, or drop them if the connection has ended."""
        if not self.ended:
            super().data_received(data)
            return
        self._dropped += len(data)
        if self._dropped > self.limits.linger_bytes:
            self._raw.abort()

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """Keep the connection open for the answer: a client may close its side after the request."""
        at_work = self.cycle is not None and not self.cycle.response_complete
        if self.ended or not at_work or self.conn.their_state is h11.SEND_BODY:
            return None
        self.cycle.keep_alive = False
        return True

    def handle_events(self) -> None:
        """Parse for one turn; other connections get their turn before the next one."""
        self.parser.begin_turn()
        super().handle_events()
        if self.parser.unfinished and not self.ended:
            self._raw.pause_reading()
            if not self._queued:
                self._queued = True
                self.limits.parsing.add(self)
        self._follow()

    def on_response_complete(self) -> None:
        """Let uvicorn go on, and set the timer of the new state."""
        self._answered, self._state = True, ""
        super().on_response_complete()
        self._follow()

    def idle_again(self) -> None:
        """Restart the timer of an idle connection after a request that was answered without the parser."""
        self._answered, self._state = True, ""
        self._follow()

    def shutdown(self) -> None:
        """Close at the stop of the service."""
        if self.ended:
            self._raw.abort()
        else:
            super().shutdown()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  (uvicorn's message is less specific)
        """Answer what the parser refuses, in the one form of an error."""
        refusal = self.parser.refusal
        self.refuse(refusal.status, refusal.code, refusal.message)

    def refuse(self, status: int, code: str, message: str) -> None:
        """Answer with an error, unless an answer has begun, and close; a later answer of the application is dropped."""
        if self.ended:
            return
        begun = False
        headers: Iterable[tuple[bytes, bytes]] = ()
        if self.cycle is not None and not self.cycle.response_complete:
            headers = self.cycle.scope["headers"]
            begun = self.cycle.response_started
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if not begun:
            fix = "ask again in a second" if status == 503 else "send a plain HTTP/1.1 request"
            more = {"Connection": "close"} | ({"Retry-After": "1"} if status == 503 else {})
            made = in_language(
                headers_prefer_chinese(headers), lambda: error_response(status, code, message, fix, more)
            )
            head = b"".join(name + b": " + value + b"\r\n" for name, value in made.raw_headers)
            self.transport.write(b"HTTP/1.1 %d %s\r\n%s\r\n" % (status, _REASON[status], head) + bytes(made.body))
        self.end(linger=True)

    def end(self, *, linger: bool = False) -> None:
        """Close. If the client may still send bytes, close in two steps: a reset would lose the answer."""
        if self.ended:
            return
        self.ended = True
        self._stop()
        self._unset_keepalive_if_required()
        if self._raw.is_closing():
            return
        if linger or self.conn.their_state in (h11.SEND_BODY, h11.ERROR):
            self._raw.resume_reading()
            self._raw.write_eof()
            self._late = self.loop.call_later(self.limits.linger_seconds, self._raw.abort)
        else:
            self._raw.close()
            self._late = self.loop.call_later(self.limits.write_seconds, self._raw.abort)

    def give_way(self) -> None:
        """Close at once, to make room for another client."""
        self.ended = True
        self._stop()
        self._raw.abort()

    def write_began(self) -> None:
        """Start the write deadline: bytes are written to a client that has read all earlier ones."""
        if self._write_late is not None:
            self._write_late.cancel()
        self._write_late = self.loop.call_later(self.limits.write_seconds, self._write_overdue)

    def may_read(self) -> bool:
        """Whether the parser has used all bytes that it has."""
        return not self.parser.unfinished or self.ended

    def parse_on(self) -> None:
        """Parse for one more turn; then read more bytes."""
        self._queued = False
        if self.ended:
            return
        self.handle_events()
        if not self.ended and not self.parser.unfinished and not self.flow.read_paused:
            self._raw.resume_reading()

    def _should_upgrade(self) -> bool:
        # RFC 9110, 7.8: a server may ignore Upgrade. The request is answered as if it were not there.
        return False

    def _follow(self) -> None:
        """Set the timer of the present state, unless it runs already."""
        if self.ended:
            return
        if self.conn.their_state is h11.SEND_BODY:
            state, seconds = "body", self.limits.body_seconds + _LATER
        elif self.conn.their_state is not h11.IDLE:
            state, seconds = "answer", self.limits.answer_seconds
        elif self._answered and self.parser.waits():
            state, seconds = "idle", self.limits.idle_seconds
        else:
            state, seconds = "head", self.limits.head_seconds
        if state == self._state:
            return
        self._stop()
        self._state = state
        self._late = self.loop.call_later(seconds, self._overdue)
        if state in ("idle", "head"):
            self.limits.waiting[self] = None

    def _stop(self) -> None:
        self.limits.waiting.pop(self, None)
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _overdue(self) -> None:
        if self._state == "idle":
            self.end()
        elif self._state == "answer":
            self.refuse(503, "late", f"the answer was not ready within {self.limits.answer_seconds:g} s")
        elif self._state == "body":
            self.refuse(408, "too_slow", f"the body did not come within {self.limits.body_seconds:g} s")
        else:
            self.refuse(408, "too_slow", f"the request did not begin within {self.limits.head_seconds:g} s")

    def _write_overdue(self) -> None:
        if self._raw.get_write_buffer_size():
            # A reset also frees the bytes that the system holds for the client.
            self._raw.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self._raw.abort()


class OrderlyTransport(asyncio.Transport):
    """A transport that closes through the protocol, and notifies it when a write begins."""

    def __init__(self, raw: asyncio.Transport, protocol: LimitedProtocol) -> None:
        super().__init__()
        self._raw, self._protocol = raw, protocol

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write, unless the connection is gone."""
        if self._raw.is_closing() or self._protocol.ended:
            return
        if not self._raw.get_write_buffer_size():
            self._protocol.write_began()
        self._raw.write(data)

    def close(self) -> None:
        """Close through the protocol."""
        self._protocol.end()

    def is_closing(self) -> bool:
        """Whether writing has ended."""
        return self._protocol.ended or self._raw.is_closing()

    def abort(self) -> None:
        """Close at once."""
        self._raw.abort()

    def pause_reading(self) -> None:
        """Stop reading."""
        self._raw.pause_reading()

    def resume_reading(self) -> None:
        """Read again, after the parser has used the bytes that it has."""
        if self._protocol.may_read():
            self._raw.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Information about the socket."""
        return self._raw.get_extra_info(name, default)

    def get_write_buffer_size(self) -> int:
        """Bytes that the client has not read yet."""
        return self._raw.get_write_buffer_size()
