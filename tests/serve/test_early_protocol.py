"""Refusals before HTTP is parsed: plain requests alone, connections in step, everything else left to the parser."""

from __future__ import annotations

import asyncio

import pytest

from penjing.serve.early_protocol import MOST_BODY, Framing, early_protocol

HEAD = b"POST /v1/decide HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


def request(body: bytes = b"{}", more: bytes = b"") -> bytes:
    return HEAD + more + b"Content-Length: %d\r\n\r\n" % len(body) + body


def test_plain_requests_are_followed_one_after_another() -> None:
    framing = Framing()
    for body in (b"{}", b"", b"x" * 1000):
        assert framing.head(request(body)) == (b"POST /v1/decide HTTP/1.1", len(body), False)
        assert (framing.plain, framing.rest) == (True, 0)
    whole = request(b"abcdef", b"Connection: keep-alive\r\n")
    assert framing.head(whole[:-4]) == (b"POST /v1/decide HTTP/1.1", 6, False)
    assert framing.rest == 4
    assert framing.head(b"cd") is None
    assert framing.rest == 2
    assert framing.head(b"ef") is None
    assert (framing.plain, framing.rest) == (True, 0)
    assert framing.head(b"GET /v1/decisions/x HTTP/1.1\r\nHost: x\r\n\r\n") == (
        b"GET /v1/decisions/x HTTP/1.1",
        0,
        False,
    )


@pytest.mark.parametrize(
    "data",
    [
        HEAD,
        request() + request(),
        request(more=b"Transfer-Encoding: chunked\r\n"),
        request(more=b"transfer-encoding:chunked\r\n"),
        request(more=b"Content-Length: 2\r\n"),
        request(more=b"Content-Length : 9\r\n"),
        request(more=b"Expect: 100-continue\r\n"),
        request(more=b"Upgrade: h2c\r\nConnection: Upgrade\r\n"),
        request(more=b"Connection: close\r\n"),
        request(more=b"Connection: keep-alive, upgrade\r\n"),
        request(more=b"X: a\nTransfer-Encoding: chunked\r\n"),
        request(more=b"X: a\rTransfer-Encoding: chunked\r\n"),
        HEAD + b"Content-Length: %d\r\n\r\n" % (MOST_BODY + 1),
        HEAD + b"Content-Length: +2\r\n\r\n{}",
    ],
)
def test_all_else_goes_to_the_parser_for_good(data: bytes) -> None:
    framing = Framing()
    framing.head(data)
    assert not framing.plain


class Cycle:
    response_complete = True


class Server(asyncio.Protocol):
    """Stands for a server's protocol: notes the bytes that come through."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop, self.cycle, self.passed, self.idles = loop, None, b"", 0
        self.written: list[bytes] = []
        self.closed = False
        self.transport = self

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def close(self) -> None:
        self.closed = True

    def data_received(self, data: bytes) -> None:
        self.passed += data

    def idle_again(self) -> None:
        self.idles += 1


def serve(pieces: list[bytes], refusing: bool = True, busy: bool = False):
    async def run():
        kind = early_protocol(Server, lambda line, *_: b"503" if refusing and b"/v1/" in line else None)
        made = kind(asyncio.get_running_loop())
        if busy:
            made.cycle = Cycle()
            made.cycle.response_complete = False
        for piece in pieces:
            made.data_received(piece)
        made.connection_lost(None)
        return made

    return asyncio.run(run())


def test_a_refused_request_never_reaches_the_server_and_the_next_one_does() -> None:
    refused = serve([request(), request(b"abc")[:-2], b"b", b"c", b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"])
    assert refused.written == [b"503", b"503"]
    assert refused.passed == b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    assert (refused.idles, refused.closed) == (2, False)


def test_what_is_not_refused_passes_as_it_came() -> None:
    pieces = [request(b"abc")[:-2], b"bc", request(), HEAD]
    assert serve(pieces, refusing=False).passed == b"".join(pieces)


def test_more_than_a_refused_body_closes_the_connection() -> None:
    found = serve([request(b"abc")[:-2], b"bc" + request()])
    assert (found.written, found.passed, found.closed) == ([b"503"], b"", True)


def test_a_request_sent_before_the_last_answer_is_not_answered_out_of_turn() -> None:
    found = serve([request()], busy=True)
    assert (found.written, found.passed) == ([], request())


@pytest.mark.parametrize(
    ("line", "chinese"),
    [
        (b"Accept-Language: zh-CN,zh;q=0.9\r\n", True),
        (b"accept-language:en, zh;q=0.5\r\n", False),
        (b"X-Accept-Language: zh\r\n", False),
        (b"", False),
    ],
)
def test_the_language_of_a_request_is_read_with_its_length(line: bytes, chinese: bool) -> None:
    head = b"POST /v1/decide HTTP/1.1\r\nHost: x\r\n" + line + b"Content-Length: 0\r\n\r\n"
    assert Framing().head(head) == (b"POST /v1/decide HTTP/1.1", 0, chinese)
