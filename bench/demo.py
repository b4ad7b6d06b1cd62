"""How long `penjing demo --once` takes, and how much memory it needs: one run, after installation.

python bench/demo.py [--out bench/results/demo.json]

The limits are four minutes and 3 GB. Prints what the demo prints, then writes one JSON object.
"""

from __future__ import annotations

import argparse
import datetime
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from penjing.core.machine import cores, hardware

RESULTS = Path(__file__).resolve().parent / "results" / "demo.json"


def measure(folder: Path) -> dict[str, object]:
    """Run the demo in a folder and return its time, its peak memory and the rows that it used.

    Raises:
        subprocess.CalledProcessError: the demo failed.
    """
    began = time.monotonic()
    subprocess.run([sys.executable, "-m", "penjing", "demo", "--once", "--out", str(folder)], check=True)
    seconds = time.monotonic() - began
    report = json.loads((folder / "report.json").read_bytes())
    # The largest of the processes that have ended, in KiB on Linux.
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return {
        "date": datetime.date.today().isoformat(),
        "hardware": hardware(),
        "cores": cores(),
        "rows": report["data"]["rows"],
        "seconds": round(seconds, 1),
        "memory_mb": round(peak / 1024),
        "model": report["model"],
        "decisions": {name: value for name, value in report["decisions"].items() if name != "curve"},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        row = measure(Path(folder) / "demo")
    arguments.out.write_text(json.dumps(row, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
