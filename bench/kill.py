"""Kill -9 at random moments of `penjing make`: never a broken release, always a resume to the same ids.

    python bench/kill.py RECIPE [--kills 20] [--seed 0] [--out bench/results/kill.json]

Each round starts in a fresh folder, is killed at a random moment, then resumed until it ends or is killed again;
after every kill the release, where there is one, is verified. At the end all ids must be those of an undisturbed run.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from penjing.core.folder import verify


def start(recipe: Path, out: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "penjing", "make", str(recipe), "--out", str(out)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def ids(out: Path) -> dict[str, str]:
    """Ids of the release and of every cached artifact; each is verified on the way."""
    folders = [out / "release", *sorted(path for path in (out / "cache").glob("*") if (path / "MANIFEST").exists())]
    return {path.name: verify(path) for path in folders if path.exists()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("bench/results/kill.json"))
    options = parser.parse_args()
    draw = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        code = start(options.recipe, Path(folder) / "whole").wait()
        seconds = time.monotonic() - began
        expected = ids(Path(folder) / "whole")
        kills: list[dict[str, float]] = []
        broken, differing, rounds = 0, 0, 0
        while len(kills) < options.kills:
            rounds += 1
            out = Path(folder) / f"round-{rounds}"
            while True:
                moment = draw.uniform(0, seconds)
                process = start(options.recipe, out)
                try:
                    process.wait(moment if len(kills) < options.kills else None)
                    break
                except subprocess.TimeoutExpired:
                    process.send_signal(signal.SIGKILL)
                    process.wait()
                    kills.append({"round": rounds, "after_seconds": round(moment, 2)})
                    print(f"kill {len(kills)} after {moment:.1f} s", flush=True)
                    try:
                        ids(out)
                    except Exception as error:  # noqa: BLE001 - any failure here is what the bench counts
                        broken += 1
                        print(f"BROKEN: {error}", flush=True)
            differing += ids(out) != expected
    result = {
        "recipe": options.recipe.parent.name + "/" + options.recipe.name,
        "seconds_undisturbed": round(seconds, 1),
        "exit_code_undisturbed": code,
        "kills": len(kills),
        "rounds": rounds,
        "broken_folders": broken,
        "rounds_with_other_ids": differing,
        "release": expected.get("release", ""),
        "moments": kills,
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({key: value for key, value in result.items() if key != "moments"}, indent=1))


if __name__ == "__main__":
    main()
