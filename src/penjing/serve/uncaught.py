"""The last answer: a request that was cancelled before it was answered ends in the service's own form of an error."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from penjing.serve.errors import error_response


class Uncaught:
    """Answers 503 where a stop cancels a request; the server would send a plain text."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and answer what was cancelled."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def noting(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except asyncio.CancelledError:
            if not begun:
                said, fix = "the service stopped before this was answered", "send the request again soon"
                await error_response(503, "stopping", said, fix, {"Retry-After": "5"})(scope, receive, send)
            raise
