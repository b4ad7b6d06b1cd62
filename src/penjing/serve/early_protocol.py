"""Refusals of a full lane before HTTP is parsed, at the lowest cost that keeps the connection usable.

Parsing a request, making a task for it and sending an answer through ASGI takes a third of the time of a small
decision. Here a refusal reads only the first line, the length of the body and the preferred language. That is correct
only while the bytes of the connection are complete plain requests, one after another. The head must come in one piece.
It may have one Content-Length, no Transfer-Encoding, Expect or Upgrade, and no Connection other than keep-alive.
Nothing may be sent before the last answer. At the first bytes that break this form, the server's own parser takes the
connection until it ends, and serve/early.py refuses there.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

from penjing.serve.http_language import prefers_chinese

# A larger body is not waited for: the server's own parser bounds it.
MOST_BODY = 64 * 1024
# The rest of a refused body must come within this time.
_REST_SECONDS = 10.0
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,9})[ \t]*(?=\r\n)", re.IGNORECASE)
_NOT_PLAIN = re.compile(
    rb"\r\n(?:transfer-encoding|expect|upgrade|connection:[ \t]*+(?!keep-alive[ \t]*\r\n))",
    re.IGNORECASE,
)
_LANGUAGE = re.compile(rb"\r\naccept-language:[ \t]*([^\r\n]*)", re.IGNORECASE)
Refuse = Callable[[bytes, int, bool], bytes | None]


class Framing:
    """Follows the bytes of one connection while they are complete plain requests."""

    def __init__(self) -> None:
        self.plain = True
        self._rest = 0

    def head(self, data: bytes) -> tuple[bytes, int, bool] | None:
        """(first line, length of the body, whether it prefers Chinese) if these bytes begin a plain request, else
        None."""
        if self._rest:
            self._rest -= len(data)
            self.plain = self._rest >= 0
            return None
        end = data.find(b"\r\n\r\n")
        whole = data[: end + 4]
        lengths = _LENGTH.findall(whole)
        # Parsers differ on a line end of one character.
        odd = whole.count(b"\n") != whole.count(b"\r\n") or whole.count(b"\r") != whole.count(b"\r\n")
        odd |= whole.lower().count(b"\r\ncontent-length") != len(lengths)
        if end < 0 or odd or len(lengths) > 1 or _NOT_PLAIN.search(whole):
            self.plain = False
            return None
        length = int(lengths[0]) if lengths else 0
        self._rest = end + 4 + length - len(data)
        if self._rest < 0 or length > MOST_BODY:
            self.plain = False
            return None
        language = _LANGUAGE.search(whole)
        chinese = language is not None and prefers_chinese(language[1].decode("latin-1"))
        return data[: data.find(b"\r\n")], length, chinese

    @property
    def rest(self) -> int:
        """Bytes of the request that have not come yet."""
        return self._rest


def early_protocol(base: type[Any], refuse: Refuse) -> type[Any]:
    """A protocol that first calls `refuse(first line, body length, Chinese)`: bytes are the answer, None passes it on.

    `base`: a protocol of uvicorn with the method `idle_again`, which restarts the timer of an idle connection.
    """

    class EarlyProtocol(base):  # type: ignore[misc]
        """Answers complete plain requests that are refused, and passes all other bytes on unchanged."""

        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            self._framing = Framing()
            self._refused = False
            self._rest_late: asyncio.TimerHandle | None = None

        def data_received(self, data: bytes) -> None:
            framing = self._framing
            if not framing.plain:
                super().data_received(data)
                return
            head = framing.head(data)
            if head is not None and (self.cycle is None or self.cycle.response_complete):
                answer = refuse(*head)
                if answer is not None:
                    self._refuse(answer)
                    return
            elif head is not None:  # pipelined: answers must keep their order
                framing.plain = False
            elif self._refused:
                self._drop()
                return
            super().data_received(data)

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_waiting()
            super().connection_lost(exc)

        def _refuse(self, answer: bytes) -> None:
            self.transport.write(answer)
            self._refused = self._framing.rest > 0
            if self._refused:
                self._rest_late = self.loop.call_later(_REST_SECONDS, self.transport.close)
            else:
                self.idle_again()

        def _drop(self) -> None:
            """Count and drop bytes of a body that was refused."""
            if not self._framing.plain:  # more bytes than the body: the start of the next request is uncertain
                self.transport.close()
            elif not self._framing.rest:
                self._refused = False
                self._stop_waiting()
                self.idle_again()

        def _stop_waiting(self) -> None:
            if self._rest_late is not None:
                self._rest_late.cancel()
                self._rest_late = None

    return EarlyProtocol
