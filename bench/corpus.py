"""Memory and speed of `penjing corpus build` over a generated stream, with one process and with two.

python bench/corpus.py [--megabytes 2048] [--seconds 900] [--out bench/results/corpus.json]

The stream is made while it is read: sentences in Chinese and English, a tenth of them repeated. The memory of all
processes together is looked at once a second. A stream is ended when its share of the time is over.
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
from typing import IO

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


def measure(size: int, workers: int, seconds: float) -> dict[str, object]:
    """Build a corpus of a stream; its speed, and [seconds, MB of memory] through the run."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "penjing", "corpus", "build", "-", "--documents", "line", "--json"]
        command += ["--workers", str(workers), "--no-texts", "--out", str(Path(folder) / "corpus")]
        began = time.monotonic()
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
        card = json.loads(printed[0])
    step = max(1, len(curve) // 60)
    megabytes = sent[0] / 2**20
    return {
        "workers": workers,
        "megabytes": round(megabytes),
        "documents": sum(source["read"]["documents"] for source in card["sources"]),
        "seconds": round(took, 1),
        "mb_a_second": round(megabytes / took, 2),
        "peak_mb": max(used for _, used in curve),
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
    parser.add_argument("--megabytes", type=int, default=2048)
    parser.add_argument("--seconds", type=float, default=900)
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    found = {
        "date": datetime.date.today().isoformat(),
        "hardware": hardware(),
        "cores": cores(),
        "runs": [measure(given.megabytes << 20, workers, given.seconds / 2) for workers in (2, 1)],
    }
    given.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
