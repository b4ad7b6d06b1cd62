"""What is answered before a key, a body or a route is looked at: refusals of a full lane, and answers that are fresh.

Under four times the load that it can answer, a service spends its time on refusals; each must cost a small part of a
decision. So they are made once, and sent before anything that a client wrote is read, its path and length excepted.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from penjing.serve.errors import error_response
from penjing.serve.lane import Lane
from penjing.serve.lanes import Lanes
from penjing.serve.metrics import Metrics
from penjing.serve.states import Kept

_WORK = ("/v1/decide", "/v1/predict")
_RECORD, _REPLAY = "/v1/decisions/", "/replay"
_Raw = tuple[int, list[tuple[bytes, bytes]], bytes]


class EarlyAnswers:
    """ASGI middleware around all others. `kept`: the content type and the answer of each state, by its path."""

    def __init__(self, app: ASGIApp, lanes: Lanes, metrics: Metrics, kept: Mapping[str, tuple[str, Kept]]) -> None:
        self._app, self._lanes, self._kept = app, lanes, kept
        self._metrics = metrics
        self._refusals = {lane.name: _refusal(lane) for lane in lanes.all}
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
        lane, pattern = self._lane(path, scope)
        if lane is None or not lane.full():
            return None
        lane.refused += 1
        self._metrics.count_early(pattern, 503)
        return self._refusals[lane.name]

    def _lane(self, path: str, scope: Scope) -> tuple[Lane | None, str]:  # type: ignore[type-arg]
        if path in _WORK:
            return self._lanes.first(_length(scope)), path
        if not path.startswith(_RECORD):
            return None, ""
        if path.endswith(_REPLAY):
            return self._lanes.replay, "/v1/decisions/{identity}/replay"
        return self._lanes.lookup, "/v1/decisions/{identity}"


def _length(scope: Scope) -> int:
    """The length of the body as declared; 0 where that is no number: it is refused later, in its own words."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value[:12]) if value[:12].isdigit() else 0
    return 0


def _refusal(lane: Lane) -> _Raw:  # type: ignore[type-arg]
    error = lane.refusal(f"more than {lane.bounds.texts} texts wait, or too long ones, or for too long")
    lane.refused = 0
    made = error_response(error.status, error.code, error.what, error.fix or "", error.headers)
    return made.status_code, list(made.raw_headers), bytes(made.body)
