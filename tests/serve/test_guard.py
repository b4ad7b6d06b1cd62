"""The clock and the bound of a request's head, before any application sees it."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn

from penjing.serve import guard

Connect = tuple[str, int]
POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"


async def count_body(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer with the number of bytes that the body had."""
    assert scope["type"] == "http"
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    body = str(size).encode()
    length = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": length})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch) -> Iterator[Connect]:
    """The protocol in a server of its own, with a clock that a test can wait for."""
    monkeypatch.setattr(guard, "HEAD_SECONDS", 0.3)
    config = uvicorn.Config(count_body, port=0, http=guard.GuardedProtocol, lifespan="off", log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()
    server.should_exit = True
    thread.join(10)


def answer(connection: socket.socket) -> tuple[int, bytes]:
    """(status, body) of one answer of a length."""
    got = b""
    while b"\r\n\r\n" not in got:
        block = connection.recv(65536)
        assert block, got
        got += block
    head, body = got.split(b"\r\n\r\n", 1)
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(65536)
    return int(head.split()[1]), body


@pytest.mark.parametrize("begun", [b"", b"GET / HTT", b"GET / HTTP/1.1\r\nHost: x\r\n"])
def test_a_head_that_does_not_end_is_given_up(guarded: Connect, begun: bytes) -> None:
    with socket.create_connection(guarded, timeout=5) as connection:
        connection.sendall(begun)
        status, body = answer(connection)
        assert (status, json.loads(body)["error"]["code"]) == (408, "too_slow")
        assert connection.recv(1) == b""


def test_a_second_head_on_a_connection_has_a_clock_of_its_own(guarded: Connect) -> None:
    with socket.create_connection(guarded, timeout=5) as connection:
        connection.sendall(POST % 3 + b"abc")
        assert answer(connection) == (200, b"3")
        time.sleep(0.5)  # a pause between requests is not a slow head
        connection.sendall(POST % 2 + b"ab")
        assert answer(connection) == (200, b"2")
        connection.sendall(b"POST / HT")
        assert answer(connection)[0] == 408


def test_a_slow_and_large_body_is_not_a_head(guarded: Connect) -> None:
    block = b"x" * guard.HEAD_BYTES
    with socket.create_connection(guarded, timeout=5) as connection:
        connection.sendall(POST % (2 * len(block)) + block)
        time.sleep(0.5)
        connection.sendall(block)
        assert answer(connection) == (200, str(2 * len(block)).encode())


def test_a_large_head_is_refused(guarded: Connect) -> None:
    with socket.create_connection(guarded, timeout=5) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX-Long: " + b"x" * guard.HEAD_BYTES)
        time.sleep(0.1)
        connection.sendall(b"x")
        status, body = answer(connection)
        assert (status, json.loads(body)["error"]["code"]) == (431, "head_too_large")
