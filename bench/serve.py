"""Claim: the service holds 150 decisions a second over HTTP on two cores for 60 s without an error.

    python bench/serve.py RELEASE [TEXTS] [--rate 150] [--seconds 60] [--evidence] [--results FILE]

Starts the real server (`penjing serve`) on loopback with a fresh database, and asks it from this process in an open
loop: a request is sent at its planned moment, whether earlier ones are answered or not, and its latency counts from
that moment (so a stall is not hidden: "coordinated omission", Gil Tene, 2013). With --evidence it searches the rate
that holds: the highest step without an error, with at least 97 % of the planned answers within the time, and with a
p99 under half a second. Writes bench/results/serve.json (or serve-evidence.json).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from penjing.core.artifact import open_release
from penjing.core.machine import cpu_name, instruction_set
from penjing.data.read import read_rows

CONNECTIONS = 32
EVIDENCE_STEPS = (5, 10, 15, 20, 25, 30, 40, 50, 60, 80, 100, 125, 150)
HOLDS_P99_MS = 500.0


@dataclass
class Load:
    """What one run of the load saw; latencies in milliseconds from the planned moment to the last byte."""

    rate: float
    seconds: float
    sent: int
    answered: int
    errors: int
    achieved: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float
    first_error: str = ""

    def holds(self) -> bool:
        """Whether this rate is one that the service keeps up."""
        return self.errors == 0 and self.achieved >= 0.97 * self.rate and self.p99_ms <= HOLDS_P99_MS


class Connection:
    """One HTTP/1.1 connection; a bare reader, so that the load costs less than what it measures."""

    def __init__(self, host: str, port: int, key: str) -> None:
        self._host, self._port = host, port
        self._head = f"POST /v1/decide HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\n"
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, body: bytes) -> tuple[int, bytes]:
        """(status, body) of one decision."""
        if self._writer is None or self._reader is None:
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        head = f"{self._head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self._writer.write(head.encode() + body)
        answer = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(answer.split("content-length: ")[1].split("\r\n")[0])
        return int(answer.split(" ", 2)[1]), await self._reader.readexactly(length)

    def close(self) -> None:
        """Give the socket back; the next `ask` opens another."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None


