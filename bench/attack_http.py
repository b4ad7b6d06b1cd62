"""Attacks on the HTTP layer: malformed, slow and partial requests over raw sockets on loopback.

Each starts a service of its own (with short deadlines, where one is tested), sends a bounded load, and takes a few
seconds. `python bench/attack.py` runs them all.
"""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from attack_target import Target, Verdict, start
from raw_http import Sum, answers, crowd, error_of, head, status_of, talk

CROWD = 1000
MIB = 1024 * 1024
HEALTH_SECONDS, GROWN_MIB = 1.0, 64
_TEXT = json.dumps({"text": "win cash now"}).encode()
_SHORT = {"PENJING_HEAD_SECONDS": "1", "PENJING_BODY_SECONDS": "1", "PENJING_IDLE_SECONDS": "1"}
_STATES = ("/healthz", "/readyz", "/metrics", "/openapi.json")


def framing(release: Path, folder: Path) -> Verdict:
    """Trailers, chunk extensions and chunks without end, without a key."""
    found = Sum()
    with start(release, folder) as target:
        before, slowest = target.memory(), 0.0
        chunked = head(target, "Transfer-Encoding: chunked", path="/v1/predict")
        unkeyed = head(target, "Transfer-Encoding: chunked", key=False)
        for name, begin, piece, count in (
            ("trailers", chunked + b"0\r\n", b"X-Trailer: " + b"y" * 1000 + b"\r\n", 60_000),
            ("one trailer", chunked + b"0\r\nX: ", b"y" * 65536, 1000),
            ("chunk extensions", chunked, b"1;" + b"y" * 4000 + b"\r\n \r\n", 15_000),
            ("one extension", chunked + b"1;", b"y" * 65536, 1000),
            ("trailers without a key", unkeyed + b"0\r\n", b"X-Trailer: " + b"y" * 1000 + b"\r\n", 60_000),
        ):
            sent, raw = _pour(target, begin, piece, count)
            slowest = max(slowest, target.get("/healthz", key="")[2])
            # A reset may overtake the answer where a client sends on and on without reading.
            held = status_of(raw) in (401, 413, 431, 0) and sent < 32 * MIB
            found.see(held, f"{name}: {status_of(raw) or 'closed'} after {sent / MIB:.1f} MiB")
        long = b"y" * 60_000 + b"\r\n"
        for name, more in (
            ("a whole trailer", b"0\r\nX: " + long + b"\r\n"),
            ("an extension", b"1;" + long + b"x\r\n"),
        ):
            raw, closed = talk(target, chunked, more)
            found.see(status_of(raw) == 431 and closed and bool(error_of(raw)), f"{name} of 60 kB: {status_of(raw)}")
        grown = (target.memory() - before) / MIB
        found.see(grown < GROWN_MIB, f"memory grew by {grown:.0f} MiB")
        found.see(slowest < HEALTH_SECONDS, f"slowest health check {slowest * 1000:.0f} ms")
    return found.verdict()


