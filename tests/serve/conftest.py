"""The real server in a process of its own, on a real socket."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from penjing.core.nouns import Release
from penjing.store.database import open_store
from penjing.store.keys import create_key


@dataclass
class Served:
    """A running server."""

    url: str
    db: str
    process: subprocess.Popen[str]
    keys: dict[str, str]

    def ask(self, method: str, path: str, *, key: str | None = "both", **more: Any) -> httpx.Response:
        """One request with one of the keys `both`, `decide`, `read`, or with none."""
        headers = {**({"Authorization": f"Bearer {self.keys[key]}"} if key else {}), **more.pop("headers", {})}
        with httpx.Client(trust_env=False, timeout=30) as client:
            return client.request(method, self.url + path, headers=headers, **more)

    def decide(self, **body: Any) -> dict[str, Any]:
        """One decision that must succeed."""
        answer = self.ask("POST", "/v1/decide", json=body)
        assert answer.status_code == 200, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def raw(self, sent: bytes, *, more: Callable[[socket.socket], None] | None = None) -> bytes:
        """All that the server answers to these bytes, until it closes or is silent for two seconds."""
        host, port = self.url.removeprefix("http://").split(":")
        got = b""
        with socket.create_connection((host, int(port)), timeout=2) as connection:
            with contextlib.suppress(OSError):
                connection.sendall(sent)
                if more is not None:
                    more(connection)
            with contextlib.suppress(OSError):
                while block := connection.recv(65536):
                    got += block
        return got

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end."""
        self.process.send_signal(number)
        return self.process.wait(30)


def start(release: Release, folder: Path, *options: object, env: dict[str, str] | None = None) -> Served:
    """Start `penjing serve` on a free port with three keys in its database."""
    db = f"sqlite:///{folder / 'served.db'}"
    store = open_store(db)
    keys = {name: create_key(store, name, scopes)[1] for name, scopes in _SCOPES.items()}
    store.close()
    command = [sys.executable, "-m", "penjing", "serve", str(release.folder), "--port", "0", "--db", db]
    process = subprocess.Popen(
        [*command, *map(str, options)],
        stdout=subprocess.PIPE,
        stderr=(folder / "stderr").open("w"),
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PENJING_STATE_SECONDS": "0", **(env or {})},
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line.startswith("{"):
        process.kill()
        pytest.fail(f"the service printed {line!r}: " + (folder / "stderr").read_text())
    return Served(json.loads(line)["url"], db, process, keys)


_SCOPES = {"both": ["decide", "read"], "decide": ["decide"], "read": ["read"]}


@pytest.fixture(scope="session")
def served(tiny_release: Release, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for the tests that leave it whole."""
    running = start(tiny_release, tmp_path_factory.mktemp("served"))
    yield running
    assert running.stop() == 0
    assert running.process.stdout is not None
    running.process.stdout.close()


@pytest.fixture(scope="session")
def strict(tiny_release: Release, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server with bounds that a test can reach."""
    env = {"PENJING_BODY_SECONDS": "0.3", "PENJING_MAX_WAITING": "8", "PENJING_LONG_WAITING": "8"}
    running = start(tiny_release, tmp_path_factory.mktemp("strict"), env=env)
    yield running
    assert running.stop() == 0
    assert running.process.stdout is not None
    running.process.stdout.close()


@pytest.fixture
def server(tiny_release: Release, tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Start servers of a test's own; what still runs at its end is killed."""
    running: list[Served] = []

    def begin(*options: object, env: dict[str, str] | None = None) -> Served:
        folder = tmp_path / f"served{len(running)}"
        folder.mkdir()
        running.append(start(tiny_release, folder, *options, env=env))
        return running[-1]

    yield begin
    for one in running:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait(10)
        assert one.process.stdout is not None
        one.process.stdout.close()


@pytest.fixture(scope="session")
def tenants(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Release]:
    """Three releases on one base."""
    from tests.serve.tenant_releases import made_releases

    return made_releases(tiny_base, tmp_path_factory.mktemp("tenants"))