async def drive(url: str, key: str, bodies: list[bytes], rate: float, seconds: float) -> Load:
    """An open loop of `rate` requests a second."""
    host, port = url.removeprefix("http://").rsplit(":", 1)
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        free.put_nowait(Connection(host, int(port), key))
    times: list[float] = []
    errors: list[str] = []

    async def one(body: bytes, planned: float) -> None:
        connection = await free.get()
        try:
            status, answer = await connection.ask(body)
            times.append((time.perf_counter() - planned) * 1e3)
            if status != 200:
                errors.append(f"{status} {answer[:200].decode(errors='replace')}")
        except (OSError, asyncio.IncompleteReadError) as error:
            errors.append(repr(error))
            connection.close()
        finally:
            free.put_nowait(connection)

    began = time.perf_counter()
    tasks = []
    for number in range(round(rate * seconds)):
        planned = began + number / rate
        if (wait := planned - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        tasks.append(asyncio.create_task(one(bodies[number % len(bodies)], planned)))
    await asyncio.gather(*tasks)
    spent = time.perf_counter() - began
    while not free.empty():
        free.get_nowait().close()
    ordered = sorted(times) or [float("nan")]
    at = {share: ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in (0.5, 0.9, 0.99)}
    return Load(
        rate=rate,
        seconds=round(spent, 2),
        sent=len(tasks),
        answered=len(times),
        errors=len(errors),
        achieved=round((len(times) - len(errors)) / max(spent, seconds), 1),
        p50_ms=round(at[0.5], 2),
        p90_ms=round(at[0.9], 2),
        p99_ms=round(at[0.99], 2),
        max_ms=round(ordered[-1], 2),
        first_error=errors[0] if errors else "",
    )


def start(release: Path, database: Path, key_file: Path) -> tuple[subprocess.Popen[str], str]:
    """The real server in a process of its own; returns it and its URL."""
    command = [sys.executable, "-m", "penjing", "serve", str(release), "--port", "0", "--key-file", str(key_file)]
    command += ["--db", f"sqlite:///{database}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        sys.exit(f"the server did not start: exit {process.wait()}")
    return process, json.loads(line)["url"]


def bodies_of(texts: Path | None, release: Path, evidence: bool) -> list[bytes]:
    """Requests from the texts of a file, or of the release's regression suite."""
    rows = (cells["text"] for _, cells in read_rows(texts or release / "regression.jsonl") if cells.get("text"))
    found = [json.dumps({"text": text, "evidence": evidence}, ensure_ascii=False).encode() for text in rows]
    if not found:
        sys.exit("there are no texts to ask with; give a file that has a column `text`")
    return found


async def search(url: str, key: str, bodies: list[bytes], seconds: float) -> tuple[Load | None, list[Load]]:
    """The highest step that holds, and all steps that were tried."""
    best, tried = None, []
    for rate in EVIDENCE_STEPS:
        load = await drive(url, key, bodies, rate, seconds)
        tried.append(load)
        tell(load)
        if not load.holds():
            break
        best = load
    return best, tried


def cpu_seconds(process: int) -> float:
    """Processor time of a process so far, in seconds, all of its threads together."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def tell(load: Load) -> None:
    """One line for a person."""
    print(
        f"{load.rate:g}/s asked for {load.seconds:g} s: {load.achieved:g}/s answered, {load.errors} errors, "
        f"p50 {load.p50_ms:g} ms, p99 {load.p99_ms:g} ms, max {load.max_ms:g} ms {load.first_error}".rstrip()
    )


def main() -> None:
    """Run the load and write the result; exits 1 where the promised rate does not hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("release", type=Path)
    parser.add_argument("texts", type=Path, nargs="?")
    parser.add_argument("--rate", type=float, default=150)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--evidence", action="store_true")
    parser.add_argument("--results", type=Path, help="where to write instead")
    given = parser.parse_args()
    opened = open_release(given.release)
    bodies = bodies_of(given.texts, given.release, given.evidence)
    result: dict[str, Any] = {
        "release": opened.id,
        "name": opened.info.name,
        "engine": opened.artifact.card.form,
        "texts": len(bodies),
        "mean_characters": round(sum(len(json.loads(body)["text"]) for body in bodies) / len(bodies), 1),
        "cores": os.cpu_count(),
        "machine": cpu_name(),
        "instruction_set": instruction_set(),
        "connections": CONNECTIONS,
    }
    with tempfile.TemporaryDirectory() as folder:
        process, url = start(given.release, Path(folder) / "bench.db", Path(folder) / "key")
        try:
            key = (Path(folder) / "key").read_text().strip()
            warm = asyncio.run(drive(url, key, bodies, min(given.rate, 20), 2))
            if warm.errors:
                sys.exit(f"the service answers with an error: {warm.first_error}")
            if given.evidence:
                best, tried = asyncio.run(search(url, key, bodies, min(given.seconds, 15)))
                result |= {"holds": best.rate if best else 0, "steps": [asdict(load) for load in tried]}
                print(f"with evidence {result['holds']:g} decisions a second hold")
            else:
                before = cpu_seconds(process.pid)
                load = asyncio.run(drive(url, key, bodies, given.rate, given.seconds))
                tell(load)
                spent = (cpu_seconds(process.pid) - before) * 1e3 / max(1, load.answered)
                print(f"the server took {spent:.2f} ms of processor time a decision")
                result |= {"holds": load.holds(), "cpu_ms_per_decision": round(spent, 3), "load": asdict(load)}
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(60)
    if code != 0:
        sys.exit(f"the server ended with {code}")
    target = given.results or Path(__file__).parent / "results" / (
        "serve-evidence.json" if given.evidence else "serve.json"
    )
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if not result["holds"]:
        sys.exit(1)


if __name__ == "__main__":
    main()
