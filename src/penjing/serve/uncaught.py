"""A request that is cancelled before it is answered gets an error in the form of the service."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from penjing.serve.errors import error_response


class Uncaught:
    """Answers 503 if a stop cancels a request; without this the server would send plain text."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and answer it if it was cancelled."""
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
                message, fix = "the service stopped before this was answered", "send the request again soon"
                await error_response(503, "stopping", message, fix, {"Retry-After": "5"})(scope, receive, send)
            raise
