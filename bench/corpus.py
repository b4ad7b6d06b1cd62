"""Memory and speed of `penjing corpus build` over a generated stream, with one process and with two.

    python bench/corpus.py [--megabytes 128] [--seconds 2400] [--out bench/results/corpus.json]

Protocol: two streams of 128 MB, first with two processes, then with one. A stream is made while it is read: documents
of 40 to 300 words in Chinese and English, one a line, a tenth of them repeated. The memory of all processes together is
looked at once a second, shared pages counted for each. A stream is ended when half of the time is over; the build then
goes on to its end. Reported: MB a second from the start to the sealed corpus, seconds of the processor of all
processes, the highest memory, and the memory through the run. The machine has other users, so the time on the clock is
an upper bound; that of the processor is nearly its own.

A run that is in the results file already, of the same size and number of processes, is not repeated.
"""

from __future__ import annotations

import argparse
import datetime
import json
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO, Any

from penjing.core.folder import write_whole
from penjing.core.machine import cores, hardware

RESULTS = Path(__file__).resolve().parent / "results" / "corpus.json"
_ZH = (
    "银行 客户 来电 询问 贷款 利率 我们 已经 说明 规定 并且 请 他 在 月底 之前 办理 手续 如果 还有 问题 再次 联系 网点"
)
_EN = "the customer asked about a loan and we said that the rate is fixed until next year so they may call again"
ZH, EN = _ZH.split(), _EN.split()


def feed(into: IO[bytes], size: int, until: float) -> int:
    """Write a stream of documents, one a line, and return its bytes."""
    drawn, written, kept = random.Random(7), 0, [b""]
    with into:
        while written < size and time.monotonic() < until:
            if drawn.random() < 0.1:
                line = drawn.choice(kept)
            else:
                words, space = (ZH, "") if drawn.random() < 0.6 else (EN, " ")
                text = space.join([*drawn.choices(words, k=drawn.randint(40, 300)), f"{drawn.getrandbits(40):x}"])
                line = text.encode() + b"\n"
                kept[drawn.randrange(len(kept))] = line
                kept += [line] if len(kept) < 1000 else []
            into.write(line)
            written += len(line)
    return written


def measure(size: int, workers: int, seconds: float) -> dict[str, Any]:
    """Build a corpus of a stream; its speed, and [seconds, MB of memory] through the run."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "penjing", "corpus", "build", "-", "--documents", "line", "--json"]
        command += ["--workers", str(workers), "--no-texts", "--out", str(Path(folder) / "corpus")]
        began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdin is not None and process.stdout is not None
        sent: list[int] = []
        stream = process.stdin
        writer = threading.Thread(target=lambda: sent.append(feed(stream, size, began + seconds)), daemon=True)
        writer.start()
        printed: list[bytes] = []
        output = process.stdout
        reader = threading.Thread(target=lambda: printed.append(output.read()), daemon=True)
        reader.start()
        curve: list[tuple[float, float]] = []
        while process.poll() is None:
            curve.append((round(time.monotonic() - began, 1), _memory(process.pid)))
            time.sleep(1)
        writer.join()
        reader.join()
        if process.returncode:
            raise SystemExit(process.returncode)
        took = time.monotonic() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        card = json.loads(printed[0])
    step = max(1, len(curve) // 60)
    megabytes = sent[0] / 2**20
    return {
        "workers": workers,
        "megabytes": round(megabytes),
        "documents": sum(source["read"]["documents"] for source in card["sources"]),
        "kept": sum(source["kept"]["documents"] for source in card["sources"]),
        "seconds": round(took, 1),
        "mb_a_second": round(megabytes / took, 2),
        "processor_seconds": round(used, 1),
        "mb_a_processor_second": round(megabytes / used, 2),
        "peak_mb": max(used for _, used in curve),
        "tenth_mb": curve[len(curve) // 10][1],
        "memory": curve[::step],
    }


def _memory(first: int) -> float:
    """MB that a process and its children hold, shared pages counted for each."""
    try:
        children = Path(f"/proc/{first}/task/{first}/children").read_text(encoding="ascii").split()
    except OSError:
        return 0.0
    pages = 0
    for each in [str(first), *children]:
        try:
            pages += int(Path(f"/proc/{each}/statm").read_text(encoding="ascii").split()[1])
        except OSError:
            continue
    return round(pages * resource.getpagesize() / 2**20, 1)


def main() -> None:
    """Measure with one and with two processes, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=128)
    parser.add_argument("--seconds", type=float, default=2400)
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    found: dict[str, Any] = {
        "date": datetime.date.today().isoformat(),
        "hardware": hardware(),
        "cores": cores(),
        "asked_mb": given.megabytes,
        "runs": [],
    }
    if given.out.is_file() and (kept := json.loads(given.out.read_bytes()))["asked_mb"] == given.megabytes:
        found = kept
    for workers in (2, 1):
        if all(run["workers"] != workers for run in found["runs"]):
            found["runs"].append(measure(given.megabytes << 20, workers, given.seconds / 2))
            write_whole(given.out, json.dumps(found, indent=1).encode() + b"\n")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
