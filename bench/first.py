"""The first release: from a CSV of 2,000 short rows to a sealed release, as a new user makes it, timed by the clock.

    python bench/first.py --data DIR --out DIR [--busy]

Protocol, written before its first run. Rows: of `zh-sentiment-reviews/waimai_10k.csv` (food-delivery reviews, two
labels) the 2,000 distinct texts with the smallest hash, in the order of the file. Commands, each a process of its own:
`penjing init DIR --data rows.csv`, one line of the recipe changed by hand (`unproven: allow`, for so few rows prove
little), `penjing make DIR/recipe.yaml`, with the shipped base and every default. Both may use two cores. `--busy` runs
them beside a process that computes without end on the same two cores. The figure is the wall time of the two commands
together; the limit is 240 seconds. A run that ends without a sealed release has failed, however long it took.
The first complete run of each kind is reported; the newest replaces it only after the code has changed. The load of
the machine before the run (of one minute) is kept with it, and the seconds of processor time that the run took (with
`--busy` those of the busy process are among them): other work on the same cores is part of what was measured.

Writes bench/results/first.json: under `quiet` and `busy` the total, each command, each message of `make` with the
second at which it came, the time of every step, threads, what was sealed and its score on the test rows.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from penjing.core.canon import unit_hash
from penjing.core.machine import hardware

RESULTS = Path(__file__).resolve().parent / "results" / "first.json"
SOURCE = Path("zh-sentiment-reviews") / "waimai_10k.csv"
ROWS, CORES, WANTED = 2000, 2, 240.0


def write_rows(source: Path, target: Path, count: int = ROWS) -> int:
    """Write `count` distinct texts of the source with their labels, always the same ones; return how many there are."""
    with source.open(encoding="utf-8-sig", newline="") as file:
        labels = {row["review"]: row["label"] for row in csv.DictReader(file) if row["review"].strip()}
    chosen = set(sorted(labels, key=unit_hash)[:count])
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["review", "label"])
        writer.writerows([text, label] for text, label in labels.items() if text in chosen)
    return len(chosen)


def command(*arguments: str) -> tuple[float, list[tuple[float, str]]]:
    """Run `penjing` in a process of its own; return its seconds and its lines on stderr, each with its second."""
    began = time.monotonic()
    told: list[tuple[float, str]] = []
    with subprocess.Popen(
        [sys.executable, "-m", "penjing", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            told.append((round(time.monotonic() - began, 1), line.rstrip()))
            print(f"  {told[-1][0]:6.1f} s  {told[-1][1]}", flush=True)
    if process.returncode:
        raise SystemExit(f"penjing {arguments[0]} ended with {process.returncode}: {told[-1][1] if told else ''}")
    return round(time.monotonic() - began, 1), told


@contextlib.contextmanager
def beside(busy: bool) -> Iterator[None]:
    """Within: a process that computes without end on the same cores, where asked for."""
    if not busy:
        yield
        return
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def measure(data: Path, out: Path, *, busy: bool) -> dict[str, Any]:
    """One whole run in an empty folder."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    rows = write_rows(data / SOURCE, out / "rows.csv")
    load = round(os.getloadavg()[0], 2)
    with beside(busy):
        init_took, _ = command("init", str(out / "service"), "--data", str(out / "rows.csv"))
        recipe = out / "service" / "recipe.yaml"
        text = re.sub(r"unproven: refuse", "unproven: allow", recipe.read_text(encoding="utf-8"))
        recipe.write_text(text, encoding="utf-8")
        make_took, told = command("make", str(recipe))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    report = json.loads((out / "service" / "out" / "report.json").read_bytes())
    total = round(init_took + make_took, 1)
    return {
        "rows": rows,
        "seconds": total,
        "within": report["sealed"] and total <= WANTED,
        "init_seconds": init_took,
        "make_seconds": make_took,
        "steps": {step["name"]: step["seconds"] for step in report["steps"]},
        "told": told,
        "sealed": report["sealed"],
        "model": report["model"],
        "threads": report["speed"]["threads"],
        "test_macro_f1": report["test"]["metrics"]["macro_f1"],
        "load_before": load,
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
    }


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the real sets")
    parser.add_argument("--out", type=Path, required=True, help="folder that is emptied and worked in")
    parser.add_argument("--busy", action="store_true", help="beside a process that takes one core")
    given = parser.parse_args()
    usable = sorted(os.sched_getaffinity(0))[:CORES]
    os.sched_setaffinity(0, usable)
    found = measure(given.data, given.out, busy=given.busy)
    kept = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    kept |= {"wanted_seconds": WANTED, "hardware": hardware(), "cores": len(usable)}
    kept["busy" if given.busy else "quiet"] = found
    RESULTS.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    state = "within" if found["within"] else "beyond"
    print(f"{found['seconds']:.0f} s from CSV to release, {state} {WANTED:.0f} s: {found['model']}")


if __name__ == "__main__":
    main()
