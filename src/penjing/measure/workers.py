"""How many engines run in parallel, and with how many threads each: from a short measurement, kept per machine.

    threads = the fewest with which a text alone takes at most 1.1 times its best;   workers = cores / threads

A small model gains little from a second thread, and two engines of one thread answer two texts at once. The rule
does not sacrifice the latency of a single text for throughput. It does not change answers: engines give the same bits
with any number of threads, or bits within the tolerance of a replay.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import numpy as np

from penjing.core.canon import canonical_json, digest
from penjing.core.folder import write_whole
from penjing.core.machine import hardware
from penjing.core.nouns import Artifact
from penjing.engines.protocol import Device
from penjing.runtime.cascade import CascadeSession
from penjing.runtime.open import open_session
from penjing.runtime.session import Session

SLACK = 1.1
MOST_WORKERS = 8
_LENGTHS, _ROUNDS, _SECONDS = (12, 24, 64), 5, 0.05


@dataclass(frozen=True)
class WorkerLayout:
    """The number of engines, and the threads of each."""

    workers: int
    threads: int


def measured_layout(artifact: Artifact, cores: int, kept: Path | None = None, device: Device = "cpu") -> WorkerLayout:
    """The layout for an artifact on this machine, measured (about a second), or read from the file `kept`.

    A model without tokens gets one engine with all threads, because its arithmetic uses one thread at a time anyway; so
    does a model on a GPU. If the file cannot be read or written, the measurement is only repeated.
    """
    session = open_session(artifact, threads=cores, device=device)
    encoder = session.second if isinstance(session, CascadeSession) else session
    if cores < 2 or device != "cpu" or encoder.tokens is None:
        return WorkerLayout(1, cores)
    facts = {name: fact for name, fact in session.fingerprint().items() if name != "threads"}
    key = digest([artifact.id, hardware(), cores, facts])
    known = _read(kept)
    if key not in known:
        found = asdict(choose(times(encoder.artifact, cores), cores))
        known = {**known, key: found}
        if kept is not None:
            with suppress(OSError):
                kept.parent.mkdir(parents=True, exist_ok=True)
                write_whole(kept, canonical_json(known))
    return WorkerLayout(**known[key])


def times(artifact: Artifact, cores: int) -> dict[int, float]:
    """Seconds of one text (mean over three lengths, median of five turns) by threads: 1, 2, 4, ... and all cores."""
    counts = sorted({*(1 << power for power in range(cores.bit_length()) if 1 << power < cores), cores})
    sessions = {threads: open_session(artifact, threads=threads) for threads in counts}
    found: dict[int, list[float]] = {threads: [] for threads in counts}
    for threads, session in sessions.items():
        _turn(session, 0.0)  # what an engine prepares at its first text is not measured
        found[threads].clear()
    for _ in range(_ROUNDS):
        for threads, session in sessions.items():
            found[threads].append(_turn(session, _SECONDS))
    return {threads: median(each) for threads, each in found.items()}


def choose(found: Mapping[int, float], cores: int) -> WorkerLayout:
    """The layout by the rule above. found: seconds of a text by threads."""
    best = min(found.values())
    threads = min(count for count, seconds in found.items() if seconds <= SLACK * best)
    return WorkerLayout(max(1, min(MOST_WORKERS, cores // threads)), threads)


def _turn(session: Session, seconds: float) -> float:
    """Mean seconds of a run over rows of all lengths, measured for at least `seconds`."""
    tokens = session.tokens
    assert tokens is not None
    body = tokens.encode(["a"])[0]
    rows = [np.resize(body, min(length, tokens.limit)) for length in _LENGTHS]
    began, runs = time.perf_counter(), 0
    while True:
        for row in rows:
            session.engine.run([row])
        runs += len(rows)
        spent = time.perf_counter() - began
        if spent >= seconds:
            return spent / runs


def _read(kept: Path | None) -> dict[str, dict[str, int]]:
    try:
        found = json.loads(kept.read_bytes()) if kept is not None else {}
        return {str(key): asdict(WorkerLayout(int(one["workers"]), int(one["threads"]))) for key, one in found.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}
