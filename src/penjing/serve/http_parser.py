"""HTTP/1.1 parsed by h11, with additional bounds and stricter checks.

h11 bounds an event that is not complete yet, and refuses most malformed input. It accepts input that two parsers could
read differently: a line that ends in a bare LF, a folded header, a length beside a chunked body. It also accepts a head
or a trailer of any length that comes in one read, and any number of chunks and chunk extensions. All of these are
refused here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import h11

# Events that are parsed in one turn of a connection: a body in chunks of one byte is slow to parse.
EVENTS_A_TURN = 64
# A chunk's size in h11 has at most 20 digits; its line and the chunk itself end in two bytes each.
_CHUNK_FRAMING = 24
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LENGTHS = re.compile(rb"\r\n(?:content-length|transfer-encoding):", re.IGNORECASE)
_HOST = re.compile(rb"(?:[\w.~%!$&'()*+,;=-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")


@dataclass(frozen=True)
class HttpBounds:
    """Bounds on the parts of a request. The code that reads the body bounds its size."""

    head_bytes: int = 32 * 1024
    header_fields: int = 100
    framing_bytes: int = 16 * 1024
    chunks: int = 4096


@dataclass(frozen=True)
class Refusal:
    """Why bytes are refused: status, code and message."""

    status: int
    code: str
    message: str


class BoundedConnection(h11.Connection):
    """The server's side of a connection. When `next_event` raises RemoteProtocolError, `refusal` has the reason.

    `next_event` also returns NEED_DATA at the end of a turn; `unfinished` is then true, and `begin_turn` continues.
    """

    def __init__(self, bounds: HttpBounds) -> None:
        super().__init__(h11.SERVER, max_incomplete_event_size=bounds.head_bytes)
        self.bounds = bounds
        self.unfinished = False
        self.refusal = Refusal(400, "bad_http", "the request is not valid HTTP/1.1")
        self._events = 0
        self._received = self._head_end = self._data = self._chunks = 0
        self._chunked = False

    def begin_turn(self) -> None:
        """Start the next turn of parsing."""
        self._events, self.unfinished = 0, False

    def receive_data(self, data: bytes) -> None:
        """Add bytes from the client."""
        self._received += len(data)
        super().receive_data(data)

    def next_event(self) -> Any:
        """The next event within the bounds. Raises h11.RemoteProtocolError."""
        if self._events >= EVENTS_A_TURN:
            self.unfinished = True
            self._check_framing()
            return h11.NEED_DATA
        self._events += 1
        in_head = self.their_state is h11.IDLE
        before = self.trailing_data[0] if in_head else b""
        try:
            event = super().next_event()
        except h11.RemoteProtocolError as error:
            self.refusal = _refusal(error, self.bounds, in_head)
            raise
        if isinstance(event, h11.Request):
            self._begin(before, event)
        elif isinstance(event, h11.Data):
            self._data += len(event.data)
            self._chunks += event.chunk_start
        elif event is h11.NEED_DATA or isinstance(event, h11.EndOfMessage):
            self._check_framing()
        return event

    def send(self, event: Any) -> Any:
        """Bytes to send. An answer that is sent before the whole body has come announces that the connection closes."""
        if isinstance(event, h11.Response) and self.their_state in (h11.SEND_BODY, h11.ERROR):
            headers = [(name, value) for name, value in event.headers if name != b"connection"]
            event = h11.Response(
                status_code=event.status_code, headers=[*headers, (b"connection", b"close")], reason=event.reason
            )
        return super().send(event)

    def waits(self) -> bool:
        """Whether no byte of the next request has come yet."""
        return self.their_state is h11.IDLE and not self.trailing_data[0]

    def _begin(self, before: bytes, event: h11.Request) -> None:
        rest = len(self.trailing_data[0])
        self._head_end, self._data, self._chunks = self._received - rest, 0, 0
        head = before[: len(before) - rest] if rest else before
        lines = head.count(b"\r\n")
        if len(head) > self.bounds.head_bytes:
            self._refuse(431, "head_too_large", _head_words(self.bounds))
        if len(event.headers) > self.bounds.header_fields:
            self._refuse(431, "head_too_large", f"there are more than {self.bounds.header_fields} headers")
        if head.count(b"\n") != lines or head.count(b"\r") != lines:
            self._refuse(400, "bad_http", "a line of the head does not end in CR LF")
        if b"\r\n " in head or b"\r\n\t" in head or _CONTROL.search(head):
            self._refuse(400, "bad_http", "a header is folded over lines, or holds a control character")
        if event.http_version not in (b"1.0", b"1.1"):
            self._refuse(400, "bad_http", "the version of HTTP is not 1.1")
        headers = dict(event.headers)
        self._chunked = b"transfer-encoding" in headers
        if len(_LENGTHS.findall(head)) > 1:
            self._refuse(400, "bad_http", "the length of the body is given twice")
        if self._chunked and event.http_version == b"1.0":
            self._refuse(400, "bad_http", "the body is chunked in HTTP/1.0")
        if not _HOST.fullmatch(headers.get(b"host", b"")):
            self._refuse(400, "bad_http", "the Host header is not the name of a host")

    def _check_framing(self) -> None:
        if not self._chunked:
            return
        if self._chunks > self.bounds.chunks:
            self._refuse(413, "too_large", f"the body comes in more than {self.bounds.chunks:,} chunks")
        read = self._received - len(self.trailing_data[0]) - self._head_end
        if read - self._data - _CHUNK_FRAMING * self._chunks > self.bounds.framing_bytes:
            self._refuse(431, "trailers_too_large", _framing_words(self.bounds))
        if self.their_state is not h11.SEND_BODY:
            self._chunked = False

    def _refuse(self, status: int, code: str, message: str) -> None:
        self.refusal = Refusal(status, code, message)
        raise h11.RemoteProtocolError(message, error_status_hint=status)


def _refusal(error: h11.RemoteProtocolError, bounds: HttpBounds, in_head: bool) -> Refusal:
    """The refusal of input that h11 refuses; the received bytes at the end of its message are left out."""
    if error.error_status_hint == 431:
        if in_head:
            return Refusal(431, "head_too_large", _head_words(bounds))
        return Refusal(431, "trailers_too_large", _framing_words(bounds))
    if "Host" in str(error):
        return Refusal(400, "bad_http", "a request needs one Host header")
    return Refusal(400, "bad_http", f"the request is not valid HTTP/1.1: {str(error).split(':')[0].lower()}")


def _head_words(bounds: HttpBounds) -> str:
    return f"the request line and the headers are larger than {bounds.head_bytes:,} bytes"


def _framing_words(bounds: HttpBounds) -> str:
    return f"chunk extensions and trailers are larger than {bounds.framing_bytes:,} bytes"
