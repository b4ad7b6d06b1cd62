"""Checks every request before routing: its Host must be allowed, and its path must hold no encoded slash."""

from __future__ import annotations

import re
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from penjing.serve.errors import AnswerError, error_response
from penjing.serve.http_language import follow_request

# A proxy that restricts addresses and this service could read an encoded slash differently.
_ENCODED_SLASH = re.compile(rb"%2f|%5c|\\", re.IGNORECASE)


class Admission:
    """ASGI middleware around all others. `check_host` raises AnswerError for a Host that is not allowed.

    HEAD is answered at every address that answers GET: as GET, without the body.
    """

    def __init__(self, app: ASGIApp, check_host: Callable[[str], None]) -> None:
        self._app, self._check_host = app, check_host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        follow_request(scope["headers"])
        try:
            self._check(scope)
        except AnswerError as error:
            answer = error_response(error.status, error.code, error.what, error.fix or "")
            await answer(scope, receive, send)
            return
        if scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        await self._app(scope, receive, send)

    def _check(self, scope: Scope) -> None:
        host = next((value for name, value in scope["headers"] if name == b"host"), b"")
        self._check_host(host.decode("latin-1"))
        if _ENCODED_SLASH.search(scope.get("raw_path") or b""):
            raise AnswerError(
                400, "bad_path", "the address holds an encoded slash", "the addresses are in /openapi.json"
            )
