"""Who may ask at all: the Host without keys, plain addresses; HEAD as GET; without a server around it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from penjing.serve.admission import Admission
from penjing.serve.auth import KeyRing


def ask(ring: Any, *, host: bytes = b"localhost:8000", method: str = "GET", path: bytes = b"/healthz") -> Any:
    """(status, error code or the method that came through)."""
    seen: list[str] = []
    sent: list[dict[str, Any]] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope["method"])

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "raw_path": path, "headers": [(b"host", host)]}
    asyncio.run(Admission(app, ring.check_host)(scope, receive, send))
    if seen:
        return 200, seen[0]
    return sent[0]["status"], json.loads(sent[1]["body"])["error"]["code"]


KEYLESS, KEYED = KeyRing(None, required=False), KeyRing(None)  # type: ignore[arg-type]


@pytest.mark.parametrize("path", [b"/healthz", b"/readyz", b"/metrics", b"/openapi.json", b"/nothing"])
@pytest.mark.parametrize(
    "host", [b"", b"evil.example", b"localhost.evil.example", b"127.0.0.1:80:80", b"127.0.0.1@evil", b"[::1].x", b"1"]
)
def test_without_keys_a_foreign_host_is_refused_everywhere(host: bytes, path: bytes) -> None:
    assert ask(KEYLESS, host=host, path=path) == (403, "host")
    assert ask(KEYED, host=host, path=path) == (200, "GET")


@pytest.mark.parametrize("host", [b"localhost", b"LOCALHOST:1", b"127.0.0.1:8000", b"[::1]:8000", b"[::1]"])
def test_this_machine_may_ask(host: bytes) -> None:
    assert ask(KEYLESS, host=host) == (200, "GET")


@pytest.mark.parametrize("path", [b"/v1%2fdecide", b"/v1/decisions/a%2Fb", b"/v1/decisions/..%5c", b"/a\\b"])
def test_an_encoded_slash_is_refused(path: bytes) -> None:
    assert ask(KEYED, path=path) == (400, "bad_path")


def test_head_goes_on_as_get_and_other_methods_as_they_are() -> None:
    assert ask(KEYED, method="HEAD") == (200, "GET")
    assert ask(KEYED, method="POST") == (200, "POST")
