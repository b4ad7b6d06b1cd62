"""What the parser takes, what it refuses and with which words; bytes in, events out, no socket."""

from __future__ import annotations

from typing import Any

import h11
import pytest

from penjing.serve.http_parser import EVENTS_A_TURN, BoundedConnection, HttpBounds

HEAD = b"POST /v1/decide HTTP/1.1\r\nHost: x\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def parse(*pieces: bytes, bounds: HttpBounds | None = None) -> tuple[BoundedConnection, list[Any]]:
    """The connection and its events; the last one is the error, where it refuses."""
    connection, found = BoundedConnection(bounds or HttpBounds()), []
    for piece in pieces:
        connection.receive_data(piece)
        connection.begin_turn()
        while True:
            try:
                event = connection.next_event()
            except h11.RemoteProtocolError as error:
                return connection, [*found, error]
            if connection.unfinished:
                connection.begin_turn()
                continue
            if event in (h11.NEED_DATA, h11.PAUSED):
                break
            found.append(event)
    return connection, found


def test_a_plain_request_and_a_chunked_one_are_taken() -> None:
    _, found = parse(HEAD + b"Content-Length: 2\r\n\r\n{}")
    assert [type(event) for event in found] == [h11.Request, h11.Data, h11.EndOfMessage]
    whole = CHUNKED + b"1;a=b\r\nx\r\n2\r\nyz\r\n0\r\nX-Sum: 1\r\n\r\n"
    for pieces in ([whole], [whole[i : i + 1] for i in range(len(whole))]):
        _, found = parse(*pieces)
        assert b"".join(bytes(event.data) for event in found if isinstance(event, h11.Data)) == b"xyz"
        assert isinstance(found[-1], h11.EndOfMessage)


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", "not valid"),
        (b"GET\r\n\r\n", "illegal request line"),
        (b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", "version"),
        (b"PRI * HTTP/2.0\r\n\r\n", "version"),
        (b"GET / HTTP/1.1\r\n\r\n", "one Host header"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "one Host header"),
        (b"GET / HTTP/1.0\r\nHost: x\r\nHost: x\r\n\r\n", "one Host header"),
        (b"GET / HTTP/1.1\r\nHost: x y\r\n\r\n", "name of a host"),
        (b"GET / HTTP/1.1\r\nHost: http://x/\r\n\r\n", "name of a host"),
        (b"GET / HTTP/1.1\nHost: x\r\n\r\n", "CR LF"),
        (b"GET / HTTP/1.1\r\nHost: x\n\r\n", "CR LF"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n", "folded"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: a\x01b\r\n\r\n", "control"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX : a\r\n\r\n", "not valid"),
        (HEAD + b"Content-Length: x\r\n\r\n", "not valid"),
        (HEAD + b"Content-Length: +2\r\n\r\n", "not valid"),
        (HEAD + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", "twice"),
        (HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", "not valid"),
        (HEAD + b"Content-Length: 2, 3\r\n\r\n{}", "not valid"),
        (HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}", "twice"),
        (HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n{}", ""),
        (HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n{}", ""),
        (HEAD.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n{}", "HTTP/1.0"),
        (CHUNKED + b"1\nx\r\n", "not valid"),
        (CHUNKED + b"-1\r\nx\r\n", "not valid"),
        (CHUNKED + b"1\r\nxy\r\n", "not valid"),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(sent: bytes, words: str) -> None:
    connection, found = parse(sent)
    assert isinstance(found[-1], h11.RemoteProtocolError), found
    assert (connection.refusal.status, connection.refusal.code) == (400, "bad_http")
    assert words in connection.refusal.message
    assert "x00" not in connection.refusal.message and "bytearray" not in connection.refusal.message


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 33_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 33_000,
        b"GET /" + b"y" * 33_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 100 + b"\r\n",
    ],
)
def test_a_head_out_of_bounds_is_refused_however_it_comes(sent: bytes) -> None:
    for pieces in ([sent], [sent[:100], sent[100:]]):
        connection, found = parse(*pieces)
        assert isinstance(found[-1], h11.RemoteProtocolError)
        assert (connection.refusal.status, connection.refusal.code) == (431, "head_too_large")


@pytest.mark.parametrize(
    "more",
    [
        b"0\r\nX: " + b"y" * 17_000 + b"\r\n\r\n",
        b"0\r\n" + b"X: y\r\n" * 3000 + b"\r\n",
        b"0\r\n" + b"X: y\r\n" * 6000,
        b"1;" + b"y" * 17_000 + b"\r\nx\r\n0\r\n\r\n",
        b"1;" + b"y" * 40_000,
        (b"4000;" + b"y" * 1000 + b"\r\n" + b"x" * 0x4000 + b"\r\n") * 20,
    ],
)
def test_trailers_and_chunk_extensions_out_of_bounds_are_refused(more: bytes) -> None:
    for pieces in ([CHUNKED + more], [CHUNKED, *(more[i : i + 700] for i in range(0, len(more), 700))]):
        connection, found = parse(*pieces)
        assert isinstance(found[-1], h11.RemoteProtocolError), found[-1]
        assert (connection.refusal.status, connection.refusal.code) == (431, "trailers_too_large")


def test_a_body_in_too_many_chunks_is_refused() -> None:
    connection, found = parse(CHUNKED + b"1\r\nx\r\n" * 500, bounds=HttpBounds(chunks=400))
    assert isinstance(found[-1], h11.RemoteProtocolError)
    assert (connection.refusal.status, connection.refusal.code) == (413, "too_large")


def test_a_turn_ends_and_goes_on() -> None:
    connection = BoundedConnection(HttpBounds())
    connection.receive_data(CHUNKED + b"1\r\nx\r\n" * 200 + b"0\r\n\r\n")
    events = 0
    while connection.next_event() is not h11.NEED_DATA:
        events += 1
    assert (events, connection.unfinished) == (EVENTS_A_TURN, True)
    connection.begin_turn()
    assert isinstance(connection.next_event(), h11.Data)


def test_an_answer_before_the_whole_body_says_that_the_connection_closes() -> None:
    for body, closes in ((b"{", True), (b"{}", False)):
        connection, _ = parse(HEAD + b"Content-Length: 2\r\n\r\n" + body)
        raw = connection.send(h11.Response(status_code=401, headers=[("content-length", "0")], reason=b"Unauthorized"))
        assert (b"connection: close" in raw) is closes


def test_a_waiting_connection_is_one_without_a_byte() -> None:
    assert parse()[0].waits()
    assert not parse(b"GET")[0].waits()
    assert not parse(HEAD + b"\r\n")[0].waits()
