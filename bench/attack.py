"""Claim: a started service holds against the attacks of bench/attack_http.py, attack_store.py and attack_load.py.

    python bench/attack.py [--release FOLDER] [--only NAME ...] [--folder FOLDER] [--results FILE]

Prints one line for each attack, `held` or `broken` with what was seen; exit code 4 where one is broken. Without
--release a small linear release is made first. All load is bounded and stays on this machine. A file of --results gets
the same as JSON, with the machine and its load of one minute before the run; bench/results/attack.json is of one
complete run, and is replaced after the code has changed.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from attack_target import Verdict, small_release
from penjing.core.machine import hardware

MODULES = ("attack_http", "attack_store", "attack_load")
BROKEN = 4
Attack = Callable[[Path, Path], Verdict]


def attacks() -> dict[str, Attack]:
    """All attacks of the modules that are there, by name."""
    found: dict[str, Attack] = {}
    for name in MODULES:
        if importlib.util.find_spec(name) is not None:
            found |= importlib.import_module(name).ATTACKS
    return found


def attempt(name: str, attack: Attack, release: Path, folder: Path) -> Verdict:
    """One attack, its words on one line; one that fails itself has not shown that the service holds."""
    folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    try:
        verdict = attack(release, folder)
    except Exception as error:  # noqa: BLE001  (the next attack is run whatever this one met)
        traceback.print_exc()
        verdict = Verdict(False, f"the attack itself failed: {error!r}")
    verdict = Verdict(verdict.held, " ".join(verdict.said.replace(str(folder), "FOLDER").split()))
    told = f"{name}: {verdict.said} ({time.monotonic() - began:.0f} s)"
    print(f"{'held' if verdict.held else 'broken':<6}  {told}", flush=True)
    return verdict


def run(release: Path | None, only: list[str], folder: Path, results: Path | None = None) -> bool:
    """Run the attacks, or those whose names hold one of these words; whether all of them held."""
    load = os.getloadavg()[0]
    chosen = {name: attack for name, attack in attacks().items() if not only or any(word in name for word in only)}
    if not chosen:
        sys.exit(f"no attack is named like {', '.join(only)}; there are: {', '.join(attacks())}")
    made = release or small_release(folder / "made")
    verdicts = {
        name: attempt(name, attack, made, folder / f"attack{number}")
        for number, (name, attack) in enumerate(chosen.items())
    }
    broken = sum(not verdict.held for verdict in verdicts.values())
    print(f"{len(verdicts) - broken} held, {broken} broken")
    if results is not None:
        found = {
            "hardware": hardware(),
            "load_before": round(load, 2),
            "held": len(verdicts) - broken,
            "broken": broken,
        }
        found["attacks"] = {name: asdict(verdict) for name, verdict in verdicts.items()}
        results.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return not broken


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--release", type=Path, help="the folder of a release; without it a small one is made")
    parser.add_argument("--only", action="append", default=[], help="attacks whose name holds this; may be repeated")
    parser.add_argument("--folder", type=Path, help="where services run and leave their logs; without it a passing one")
    parser.add_argument("--results", type=Path, help="a file that gets what was found as JSON")
    given = parser.parse_args()
    if given.folder is not None:
        held = run(given.release, given.only, given.folder, given.results)
    else:
        with tempfile.TemporaryDirectory() as folder:
            held = run(given.release, given.only, Path(folder), given.results)
    sys.exit(0 if held else BROKEN)


if __name__ == "__main__":
    main()
