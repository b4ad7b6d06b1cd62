"""The started service that the attacks in bench/attack_*.py run against.

`start(release, folder)` runs `penjing serve` in a process of its own: on loopback, on a free port, with a new SQLite
database and a key of both scopes. It waits for /readyz, yields a `Target`, and stops the process at the end.
"""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from penjing.make.run import make_release
from penjing.store.database import open_store
from penjing.store.keys import create_key

READY_SECONDS = 60.0
ANSWER_SECONDS = 30.0
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_RECIPE = """\
name: attacked
language: mixed
data: {files: rows.csv, text: text, label: label}
steps:
  - tune.linear: {}
gates: {keep: 0.5, unproven: allow}
decide: {max_error: 0.2, audit: 0.3}
threads: 1
"""
_WORDS = {
    "spam": ("free prize", "win cash now", "claim your reward", "urgent offer", "免费领奖", "点击链接中奖", "限时优惠"),
    "ham": ("see you at lunch", "call me later", "meeting at three", "thanks mum", "晚上一起吃饭", "明天开会", "收到"),
}


@dataclass(frozen=True)
class Verdict:
    """What one attack found: whether the service held, and what was seen."""

    held: bool
    said: str


@dataclass
class Target:
    """A running service; `db` is the database's file, and `key` a secret with both scopes (empty with --no-key)."""

    url: str
    host: str
    port: int
    folder: Path
    db: Path
    key: str
    process: subprocess.Popen[str]
    environment: dict[str, str] = field(default_factory=dict)

    def post(
        self, path: str, body: object, *, key: str | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any, float]:
        """(status, parsed JSON or None, seconds) of a POST; `key=""` sends none, bytes are sent as they are."""
        data = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        return self.ask("POST", path, data, key=key, headers={"Content-Type": "application/json", **(headers or {})})

    def get(
        self, path: str, *, key: str | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any, float]:
        """(status, parsed JSON or None, seconds) of a GET."""
        return self.ask("GET", path, None, key=key, headers=headers)

    def ask(
        self, method: str, path: str, data: bytes | None, *, key: str | None, headers: Mapping[str, str] | None
    ) -> tuple[int, Any, float]:
        """One request on a connection of its own; status 0 where no answer came."""
        secret = self.key if key is None else key
        sent = {**({"Authorization": f"Bearer {secret}"} if secret else {}), **(headers or {})}
        request = urllib.request.Request(self.url + path, data=data, headers=sent, method=method)
        began = time.perf_counter()
        try:
            with _OPENER.open(request, timeout=ANSWER_SECONDS) as answer:
                status, raw = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                status, raw = error.code, error.read()
        except OSError as error:
            status, raw = 0, json.dumps({"error": {"code": "no answer", "message": repr(error)[:200]}}).encode()
        seconds = time.perf_counter() - began
        with suppress(ValueError):
            return status, json.loads(raw), seconds
        return status, None, seconds

    def connect(self, seconds: float = 5.0) -> socket.socket:
        """A bare TCP connection; every call on it waits at most so long."""
        return socket.create_connection((self.host, self.port), timeout=seconds)

    def alive(self) -> bool:
        """Whether the process runs and says that it lives."""
        return self.process.poll() is None and self.get("/healthz", key="")[0] == 200

    def memory(self) -> int:
        """Resident memory of the service, in bytes (Linux)."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def descriptors(self) -> int:
        """File descriptors that the service holds open (Linux)."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def log(self) -> str:
        """What the service has written to standard error so far."""
        return (self.folder / "stderr.txt").read_text(encoding="utf-8", errors="replace")

    def stop(self, number: int = signal.SIGTERM, seconds: float = 60.0) -> int:
        """Send a signal and wait for the end; returns the exit code. Does nothing where it has ended."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(seconds)


@contextmanager
def start(release: Path, folder: Path, *, options: tuple[str, ...] = (), **environment: str) -> Iterator[Target]:
    """A service with a new database in `folder`, or with the one that is there; `environment` holds PENJING_NAME=…"""
    folder.mkdir(parents=True, exist_ok=True)
    database = folder / "attacked.db"
    keyless = "--no-key" in options
    target = launch(release, folder, database, "" if keyless else make_key(database), options, environment)
    try:
        wait_until_ready(target)
        yield target
    finally:
        with suppress(subprocess.TimeoutExpired):
            target.stop(seconds=45)
        if target.process.poll() is None:
            target.process.kill()
            target.process.wait(10)
        if target.process.stdout is not None:
            target.process.stdout.close()


def launch(
    release: Path, folder: Path, database: Path, key: str, options: tuple[str, ...], environment: Mapping[str, str]
) -> Target:
    """Start the process and read its address; the caller stops it."""
    command = [sys.executable, "-m", "penjing", "serve", str(release), "--port", "0", "--db", f"sqlite:///{database}"]
    given = {**os.environ, "OMP_NUM_THREADS": "1", "PENJING_CACHE": str(folder / "cache"), **environment}
    with (folder / "stderr.txt").open("a", encoding="utf-8") as log:
        process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=log, text=True, env=given)
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        said = (folder / "stderr.txt").read_text(encoding="utf-8", errors="replace")
        raise RuntimeError(f"the service did not start: exit {process.wait()}: {said[-2000:]}")
    url = json.loads(line)["url"]
    host, port = url.removeprefix("http://").rsplit(":", 1)
    return Target(url, host, int(port), folder, database, key, process, dict(environment))


def make_key(database: Path, scopes: tuple[str, ...] = ("decide", "read")) -> str:
    """A new key in this database, which is made where there is none."""
    store = open_store(f"sqlite:///{database}")
    try:
        return create_key(store, "attack", scopes)[1]
    finally:
        store.close()


def wait_until_ready(target: Target) -> None:
    """Return once /readyz answers 200. Raises RuntimeError where it does not within a minute."""
    ends = time.monotonic() + READY_SECONDS
    while time.monotonic() < ends and target.process.poll() is None:
        if target.get("/readyz", key="")[0] == 200:
            return
        time.sleep(0.1)
    raise RuntimeError(f"the service is not ready: {target.log()[-2000:]}")


def small_release(folder: Path) -> Path:
    """The folder of a small linear release, made in `folder` as `penjing make` makes it; some ten seconds."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = random.Random(0)
    with (folder / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["text", "label"])
        for number in range(600):
            label = ("ham", "spam")[number % 2]
            other = drawn.choice(_WORDS["ham"] + _WORDS["spam"])
            rows.writerow([f"{drawn.choice(_WORDS[label])} {other} {drawn.randrange(10_000)}", label])
    (folder / "recipe.yaml").write_text(_RECIPE, encoding="utf-8")
    made = make_release(folder / "recipe.yaml", folder / "out")
    if made.release is None:
        raise RuntimeError(f"the small release was refused: {made.refused}")
    return made.release.folder
