"""Raw HTTP over sockets on loopback, as an attacker sends it, and checks of the answers."""

from __future__ import annotations

import contextlib
import json
import re
import resource
import socket
import time
from collections.abc import Iterator
from typing import Any

from attack_target import Target, Verdict

_ANSWER = re.compile(rb"HTTP/1\.1 [0-9]{3} ")


def head(
    target: Target, *lines: str, path: str = "/v1/decide", host: str = "Host: attacked", key: bool = True
) -> bytes:
    """The head of a POST of JSON, with these further lines."""
    all_lines = [f"POST {path} HTTP/1.1", host, "Content-Type: application/json", *lines]
    if key and target.key:
        all_lines.append(f"Authorization: Bearer {target.key}")
    return ("\r\n".join(line for line in all_lines if line) + "\r\n\r\n").encode("latin-1")


def talk(
    target: Target, *pieces: bytes, seconds: float = 4.0, pause: float = 0.05, quiet: float = 60.0
) -> tuple[bytes, bool]:
    """(all that came back, whether the service closed) after sending these pieces.

    Ends after so many seconds, or once an answer has come and nothing more for `quiet` seconds.
    """
    got, last, until = b"", time.monotonic(), time.monotonic() + seconds
    with target.connect(min(0.2, quiet)) as connection:
        with contextlib.suppress(OSError):
            for number, piece in enumerate(pieces):
                if number:
                    time.sleep(pause)
                connection.sendall(piece)
        while time.monotonic() < until:
            try:
                block = connection.recv(65536)
            except TimeoutError:
                if got and time.monotonic() > last + quiet:
                    break
                continue
            except OSError:
                return got, True
            if not block:
                return got, True
            got, last = got + block, time.monotonic()
    return got, False


def status_of(raw: bytes) -> int:
    """The status of the first answer in these bytes; 0 where there is none."""
    parts = raw[:40].split(b" ", 2)
    return int(parts[1]) if raw.startswith(b"HTTP/1.1 ") and len(parts) > 1 and parts[1].isdigit() else 0


def answers(raw: bytes) -> int:
    """How many answers begin in these bytes."""
    return len(_ANSWER.findall(raw))


def error_of(raw: bytes) -> dict[str, Any]:
    """The error of an answer in the one form; empty where it is none."""
    with contextlib.suppress(ValueError, KeyError, IndexError, TypeError):
        error = json.loads(raw.split(b"\r\n\r\n", 1)[1])["error"]
        if set(error) == {"type", "code", "message", "fix"}:
            return dict(error)
    return {}


class Sum:
    """Collects what was seen, and whether all of it held."""

    def __init__(self) -> None:
        self.held, self._said = True, list[str]()

    def see(self, held: bool, said: str) -> None:
        """Note one observation; those that broke come first in the words."""
        self.held &= held
        self._said.append(said) if held else self._said.insert(0, f"NOT HELD: {said}")

    def verdict(self) -> Verdict:
        """All of it."""
        return Verdict(self.held, "; ".join(self._said))


@contextlib.contextmanager
def crowd(target: Target, count: int, sent: bytes) -> Iterator[list[socket.socket]]:
    """So many connections that have sent these bytes, as far as this process may open them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + 200
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if hard < 0 else min(wanted, hard), hard))
    with contextlib.ExitStack() as stack:
        opened = []
        for _ in range(count):
            with contextlib.suppress(OSError):
                connection = stack.enter_context(target.connect(2.0))
                connection.sendall(sent)
                opened.append(connection)
        yield opened
