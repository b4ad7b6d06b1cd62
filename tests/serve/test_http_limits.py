"""Each state of a connection has a deadline, and an early answer ends it; seen on real sockets, with short clocks."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import uvicorn

from penjing.serve.http_limits import HttpLimits, LimitedProtocol
from penjing.serve.http_parser import HttpBounds

Connect = tuple[str, int]
POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
LIMITS = HttpLimits(
    head_seconds=0.3,
    body_seconds=0.3,
    answer_seconds=0.6,
    write_seconds=0.5,
    idle_seconds=1.0,
    linger_seconds=0.3,
    linger_bytes=2_000_000,
    connections=6,
    bounds=HttpBounds(head_bytes=4096, header_fields=20, framing_bytes=2048, chunks=400),
)


async def respond(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """By path: the number of bytes of the body; at once; nothing for long; far too much."""
    import asyncio

    size, more = 0, scope["path"] not in ("/early", "/huge")
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    if scope["path"] == "/late":
        await asyncio.sleep(2)
    body = b"x" * 50_000_000 if scope["path"] == "/huge" else str(size).encode()
    length = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": length})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture(scope="module")
def limited() -> Iterator[Connect]:
    """The protocol in a server of its own."""
    made: Any = partial(LimitedProtocol, limits=LIMITS)
    config = uvicorn.Config(respond, port=0, http=made, lifespan="off", log_level="critical", timeout_keep_alive=5)  # type: ignore[arg-type]
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()
    server.should_exit = True
    thread.join(10)
    assert not thread.is_alive()


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


def code(connection: socket.socket) -> tuple[int, str]:
    """(status, code) of an answer that is an error in the one form."""
    status, body = answer(connection)
    return status, json.loads(body)["error"]["code"]


def ends(connection: socket.socket, within: float = 2.0) -> bool:
    """Whether the server closes within these seconds, whatever it still sends."""
    until = time.monotonic() + within
    connection.settimeout(0.1)
    while time.monotonic() < until:
        try:
            if not connection.recv(65536):
                return True
        except TimeoutError:
            continue
        except OSError:
            return True
    return False


def connect(address: Connect) -> socket.socket:
    return socket.create_connection(address, timeout=5)


@pytest.mark.parametrize("begun", [b"", b"GET / HTT", b"GET / HTTP/1.1\r\nHost: x\r\n"])
def test_a_head_that_does_not_end_is_given_up(limited: Connect, begun: bytes) -> None:
    with connect(limited) as connection:
        connection.sendall(begun)
        assert code(connection) == (408, "too_slow")
        assert ends(connection)


def test_a_head_that_drips_is_given_up_all_the_same(limited: Connect) -> None:
    with connect(limited) as connection:
        began = time.monotonic()
        with contextlib.suppress(OSError):
            for byte in b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 100:
                connection.sendall(bytes([byte]))
                time.sleep(0.02)
        assert time.monotonic() - began < 1.5
        assert ends(connection)


def test_a_second_head_on_a_connection_has_a_clock_of_its_own(limited: Connect) -> None:
    with connect(limited) as connection:
        connection.sendall(POST % 3 + b"abc")
        assert answer(connection) == (200, b"3")
        time.sleep(0.5)  # a pause between requests is not a slow head
        connection.sendall(POST % 2 + b"ab")
        assert answer(connection) == (200, b"2")
        connection.sendall(b"POST / HT")
        assert code(connection) == (408, "too_slow")


def test_an_idle_connection_is_closed(limited: Connect) -> None:
    with connect(limited) as connection:
        connection.sendall(POST % 3 + b"abc")
        assert answer(connection) == (200, b"3")
        assert not ends(connection, 0.5)
        assert ends(connection)


def test_a_body_that_does_not_end_is_given_up(limited: Connect) -> None:
    with connect(limited) as connection:
        connection.sendall(POST % 3 + b"a")
        assert code(connection) == (408, "too_slow")
        assert ends(connection)


def test_work_that_does_not_end_is_given_up(limited: Connect) -> None:
    with connect(limited) as connection:
        connection.sendall(b"GET /late HTTP/1.1\r\nHost: x\r\n\r\n")
        assert code(connection) == (503, "late")
        assert ends(connection)


def test_a_client_that_does_not_read_is_left(limited: Connect) -> None:
    with connect(limited) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(b"GET /huge HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(1.0)
        got = 0
        with contextlib.suppress(OSError):
            while block := connection.recv(1 << 20):
                got += len(block)
        assert got < 50_000_000


@pytest.mark.parametrize(
    "sent",
    [
        b"POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc",
        b"POST /early HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n",
    ],
)
def test_an_answer_before_the_body_ends_the_connection(limited: Connect, sent: bytes) -> None:
    with connect(limited) as connection:
        connection.sendall(sent)
        assert answer(connection) == (200, b"0")
        began = time.monotonic()
        with contextlib.suppress(OSError):
            for _ in range(20):  # what kept it for ever
                connection.sendall(b"x")
                time.sleep(0.05)
        assert ends(connection)
        assert time.monotonic() - began < 2


def test_an_early_answer_is_read_whatever_was_still_sent(limited: Connect) -> None:
    with connect(limited) as connection:
        connection.sendall(b"POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 600_000)
        assert answer(connection) == (200, b"0")


@pytest.mark.parametrize("upgrade", [b"h2c", b"websocket", b"TLS/1.0, foo"])
def test_an_upgrade_is_ignored_and_the_body_kept(limited: Connect, upgrade: bytes) -> None:
    inner = b"GET /early HTTP/1.1\r\nHost: x\r\n\r\n"
    head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: %s\r\n" % upgrade
    head += b"HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\nContent-Length: %d\r\n\r\n" % len(inner)
    for pieces in ([head + inner], [head, inner]):
        with connect(limited) as connection:
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(0.05)
            assert answer(connection) == (200, str(len(inner)).encode())
            connection.sendall(POST % 2 + b"ab")  # and the connection is in step
            assert answer(connection) == (200, b"2")


def test_requests_sent_together_are_answered_in_order(limited: Connect) -> None:
    with connect(limited) as connection:
        connection.sendall(POST % 1 + b"a" + POST % 2 + b"ab" + POST % 3 + b"abc")
        got = b""
        while got.count(b"HTTP/1.1 200") < 3 or not got.endswith(b"3"):
            got += connection.recv(65536)
        assert [part.rsplit(b"\r\n", 1)[1] for part in got.split(b"HTTP/1.1 200")[1:]] == [b"1", b"2", b"3"]


def test_a_body_of_small_chunks_comes_whole(limited: Connect) -> None:
    with connect(limited) as connection:
        head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head + b"1\r\nx\r\n" * 300 + b"0\r\n\r\n")
        assert answer(connection) == (200, b"300")


@pytest.mark.parametrize(
    ("more", "status", "name"),
    [
        (lambda: b"0\r\n" + b"X: y\r\n" * 1000, 431, "trailers_too_large"),
        (lambda: b"0\r\nX: " + b"y" * 10_000, 431, "trailers_too_large"),
        (lambda: b"0\r\nX: " + b"y" * 10_000 + b"\r\n\r\n", 431, "trailers_too_large"),
        (lambda: b"1;" + b"y" * 10_000 + b"\r\nx\r\n", 431, "trailers_too_large"),
        (lambda: b"1;yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\nx\r\n" * 300, 431, "trailers_too_large"),
        (lambda: b"1\r\nx\r\n" * 500, 413, "too_large"),
        (lambda: b"z\r\n", 400, "bad_http"),
    ],
)
def test_trailers_and_extensions_are_bounded(
    limited: Connect, more: Callable[[], bytes], status: int, name: str
) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    with connect(limited) as connection:
        connection.sendall(head + more())
        assert code(connection) == (status, name)
        assert ends(connection)


def test_a_large_head_is_refused(limited: Connect) -> None:
    with connect(limited) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 5000)
        assert code(connection) == (431, "head_too_large")


def test_where_there_are_too_many_connections_the_one_that_waits_longest_makes_room(limited: Connect) -> None:
    time.sleep(0.5)
    with contextlib.ExitStack() as stack:
        waiting = [stack.enter_context(connect(limited)) for _ in range(LIMITS.connections)]
        time.sleep(0.1)
        with connect(limited) as connection:
            connection.sendall(POST % 3 + b"abc")
            assert answer(connection) == (200, b"3")
        assert ends(waiting[0], 0.1)


def test_where_all_are_at_work_a_further_one_is_refused(limited: Connect) -> None:
    time.sleep(0.5)
    with contextlib.ExitStack() as stack:
        for _ in range(LIMITS.connections):
            stack.enter_context(connect(limited)).sendall(b"GET /late HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.1)
        with connect(limited) as connection:
            assert code(connection) == (503, "connections")
    time.sleep(1.0)


def test_a_client_may_close_its_side_and_read_the_answer(limited: Connect) -> None:
    with connect(limited) as connection:
        connection.sendall(POST % 3 + b"abc")
        connection.shutdown(socket.SHUT_WR)
        assert answer(connection) == (200, b"3")
        assert ends(connection)
