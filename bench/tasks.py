"""Every task on real sets: `penjing make` with word counts, penjing/mini and a large base, once each.

    python bench/tasks.py --data DIR --models DIR --out DIR [--set NAME ...] [--base linear|mini|e5]

Protocol. Of each set at most 3,000 rows train, 500 validate, 1,000 calibrate and 1,500 test, chosen by hash
(`tasks_sets.py`); seed 0. `linear` is `tune.linear`, which is also the baseline of the two others; a task that it does
not serve has none. `mini` and `e5` train their top three layers for ten passes at a learning rate of 3e-4, over
activations that are computed once, and are sealed in INT8; inputs are as long as `penjing init` proposes for the task.
On CMRC they pass twice: its 7,661 windows of 256 tokens would take four hours of a core in ten passes.
The promise is at most 10 % wrong among what is decided without a person; there are no rules. Nothing is tuned on test
rows, and nothing is run again: the first complete run of each is in bench/results/tasks.json, with the figures of the
sealed release on test rows (`report.json`).
`bench/tasks_page.py` draws the page.

A run that is in the results is skipped, so the bench can be killed and started again.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from penjing.core.folder import replaced_file
from penjing.core.machine import hardware
from penjing.core.recipe import load_recipe
from penjing.tasks import about_task
from spine import base_named, parser_of, row_of, run_one
from tasks_sets import SETS, TaskSet, parts, write_lines

RESULTS = Path(__file__).resolve().parent / "results" / "tasks.json"
BASES = ("linear", "mini", "e5")
TUNE = {"layers": 3, "learning_rate": 3.0e-4}
MAX_ERROR = 0.10


def read_results(path: Path) -> dict[str, Any]:
    """The runs so far, by `SET/BASE`."""
    return dict(json.loads(path.read_text(encoding="utf-8"))["runs"]) if path.is_file() else {}


def add_result(path: Path, name: str, row: dict[str, Any]) -> None:
    """Write the results with one run more; the old file stays whole until the new one is."""
    runs = read_results(path) | {name: row}
    path.parent.mkdir(parents=True, exist_ok=True)
    with replaced_file(path) as new:
        text = json.dumps({"runs": dict(sorted(runs.items()))}, ensure_ascii=False, indent=1, sort_keys=True)
        new.write_text(text + "\n", encoding="utf-8")


def write_recipe(cases: TaskSet, base: str, model: str, data: Path, folder: Path, threads: int) -> tuple[Path, Any]:
    """The recipe and the files of its parts in `folder`; the number of cases of each part beside it."""
    found = parts(cases, data)
    for part, some in found.items():
        write_lines(folder / f"{part}.jsonl", some)
    steps: list[dict[str, Any]] = [{"tune.linear": {}}]
    if base != "linear":
        longest = about_task(str(cases.task["type"])).max_tokens
        tuning = {"epochs": cases.epochs} | TUNE | ({} if longest is None else {"max_tokens": longest})
        steps = [{"tune.full": tuning}, {"compress.int8": {}}]
    tree = {
        "name": "tasks",
        "task": dict(cases.task),
        "data": {"files": {part: f"{part}.jsonl" for part in found}, **cases.data},
        "base": model,
        "steps": steps,
        "gates": {"unproven": "allow"},
        "decide": {"max_error": MAX_ERROR},
        "threads": threads,
    }
    path = folder / "recipe.yaml"
    with path.open("w", encoding="utf-8") as file:
        YAML(typ="safe", pure=True).dump(tree, file)
    load_recipe(path)
    return path, {part: len(some) for part, some in found.items()}


def run(name: str, base: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """One set with one base. Raises RuntimeError where `make` leaves no report."""
    folder = arguments.out / f"{name}-{base}"
    folder.mkdir(parents=True, exist_ok=True)
    model = base_named(base, arguments.models) if base != "linear" else "penjing/mini"
    recipe, rows = write_recipe(SETS[name], base, model, arguments.data, folder, arguments.threads)
    code, seconds, report = run_one(recipe, folder / "out", folder / "log.txt")
    if not arguments.keep:
        shutil.rmtree(folder)
    kept = row_of(report)
    # How often pieces of an answer, such as entities, are right by their probability.
    kept["sections"] = [one for one in report["sections"] if one["name"].endswith("_by_probability")]
    return {"exit": code, "seconds": round(seconds, 1), "rows": rows, "hardware": hardware(), "report": kept}


def main() -> int:
    parser = parser_of(__doc__, tuple(SETS))
    parser.add_argument("--base", choices=BASES, action="append", help="may be repeated; default: all")
    parser.add_argument("--threads", type=int, default=0, help="threads of each run; 0: all cores")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--keep", action="store_true", help="keep each run's folder, to look at its report")
    arguments = parser.parse_args()
    failed = 0
    for name in arguments.set or SETS:
        for base in arguments.base or BASES:
            title = f"{name}/{base}"
            if title in read_results(arguments.results):
                print(f"{title}: there already", flush=True)
                continue
            try:
                row = run(name, base, arguments)
            except RuntimeError as error:
                print(f"{title}: FAILED: {error}", flush=True)
                failed += 1
                continue
            add_result(arguments.results, title, row)
            test, decided = row["report"]["test"], row["report"]["decisions"]
            score = {key: each["value"] for key, each in test.items() if isinstance(each, dict)}
            print(f"{title}: {row['seconds']:.0f} s, {score}, automatic {decided['automation_rate']}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
