"""The door before the application: request lines and headers within bounds, bad HTTP answered in the one form."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from penjing.serve.errors import error_response

HEAD_BYTES = 64 * 1024
HEAD_SECONDS = 20.0
_REASON = {400: b"Bad Request", 408: b"Request Timeout", 431: b"Request Header Fields Too Large"}


class GuardedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with a bound on the size of a request's head and on the time in which it must come.

    The parser of httptools keeps a header of any length, and waits for its end for ever: a few idle connections
    that send a byte a minute, or one that sends a header of a gigabyte, would take the service down.
    """

    _head: int = 0
    _in_head: bool = True
    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock of the first head."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop_clock()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what belongs to a head; a body is counted by who reads it."""
        if self._in_head:
            if self._late is None:
                self._await_head()
            # A block that ends a head may hold a body too; only a head that does not end within the bound is refused.
            if self._head > HEAD_BYTES:
                self._turn_away(431, "head_too_large", f"the headers are larger than {HEAD_BYTES:,} bytes")
                return
            self._head += len(data)
        super().data_received(data)

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._in_head, self._head = False, 0
        self._stop_clock()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Another request may follow on this connection; uvicorn's own clock watches the pause before it."""
        super().on_message_complete()
        self._in_head = True

    def idle_again(self) -> None:
        """A request was answered without the parser: the clock of an idle connection starts anew."""
        self._stop_clock()
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def send_400_response(self, msg: str) -> None:
        """Bad HTTP, in the one form of an error."""
        self._turn_away(400, "bad_http", msg)

    def _await_head(self) -> None:
        self._late = self.loop.call_later(HEAD_SECONDS, self._too_late)

    def _too_late(self) -> None:
        self._turn_away(408, "too_slow", f"the request did not begin within {HEAD_SECONDS:g} s")

    def _stop_clock(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _turn_away(self, status: int, code: str, message: str) -> None:
        self._stop_clock()
        if self.transport.is_closing():
            return
        body = bytes(error_response(status, code, message, "send a plain HTTP/1.1 request").body)
        head = b"HTTP/1.1 %d %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
        self.transport.write(head % (status, _REASON[status], len(body)) + body)
        self.transport.close()