def _pour(target: Target, begin: bytes, piece: bytes, count: int) -> tuple[int, bytes]:
    """(bytes that were taken, what came back) of one piece sent so many times, until the service closes."""
    sent, got, ends = 0, b"", time.monotonic() + 3.0
    block = piece * max(1, 65536 // len(piece))
    with target.connect(0.5) as connection, contextlib.suppress(OSError):
        connection.sendall(begin)
        while sent < count * len(piece) and time.monotonic() < ends:
            connection.sendall(block)
            sent += len(block)
            connection.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                if part := connection.recv(65536):
                    got += part
                    break
            connection.settimeout(0.5)
    return sent, got


def small_chunks(release: Path, folder: Path) -> Verdict:
    """Bodies in chunks of one byte, which are slow to parse, beside health checks."""
    found = Sum()
    with start(release, folder) as target:
        body = b"1\r\n \r\n" * 40_000
        for name, keyed in (("without a key", False), ("with a key", True)):
            sent = head(target, "Transfer-Encoding: chunked", key=keyed) + body
            with contextlib.ExitStack() as stack:
                opened = [stack.enter_context(target.connect(2.0)) for _ in range(20)]
                for connection in opened:
                    connection.setblocking(False)
                    with contextlib.suppress(OSError):
                        connection.send(sent)
                slowest = max(target.get("/healthz", key="")[2] for _ in range(20))
            found.see(slowest < HEALTH_SECONDS, f"{name}: slowest health check {slowest * 1000:.0f} ms")
        whole = b"".join(b"1\r\n%c\r\n" % byte for byte in _TEXT) + b"0\r\n\r\n"
        raw, _ = talk(target, head(target, "Transfer-Encoding: chunked", "Connection: close") + whole)
        found.see(status_of(raw) == 200, f"a whole body in such chunks: {status_of(raw)}")
    return found.verdict()


def large_heads(release: Path, folder: Path) -> Verdict:
    """Heads over the bound, in one piece and in many."""
    found = Sum()
    with start(release, folder) as target:
        plain = "GET /healthz HTTP/1.1\r\nHost: x\r\n"
        for name, sent in (
            ("one header of 60 kB", f"{plain}X: {'y' * 60_000}\r\n\r\n"),
            ("no end of it", f"{plain}X: {'y' * 60_000}"),
            ("5,000 headers", plain + "X: y\r\n" * 5000 + "\r\n"),
            ("an address of 60 kB", f"GET /{'y' * 60_000} HTTP/1.1\r\nHost: x\r\n\r\n"),
        ):
            raw, closed = talk(target, sent.encode())
            held = status_of(raw) == 431 and closed and error_of(raw).get("code") == "head_too_large"
            found.see(held, f"{name}: {status_of(raw)}, {'closed' if closed else 'open'}")
        sent_bytes, raw = _pour(target, b"GET / HTTP/1.1\r\nHost: x\r\nX: ", b"y" * 65536, 1000)
        found.see(sent_bytes < 16 * MIB, f"without end: {status_of(raw) or 'closed'} after {sent_bytes / MIB:.1f} MiB")
    return found.verdict()


def early_answers(release: Path, folder: Path) -> Verdict:
    """A thousand connections that go on sending after a 401, a 404 or a 413."""
    found = Sum()
    with start(release, folder) as target:
        before = target.descriptors()
        for name, sent in (
            ("401", head(target, "Content-Length: 1000", key=False) + b"{"),
            ("404", head(target, "Content-Length: 1000", path="/none", key=False) + b"{"),
            ("413", head(target, "Content-Length: 99999999") + b"{"),
        ):
            with crowd(target, CROWD // 3, sent) as opened:
                for _ in range(2):
                    for connection in opened:
                        with contextlib.suppress(OSError):
                            connection.send(b"x")
                status, _, seconds = target.post("/v1/decide", {"text": "win cash now"})
                found.see(
                    status == 200, f"{len(opened)} after {name}, a decision meanwhile: {status} in {seconds:.2f} s"
                )
                left = _settled(target, before + 10)
                found.see(left <= before + 10, f"descriptors {before}, then {left}")
    return found.verdict()


def _settled(target: Target, wanted: int, seconds: float = 5.0) -> int:
    """The service's open files once they are so few, or after some seconds."""
    until = time.monotonic() + seconds
    while (left := target.descriptors()) > wanted and time.monotonic() < until:
        time.sleep(0.1)
    return left


def idle_crowds(release: Path, folder: Path) -> Verdict:
    """More connections than there may be, which say nothing, half a head, or a whole request and then nothing."""
    found = Sum()
    with start(release, folder, options=(), PENJING_MAX_CONNECTIONS="200", **_SHORT) as target:
        before = target.descriptors()
        get = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        for name, sent in (("silent", b""), ("half a head", b"GET / HT"), ("idle after an answer", get)):
            with crowd(target, 600, sent) as opened:
                most = target.descriptors()
                status, _, seconds = target.post("/v1/decide", {"text": "win cash now"})
                found.see(
                    status == 200 and seconds < 2, f"{len(opened)} {name}, a decision: {status} in {seconds:.2f} s"
                )
                found.see(most <= before + 220, f"descriptors at most {most}")
                left = _settled(target, before + 10)
                found.see(left <= before + 10, f"then {left}")
    return found.verdict()


def deadlines(release: Path, folder: Path) -> Verdict:
    """Each state of a connection ends: head, body, pause, answer that is not read, end."""
    found = Sum()
    with start(release, folder, options=(), PENJING_WRITE_SECONDS="1", **_SHORT) as target:
        drip = b"X: yyyyyyyyyyyyyyyyyyyyyyyyyy"
        for name, pieces, wanted in (
            ("a silent connection", [b""], 408),
            ("half a head", [b"GET / HTTP/1.1\r\n"], 408),
            ("a head that drips", [bytes([byte]) for byte in b"GET / HTTP/1.1\r\n" + drip], 408),
            ("half a body", [head(target, "Content-Length: 100") + b"{"], 408),
            ("a body that drips", [head(target, "Content-Length: 100"), *(bytes([byte]) for byte in drip)], 408),
            ("a chunked body that drips", [head(target, "Transfer-Encoding: chunked"), *[b"1\r\nx\r\n"] * 30], 408),
            ("a pause after an answer", [b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"], 200),
        ):
            began = time.monotonic()
            raw, closed = talk(target, *pieces, seconds=6)
            seconds = time.monotonic() - began
            found.see(
                closed and status_of(raw) == wanted and seconds < 6, f"{name}: {status_of(raw)} in {seconds:.1f} s"
            )
        before = target.descriptors()
        ask = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
        with crowd(target, 8, b"") as opened:
            for connection in opened:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                connection.setblocking(False)
                with contextlib.suppress(OSError):
                    for _ in range(8):
                        connection.send(ask * 50)
            left = _settled(target, before + 2, 15)
            found.see(left <= before + 2, f"8 that never read: descriptors {before}, then {left}")
    return found.verdict()


def upgrades(release: Path, folder: Path) -> Verdict:
    """Upgrade: h2c and its kind: one request, one answer, the body kept, nothing in it run as a request."""
    found = Sum()
    with start(release, folder) as target:
        inner = head(target, f"Content-Length: {len(_TEXT)}") + _TEXT
        body = json.dumps({"text": "see you at lunch"}).encode()
        expected = 0
        for kind in ("h2c", "websocket", "TLS/1.0"):
            for lines in (
                ["Connection: Upgrade, HTTP2-Settings", f"Upgrade: {kind}", "HTTP2-Settings: AAMAAABkAAQAAP__"],
                [f"Upgrade: {kind}"],
            ):
                whole = head(target, *lines, f"Content-Length: {len(body)}")
                for pieces in ([whole + body], [whole, body]):
                    raw, _ = talk(target, *pieces, quiet=0.2)
                    expected += 1
                    held = answers(raw) == 1 and status_of(raw) == 200 and b"see you" not in raw
                    found.see(held, f"{kind}: {raw.count(b'HTTP/1.1 ')} answer, {status_of(raw)}")
        hidden = head(target, "Connection: Upgrade", "Upgrade: h2c", f"Content-Length: {len(inner)}") + inner
        raw, _ = talk(target, hidden, quiet=0.5)
        found.see(answers(raw) == 1 and status_of(raw) == 400, f"a request in a body: {status_of(raw)}")
        recorded = records(target)
        found.see(recorded == expected, f"{expected} decisions asked for, {recorded} recorded")
    return Verdict(found.held, _brief(found.verdict().said))


def _brief(said: str) -> str:
    return "; ".join(dict.fromkeys(said.split("; ")))


def records(target: Target) -> int:
    """Decisions in the database."""
    with contextlib.closing(sqlite3.connect(f"file:{target.db}?mode=ro", uri=True)) as database:
        return int(database.execute("select count(*) from decisions").fetchone()[0])


def smuggling(release: Path, folder: Path) -> Verdict:
    """Requests that two parsers would cut in two places: refused, closed, and what follows is never run."""
    found = Sum()
    with start(release, folder) as target:
        more = head(target, f"Content-Length: {len(_TEXT)}") + _TEXT
        before = records(target)
        for name, lines in (
            ("a length and chunked", ["Content-Length: 5", "Transfer-Encoding: chunked"]),
            ("two lengths", ["Content-Length: 0", f"Content-Length: {len(more)}"]),
            ("the same length twice", ["Content-Length: 5", "Content-Length: 5"]),
            ("chunked twice", ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"]),
            ("a coding that is not known", ["Transfer-Encoding: xchunked"]),
            ("a space before the colon", ["Transfer-Encoding : chunked"]),
            ("a signed length", ["Content-Length: +5"]),
            ("a bare LF", ["X: y\nContent-Length: 5"]),
            ("a bare CR", ["X: y\rContent-Length: 5"]),
            ("a folded header", ["X: y\r\n Content-Length: 5"]),
            ("a NUL", ["X: y\0z"]),
            ("no Host", ["Content-Length: 0"]),
            ("two Hosts", ["Host: other", "Content-Length: 0"]),
        ):
            host = "" if name == "no Host" else "Host: attacked"
            raw, closed = talk(target, head(target, *lines, host=host) + b"0\r\n\r\n" + more, seconds=1.5)
            held = status_of(raw) == 400 and closed and answers(raw) == 1 and bool(error_of(raw))
            found.see(held, f"{name}: {status_of(raw)}")
        found.see(records(target) == before, f"{records(target) - before} decisions smuggled in")
    return found.verdict()


def foreign_hosts(release: Path, folder: Path) -> Verdict:
    """With --no-key, a page of a browser that reaches this machine by a foreign name."""
    found = Sum()
    with start(release, folder, options=("--no-key",)) as target:
        names = ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "192.168.1.1", "")
        for path in (*_STATES, "/none", "/v1/decisions/x"):
            target.get(path, key="")
            seen = {target.get(path, key="", headers={"Host": name})[0] for name in names}
            found.see(seen == {403}, f"{path}: {sorted(seen)}")
        seen = {target.post("/v1/decide", {"text": "x"}, headers={"Host": name})[0] for name in names}
        found.see(seen == {403}, f"/v1/decide: {sorted(seen)}")
        found.see(target.post("/v1/decide", {"text": "x"})[0] == 200, "by its own name a decision is answered")
    return found.verdict()


def refused_bodies(release: Path, folder: Path) -> Verdict:
    """What is refused is refused in the one form, in words that fit, and repeats little; what is harmless is taken."""
    found = Sum()
    flood = "Q" * 100_000
    with start(release, folder) as target:
        gzip = {"Content-Encoding": "gzip"}
        bodies: list[tuple[str, str, object, dict[str, str], int, str]] = [
            ("gzip", "/v1/decide", b"\x1f\x8b\x08", gzip, 415, "content_encoding"),
            ("a key twice", "/v1/decide", b'{"text": "a", "text": "b"}', {}, 400, "double_key"),
            ("an encoded slash", "/v1%2Fdecide", {"text": "a"}, {}, 400, "bad_path"),
            ("an unknown key", "/v1/decide", {"text": "a", flood: flood}, {}, 422, "bad_request"),
            ("a field", "/v1/decide", {"text": "a", "fields": {flood: [flood]}}, {}, 422, "bad_request"),
            ("a double key", "/v1/decide", f'{{"{flood}": 1, "{flood}": 1}}'.encode(), {}, 400, "double_key"),
            ("no JSON", "/v1/decide", flood.encode(), {}, 400, "bad_json"),
            ("an unknown address", f"/{'Q' * 5000}", {}, {}, 404, "not_found"),
            ("too many texts", "/v1/decide", {"items": ["a"] * 10_000}, {}, 422, "too_many"),
        ]
        for name, path, body, headers, status, code in bodies:
            got, answer, _ = target.post(path, body, headers=headers)
            error = answer.get("error", {}) if isinstance(answer, dict) else {}
            repeated = json.dumps(answer).count("Q")
            found.see(
                (got, error.get("code")) == (status, code) and repeated <= 200, f"{name}: {got}, {error.get('code')}"
            )
        for name, harmless in (
            ("a BOM", b"\xef\xbb\xbf" + _TEXT),
            ("texts alone", {"items": ["win cash now", "see you"]}),
            ("100 texts", {"items": ["win cash now"] * 100}),
        ):
            found.see((got := target.post("/v1/decide", harmless)[0]) == 200, f"{name}: {got}")
        for path in _STATES:
            got = target.ask("HEAD", path, None, key="", headers=None)[0]
            found.see(got == 200, f"HEAD {path}: {got}")
    return found.verdict()


def schema(release: Path, folder: Path) -> Verdict:
    """The schema names the statuses that occur, and how a key is sent."""
    found = Sum()
    with start(release, folder) as target:
        status, told, _ = target.get("/openapi.json", key="")
        found.see(status == 200 and bool(told["components"].get("securitySchemes")), "the schemes of keys")
        occurring = {
            "/v1/decide": {200, 400, 401, 403, 408, 413, 415, 422, 431, 503},
            "/v1/predict": {200, 400, 401, 403, 408, 413, 415, 422, 431, 503},
            "/v1/decisions/{identity}": {200, 401, 403, 404, 431, 503},
            "/v1/decisions/{identity}/replay": {200, 401, 403, 404, 409, 431, 503},
            "/readyz": {200, 431, 503},
        }
        for path, statuses in occurring.items():
            (operation,) = told["paths"][path].values()
            missing = statuses - set(map(int, operation["responses"]))
            found.see(not missing, f"{path}: {'lacks ' + str(sorted(missing)) if missing else 'whole'}")
    return found.verdict()


def hang_up(release: Path, folder: Path) -> Verdict:
    """A SIGHUP, as of a terminal that closes, and a key file beside a database that has keys."""
    found = Sum()
    with start(release, folder, options=("--key-file", str(folder / "key"))) as target:
        for _ in range(3):
            target.process.send_signal(signal.SIGHUP)
            time.sleep(0.1)
        status = target.post("/v1/decide", {"text": "win cash now"})[0]
        found.see(status == 200, f"after SIGHUP a decision: {status}")
        found.see("is not written" in target.log(), "a key file that is not written is told")
        found.see(target.stop() == 0, f"SIGTERM ends it with {target.process.returncode}")
    return found.verdict()


ATTACKS: dict[str, Callable[[Path, Path], Verdict]] = {
    "trailers and chunk extensions": framing,
    "chunks of one byte": small_chunks,
    "large heads": large_heads,
    "early answers": early_answers,
    "crowds of idle connections": idle_crowds,
    "deadlines": deadlines,
    "upgrades": upgrades,
    "smuggling": smuggling,
    "foreign hosts": foreign_hosts,
    "refused bodies": refused_bodies,
    "schema": schema,
    "hang-up": hang_up,
}
