"""Early answers, before key, body and route are checked: refusals of a full lane, and cached states that are fresh.

Under four times the load that it can answer, a service spends its time on refusals. A refusal must cost much less than
a decision. So each is made once in either language, and it is sent after only the path, the length and the
language of a request have been read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from penjing.serve.errors import error_response
from penjing.serve.http_language import headers_prefer_chinese, in_language
from penjing.serve.lane import Lane
from penjing.serve.lanes import Lanes
from penjing.serve.metrics import Metrics
from penjing.serve.states import CachedState

_WORK = ("/v1/decide", "/v1/predict")
_RECORD, _REPLAY = "/v1/decisions/", "/replay"
_LINE = re.compile(rb"(GET|POST) ([^ ?]+) HTTP/1\.1")
_Raw = tuple[int, list[tuple[bytes, bytes]], bytes]


class Refusals:
    """The requests that a full lane refuses, by path and length only, and the refusal of each."""

    def __init__(self, lanes: Lanes, metrics: Metrics) -> None:
        self._lanes, self._metrics = lanes, metrics
        # By lane and whether it is in Chinese.
        self._made = {
            (lane.name, chinese): in_language(chinese, partial(_refusal, lane))
            for lane in lanes.all
            for chinese in (False, True)
        }
        self._lines = {name: _lines(made) for name, made in self._made.items()}

    def of(self, path: str, length: int, chinese: bool = False) -> _Raw | None:
        """The refusal of a request with a body of so many bytes, counted; None if its lane has room."""
        lane = self._refused_by(path, length)
        return None if lane is None else self._made[lane.name, chinese]

    def raw(self, line: bytes, length: int, chinese: bool = False) -> bytes | None:
        """The same for the first line of a request; returns the bytes of the whole answer."""
        found = _LINE.fullmatch(line)
        if found is None:
            return None
        path = found[2].decode("latin-1")
        refused = self._refused_by(path, length)
        if refused is not None:
            return self._lines[refused.name, chinese]
        lane, _ = self._lane(path, length)
        if lane is not None:
            lane.enter()
        return None

    def _refused_by(self, path: str, length: int) -> Lane[Any, Any] | None:
        lane, pattern = self._lane(path, length)
        if lane is None or not lane.full():
            return None
        lane.refused += 1
        self._metrics.count_early(pattern, 503)
        return lane

    def _lane(self, path: str, length: int) -> tuple[Lane[Any, Any] | None, str]:
        if path in _WORK:
            return self._lanes.first(length), path
        if path == _RECORD[:-1] or path.startswith(f"{_RECORD[:-1]}?"):
            return self._lanes.lookup, _RECORD[:-1]
        if not path.startswith(_RECORD):
            return None, ""
        if path.endswith(_REPLAY):
            return self._lanes.replay, "/v1/decisions/{identity}/replay"
        return self._lanes.lookup, "/v1/decisions/{identity}"


class EarlyBytes:
    """Answers as bytes, before HTTP is parsed: refusals, and cached states that are fresh.

    Not used by a service without keys, which must check the Host before it answers.
    """

    def __init__(self, refusals: Refusals, metrics: Metrics, kept: Mapping[str, tuple[str, CachedState]]) -> None:
        self._refusals, self._metrics = refusals, metrics
        self._states = {f"GET {path} HTTP/1.1".encode(): (path, kind, state) for path, (kind, state) in kept.items()}
        self._made: dict[str, tuple[bytes, bytes]] = {}

    def answer(self, line: bytes, length: int, chinese: bool = False) -> bytes | None:
        """The answer to a first line and a body of so many bytes; None if there is no early answer."""
        found = self._states.get(line)
        if found is None:
            return self._refusals.raw(line, length, chinese)
        path, kind, state = found
        body = state.fresh()
        if body is None or length:
            return None
        self._metrics.count_early(path, 200)
        before, made = self._made.get(path, (b"", b""))
        if before is not body:
            head = f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n\r\n"
            made = head.encode("latin-1") + body
            self._made[path] = body, made
        return made


class EarlyAnswers:
    """ASGI middleware around all others. `kept`: the content type and the cached answer of each state, by path."""

    def __init__(
        self, app: ASGIApp, refusals: Refusals, metrics: Metrics, kept: Mapping[str, tuple[str, CachedState]]
    ) -> None:
        self._app, self._refusals, self._metrics, self._kept = app, refusals, metrics, kept
        self._types = {path: kind.encode("latin-1") for path, (kind, _) in kept.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer early, or pass on."""
        answer = self._early(scope) if scope["type"] == "http" else None
        if answer is None:
            await self._app(scope, receive, send)
            return
        status, headers, body = answer
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _early(self, scope: Scope) -> _Raw | None:
        path, method = scope["path"], scope["method"]
        if method == "GET" and path in self._kept:
            body = self._kept[path][1].fresh()
            if body is None:
                return None
            self._metrics.count_early(path, 200)
            length = str(len(body)).encode()
            return 200, [(b"content-type", self._types[path]), (b"content-length", length)], body
        return self._refusals.of(path, _length(scope), headers_prefer_chinese(scope["headers"]))


def _length(scope: Scope) -> int:
    """The length of the body as declared; 0 if that is not a number: another check refuses it later."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value[:12]) if value[:12].isdigit() else 0
    return 0


def _refusal(lane: Lane[Any, Any]) -> _Raw:
    error = lane.refusal(f"more than {lane.bounds.texts} texts wait, or too long ones, or for too long")
    lane.refused = 0
    made = error_response(error.status, error.code, error.what, error.fix or "", error.headers)
    return made.status_code, list(made.raw_headers), bytes(made.body)


def _lines(made: _Raw) -> bytes:
    """A refusal as it is sent; the connection stays open, so that the next request costs no new one."""
    status, headers, body = made
    head = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
    return b"HTTP/1.1 %d Service Unavailable\r\n%s\r\n%s" % (status, head, body)
