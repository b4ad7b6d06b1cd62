"""The spine: `penjing make` on five real sets, with a large and a small base, several seeds; one JSON line a run.

    python bench/spine.py --data DIR --models DIR --out DIR [--set NAME ...] [--base mini|e5] [--rows N] [--seeds 0,1,2]

A run that is already in the results (same recipe, same base, same rows) is skipped, so the bench can be killed and
started again. `bench/spine_page.py` draws the page.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ruamel.yaml import YAML

from penjing.core.canon import digest, unit_hash
from penjing.core.recipe import Data, load_recipe
from penjing.data.read import read_rows
from penjing.model.base import open_base

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "spine.jsonl"
SETS = ("chnsenticorp", "medical", "banking77", "phrasebank", "sms")
LARGE = "multilingual-e5-small-zh-en"
# What each base is tuned with beside the recipe's options, so that all runs together take hours, not days: the top
# layers over activations that are computed once.
TUNE: dict[str, dict[str, Any]] = {
    "mini": {"layers": 2, "learning_rate": [3.0e-4, 1.0e-3]},
    "e5": {"layers": 3, "learning_rate": [3.0e-4]},
}
# What stands before `compress.int8`: twelve layers take more than 20 ms on a CPU without INT8 instructions.
SHRINK: dict[str, tuple[dict[str, Any], ...]] = {
    "mini": (),
    "e5": ({"compress.layers": {"keep": 6, "texts": 64}}, {"compress.distill": {"epochs": 3, "copies": 0}}),
}
Tune = Mapping[str, Any]
Steps = Sequence[dict[str, Any]]
_KEPT = (
    "sealed", "model", "fell_back", "language", "test", "baseline", "teacher", "calibration", "decisions", "gates",
    "speed", "size_mb", "steps", "variants",
)  # fmt: skip


def read_results(path: Path) -> list[dict[str, Any]]:
    """All whole lines of the results; a line that a kill cut short is passed over."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return found


