"""Start and stop: the door is shut without a key, a stop loses nothing, a kill loses nothing that was acknowledged."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from penjing.core.errors import UsageError
from penjing.serve import run
from penjing.serve.run import bind, check_exposure
from penjing.serve.settings import Settings
from penjing.store import audit
from penjing.store.database import open_store
from penjing.store.records import scan_records


def _acknowledged_under_load(running, end: int) -> tuple[set[str], list[int], int]:
    """Ids that clients were told of until the server ended by this signal, other statuses, exit code."""
    told: set[str] = set()
    others: list[int] = []
    enough = threading.Event()

    def ask() -> None:
        with contextlib.suppress(httpx.TransportError), httpx.Client(trust_env=False, timeout=10) as client:
            while True:
                headers = {"X-API-Key": running.keys["both"]}
                answer = client.post(f"{running.url}/v1/decide", json={"text": "win cash now"}, headers=headers)
                if answer.status_code == 200:
                    told.add(answer.json()["id"])
                else:
                    others.append(answer.status_code)
                if len(told) > 60:
                    enough.set()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    assert enough.wait(30)
    code = running.stop(end)
    for thread in threads:
        thread.join(20)
    return told, others, code


@pytest.mark.slow
@pytest.mark.parametrize(("end", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 0), (signal.SIGKILL, -9)])
def test_what_was_acknowledged_is_on_record_however_it_ends(server, end: int, code: int) -> None:
    running = server()
    told, others, ended = _acknowledged_under_load(running, end)
    assert ended == code
    assert set(others) <= {503}
    store = open_store(running.db)
    recorded = {record.id for record in scan_records(store)}
    store.close()
    assert told <= recorded
    if end != signal.SIGKILL:
        assert recorded == told


@pytest.mark.slow
def test_a_running_request_ends_before_the_stop(server) -> None:
    running = server()
    host, port = running.url.removeprefix("http://").split(":")
    body = json.dumps({"items": [{"text": f"message {n} " * 300} for n in range(60)]}).encode()
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        head = f"POST /v1/decide HTTP/1.1\r\nHost: x\r\nX-API-Key: {running.keys['both']}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body[:-1])
        running.ask("GET", "/healthz")
        running.process.send_signal(signal.SIGTERM)
        connection.sendall(body[-1:])
        got = b""
        while block := connection.recv(65536):
            got += block
    assert got.startswith(b"HTTP/1.1 200 ")
    assert running.process.wait(30) == 0
    store = open_store(running.db)
    assert len(list(scan_records(store))) == 60
    store.close()


@pytest.mark.slow
def test_a_locked_database_is_told_and_nothing_is_acknowledged(strict) -> None:
    running = strict
    assert running.decide(text="x")["id"]
    store = open_store(running.db)
    with store.write():  # another program holds the lock for longer than the service waits
        answer = running.ask("POST", "/v1/decide", json={"text": "x"})
    store.close()
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "store"
    assert "locked" in answer.json()["error"]["message"]
    ends = time.monotonic() + 3  # refused until a test write has succeeded, which is tried five times a second
    while running.ask("POST", "/v1/decide", json={"text": "x"}).status_code == 503 and time.monotonic() < ends:
        time.sleep(0.1)
    assert running.decide(text="x")["id"]


@pytest.mark.slow
def test_without_keys_only_this_machine_may_ask(server) -> None:
    running = server("--no-key")
    assert running.ask("POST", "/v1/decide", key=None, json={"text": "x"}).status_code == 200
    for method, path in (
        ("POST", "/v1/decide"),
        *(("GET", f"/{name}") for name in ("healthz", "readyz", "metrics", "x")),
    ):
        running.ask(method, path, key=None)  # states are kept for a second: they are not given to anybody from there
        answer = running.ask(method, path, key=None, headers={"Host": "evil.example:80"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "host")


@pytest.mark.slow
def test_a_closed_terminal_does_not_stop_the_service(server) -> None:
    running = server()
    for _ in range(3):
        running.process.send_signal(signal.SIGHUP)
    assert running.decide(text="win cash now")["id"]
    assert running.stop() == 0


@pytest.mark.slow
def test_a_key_file_that_is_not_written_is_told(server, tmp_path: Path) -> None:
    running = server("--key-file", tmp_path / "key")
    assert running.stop() == 0
    assert not (tmp_path / "key").exists()
    told = (tmp_path / "served0" / "stderr").read_text()
    assert f"{tmp_path / 'key'} is not written: the database has keys already" in told


@pytest.mark.slow
def test_what_a_stop_cuts_off_is_told_in_the_one_form(server) -> None:
    running = server(env={"PENJING_STOP_SECONDS": "1", "PENJING_BODY_SECONDS": "30"})
    host, port = running.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        head = f"POST /v1/decide HTTP/1.1\r\nHost: x\r\nX-API-Key: {running.keys['both']}\r\n"
        connection.sendall((head + "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{").encode())
        running.ask("GET", "/healthz")
        running.process.send_signal(signal.SIGTERM)
        got = b""
        while block := connection.recv(65536):
            got += block
    assert got.startswith(b"HTTP/1.1 503 "), got
    assert json.loads(got.split(b"\r\n\r\n", 1)[1])["error"]["code"] == "stopping"
    assert running.process.wait(30) == 0


def test_connections_follow_the_limit_of_open_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run.resource, "getrlimit", lambda _: (256, 256))
    monkeypatch.setattr(run.resource, "setrlimit", lambda *_: None)
    limits = run.http_limits(Settings(max_connections=1000, head_seconds=3))
    assert (limits.connections, limits.head_seconds) == (128, 3)
    monkeypatch.setattr(run.resource, "getrlimit", lambda _: (100_000, 100_000))
    assert run.http_limits(Settings(max_connections=1000)).connections == 1000


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_the_door_beyond_this_machine_needs_a_key(host: str) -> None:
    with pytest.raises(UsageError, match="there is no key yet"):
        check_exposure(host, keyless=False, keys=0)
    with pytest.raises(UsageError, match="listens on this machine alone"):
        check_exposure(host, keyless=True, keys=1)
    check_exposure(host, keyless=False, keys=1)
    with pytest.raises(UsageError, match="is not an address"):
        check_exposure("example", keyless=False, keys=1)


def test_a_taken_port_is_told() -> None:
    with bind("127.0.0.1", 0) as taken, pytest.raises(UsageError, match="cannot listen on") as caught:
        bind("127.0.0.1", taken.getsockname()[1])
    assert "--port" in str(caught.value)


@pytest.mark.slow
def test_the_first_key_goes_to_the_terminal_once(tiny_release, tmp_path: Path) -> None:
    def once() -> tuple[str, str]:
        command = [sys.executable, "-m", "penjing", "serve", str(tiny_release.folder), "--port", "0"]
        process = subprocess.Popen(
            [*command, "--db", f"sqlite:///{tmp_path / 'x.db'}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        process.send_signal(signal.SIGTERM)
        told = process.communicate(timeout=30)[1]
        assert process.returncode == 0
        return url, told

    _, told = once()
    key = told.split("key (shown this once): ")[1].split()[0]
    assert f"Authorization: Bearer {key}" in told
    assert "key (shown" not in once()[1]
    store = open_store(f"sqlite:///{tmp_path / 'x.db'}")
    assert [entry["kind"] for entry in audit.entries(store)] == ["key created", "release"]
    store.close()


def test_an_exchanged_release_is_told_or_refused(penjing, tiny_release, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(tiny_release.folder, damaged)
    (damaged / "policy" / "rules.csv").write_text("name,then,why\nx,review,y\n")
    ran = penjing("serve", damaged, "--port", 0)
    assert ran.code == 5
    assert "'policy/rules.csv' was changed" in ran.err
    ran = penjing("serve", tiny_release.folder, "--port", 0, "--expect", "0123456789ab")
    assert ran.code == 5
    assert f"this release is {tiny_release.id[:12]}, not the expected 0123456789ab" in ran.err
