"""A cancelled request is answered in the service's own form, once."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from penjing.serve.uncaught import Uncaught


async def _ask(begin_first: bool) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        if begin_first:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(10)

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request"}

    task = asyncio.create_task(Uncaught(app)({"type": "http", "method": "POST"}, receive, send))  # type: ignore[arg-type]
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    return sent


def test_a_cancelled_request_gets_the_form_of_an_error() -> None:
    sent = asyncio.run(_ask(begin_first=False))
    assert sent[0]["status"] == 503
    assert json.loads(sent[1]["body"])["error"]["code"] == "stopping"


def test_what_was_begun_is_left_alone() -> None:
    sent = asyncio.run(_ask(begin_first=True))
    assert [message["type"] for message in sent] == ["http.response.start"]