def append(path: Path, row: dict[str, Any]) -> None:
    """Add one line in one write, on the disk when this returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ragged = path.is_file() and path.stat().st_size > 0 and not path.read_bytes().endswith(b"\n")
    raw = (b"\n" if ragged else b"") + json.dumps(row, ensure_ascii=False, sort_keys=True).encode() + b"\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(descriptor, raw)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sample(source: Path, data: Data, count: int, target: Path) -> None:
    """Write `count` distinct texts of a file as JSON lines, the same ones every time: those with the smallest hash."""
    rows: dict[str, str] = {}
    for _, cells in read_rows(source, encoding=data.encoding, columns=data.columns):
        rows.setdefault(cells[data.text], cells[data.label])
    chosen = set(sorted(rows, key=unit_hash)[:count])
    text = io.StringIO()
    for row, label in rows.items():
        if row in chosen:
            text.write(json.dumps({data.text: row, data.label: label}, ensure_ascii=False) + "\n")
    target.write_bytes(gzip.compress(text.getvalue().encode(), mtime=0))


def write_recipe(
    name: str,
    base: str,
    rows: int,
    seed: int,
    data: Path,
    folder: Path,
    *,
    tune: Tune = MappingProxyType({}),
    shrink: Steps = (),
    threads: int = 0,
) -> Path:
    """A concrete recipe in `folder`: absolute paths, this base and seed, `rows` rows to learn from (0: all).

    A set with a test file of its own keeps that whole; of a set in one file, `rows` are taken in all.
    """
    template = HERE / "recipes" / f"{name}.yaml"
    recipe = load_recipe(template).recipe
    yaml = YAML(typ="safe", pure=True)
    tree = yaml.load(template.read_text(encoding="utf-8"))
    files = tree["data"]["files"]
    parts = {"train": files} if isinstance(files, str) else dict(files)
    parts = {part: str((data / path).resolve()) for part, path in parts.items()}
    if rows:
        target = folder / "rows.jsonl.gz"
        sample(Path(parts["train"]), recipe.data, rows, target)
        parts["train"] = str(target.resolve())
        if isinstance(files, str):
            tree["data"] = {key: value for key, value in tree["data"].items() if key not in ("encoding", "columns")}
    tree["data"]["files"] = parts["train"] if isinstance(files, str) else parts
    tree |= {"base": base, "seed": seed, "threads": threads}
    for step in tree["steps"]:
        if "tune.full" in step:
            step["tune.full"] = {**step["tune.full"], **tune}
    tree["steps"][1:1] = [dict(step) for step in shrink]
    path = folder / "recipe.yaml"
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(tree, file)
    load_recipe(path)
    return path


def key_of(name: str, base: str, rows: int, seed: int, tune: Tune = MappingProxyType({}), shrink: Steps = ()) -> str:
    """What makes a run the same run: the committed recipe, what is set for the base, its content, rows and seed."""
    recipe = load_recipe(HERE / "recipes" / f"{name}.yaml").recipe
    template = recipe.model_dump(mode="json", exclude_defaults=True)  # a key added to recipes later changes nothing
    return digest([template, dict(tune), open_base(base, HERE).id, rows, seed, *shrink])


def run_one(recipe: Path, out: Path, log: Path) -> tuple[int, float, dict[str, Any]]:
    """Exit code, seconds, and report of one `penjing make`; a run that leaves no report raises RuntimeError."""
    began = time.monotonic()
    with log.open("ab") as errors:
        command = [sys.executable, "-m", "penjing", "make", str(recipe), "--out", str(out), "--no-texts"]
        code = subprocess.run(command, stdout=errors, stderr=errors, check=False).returncode
    report = out / "report.json"
    if code not in (0, 4) or not report.is_file():
        last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:]
        raise RuntimeError(f"penjing make ended with exit {code}: " + " / ".join(last))
    return code, time.monotonic() - began, json.loads(report.read_text(encoding="utf-8"))


def row_of(report: dict[str, Any]) -> dict[str, Any]:
    """What the page needs of a report: no texts, no curves."""
    kept: dict[str, Any] = {name: report.get(name) for name in _KEPT}
    kept |= {name: _flat(report[name]) for name in ("test", "teacher") if report.get(name)}
    kept["baseline"] = {"linear": _flat(report["baseline"]["linear"])}
    kept["decisions"] = {key: value for key, value in report["decisions"].items() if key not in ("curve", "thresholds")}
    kept["calibration"] = {key: value for key, value in report["calibration"].items() if key != "bins"}
    kept["data"] = {key: report["data"].get(key) for key in ("rows", "duplicates_removed", "splits", "fingerprint")}
    kept["data"]["labels"] = len(report["data"]["labels"])
    return kept


def _flat(part: dict[str, Any]) -> dict[str, Any]:
    """The metrics of a part of the report beside its other values, as the results have them."""
    rest = {name: value for name, value in part.items() if name not in ("metric", "metrics")}
    return {**rest, **part["metrics"]}


def jobs(arguments: argparse.Namespace) -> Iterator[tuple[str, str, str, int]]:
    """(set, base's short name, base, seed), seed by seed, so that an unfinished bench has seen every set."""
    for seed in [int(each) for each in arguments.seeds.split(",")]:
        for base in arguments.base or ["mini"]:
            path = base_named(base, arguments.models)
            for name in arguments.set or SETS:
                yield name, base, path, seed


def base_named(short: str, models: Path | None) -> str:
    """What a recipe's `base` says for `mini` or `e5`. Raises SystemExit for e5 without the folder of models."""
    if short == "mini":
        return "penjing/mini"
    if models is None:
        raise SystemExit("--base e5 needs --models, the folder that holds " + LARGE)
    return str((models / LARGE).resolve())


def parser_of(description: str | None, sets: Sequence[str] = SETS) -> argparse.ArgumentParser:
    """The options that every bench over these sets has."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds the sets")
    parser.add_argument("--models", type=Path, help=f"the folder that holds {LARGE}")
    parser.add_argument("--out", type=Path, required=True, help="a folder for the work of the runs")
    parser.add_argument("--set", choices=sets, action="append", help="one set, may be repeated; default: all")
    return parser


def main() -> int:
    parser = parser_of(__doc__)
    parser.add_argument("--base", choices=("mini", "e5"), action="append", help="may be repeated; default: mini")
    parser.add_argument("--rows", type=int, default=0, help="rows to learn from; 0: all")
    parser.add_argument("--seeds", default="0", help="seeds, with commas")
    parser.add_argument("--threads", type=int, default=0, help="threads of each run; 0: all cores")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--keep", action="store_true", help="keep each run's folder")
    arguments = parser.parse_args()
    failed = 0
    for name, short, base, seed in jobs(arguments):
        tune, shrink = TUNE[short], SHRINK[short]
        key = key_of(name, base, arguments.rows, seed, tune, shrink)
        title = f"{name} {short} rows={arguments.rows or 'all'} seed={seed}"
        if any(row["key"] == key for row in read_results(arguments.results)):
            print(f"{title}: there already", flush=True)
            continue
        folder = arguments.out / f"{name}-{short}-{arguments.rows}-{seed}-{key[:8]}"
        folder.mkdir(parents=True, exist_ok=True)
        recipe = write_recipe(
            name,
            base,
            arguments.rows,
            seed,
            arguments.data,
            folder,
            tune=tune,
            shrink=shrink,
            threads=arguments.threads,
        )
        try:
            code, seconds, report = run_one(recipe, folder / "out", folder / "log.txt")
        except RuntimeError as error:
            print(f"{title}: FAILED: {error}", flush=True)
            failed += 1
            continue
        row = {"key": key, "set": name, "base": short, "rows": arguments.rows, "seed": seed, "tune": tune, "exit": code}
        append(arguments.results, row | {"seconds": round(seconds, 1), "report": row_of(report)})
        gates = " ".join(f"{gate['name']}={gate['state']}" for gate in report["gates"])
        print(
            f"{title}: {seconds:.0f} s, macro-F1 {report['test']['metrics']['macro_f1']['value']:.4f}, {gates}",
            flush=True,
        )
        if not arguments.keep:
            shutil.rmtree(folder)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
