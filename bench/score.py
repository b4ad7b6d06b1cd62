"""A number instead of a label: the task `score` the whole way, on two real sets.

    python bench/score.py --data DIR --out DIR [--set math|movies]

Protocol, written before its first run. Sets: `math`, the 5,000 problems of zh-education-math-tal (zh_train and
zh_test together; the text is the problem, the number its difficulty from 0 to 4, which are grades), limit `within: 0`
with at most 30 % errors among automated decisions; `movies`, the hard one: the 3,650 films of MovieLens (latest-small)
with at least five ratings, the text title, genres and tags, the number the mean rating to two decimals, limit
`within: 0.5` with at most 20 % errors. For each: `penjing init DIR --data rows.csv --task score`, the lines of the
recipe above changed by hand (and `unproven: allow`), `penjing make`, `penjing decide` on the first 200 test rows into a
new database, `penjing replay` of every record. Base: penjing/mini, every other option as `init` writes it, seed 0. Two
cores. The first complete run is reported. Beside the sealed model: `tune.linear` on the same rows, and the constant
that is best for each metric (the most frequent grade; the median for the absolute error; the mean for the squared one).

Writes bench/results/score.json: {"sets": [{"name", "rows", "seed", "metrics", "baseline", "constant", "certificate",
"model", "replayed", "seconds", "machine"}]}.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median
from typing import Any

from penjing.core.machine import hardware

RESULTS = Path(__file__).resolve().parent / "results" / "score.json"
LEAST_RATINGS, DECIDED = 5, 200


@dataclass(frozen=True)
class Subject:
    """A set: its limit, the error that is promised."""

    name: str
    within: float
    max_error: float


SUBJECTS = (Subject("math", 0, 0.30), Subject("movies", 0.5, 0.20))


def math_rows(data: Path) -> list[tuple[str, str]]:
    """(problem, difficulty) of both files."""
    rows = []
    for part in ("train", "test"):
        with gzip.open(data / "zh-education-math-tal" / f"zh_{part}.jsonl.gz", "rt", encoding="utf-8") as file:
            rows += [(one["problem"], str(one["difficulty"])) for one in map(json.loads, file)]
    return rows


def movie_rows(data: Path) -> list[tuple[str, str]]:
    """(title | genres | tags, mean rating) of every film with at least five ratings."""
    folder = data / "recsys-movielens-small"
    ratings, tags = defaultdict(list), defaultdict(list)
    with gzip.open(folder / "ratings.csv.gz", "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            ratings[row["movieId"]].append(float(row["rating"]))
    with (folder / "tags.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            tags[row["movieId"]].append(row["tag"])
    rows = []
    with (folder / "movies.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            given = ratings[row["movieId"]]
            parts = [row["title"], row["genres"].replace("|", ", "), ", ".join(dict.fromkeys(tags[row["movieId"]]))]
            if len(given) >= LEAST_RATINGS:
                rows.append((" | ".join(part for part in parts if part), f"{mean(given):.2f}"))
    return rows


READERS = {"math": math_rows, "movies": movie_rows}


def write_rows(rows: Sequence[tuple[str, str]], path: Path) -> None:
    """A CSV with the columns `text` and `score`."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "score"])
        writer.writerows(rows)


def penjing(*arguments: object) -> str:
    """Run one command and return what it wrote on stdout. Raises CalledProcessError."""
    line = [sys.executable, "-m", "penjing", *map(str, arguments)]
    return subprocess.run(line, check=True, stdout=subprocess.PIPE, text=True, encoding="utf-8").stdout


def constants(golds: Sequence[float], within: float) -> dict[str, float]:
    """The metrics of the best constant: most frequent value within the limit, median and mean."""
    values = sorted(set(golds))
    best = max(sum(abs(gold - value) <= within + 1e-9 for gold in golds) for value in values)
    middle, average = median(golds), mean(golds)
    return {
        "within": round(best / len(golds), 4),
        "mae": round(mean(abs(gold - middle) for gold in golds), 4),
        "rmse": round(mean((gold - average) ** 2 for gold in golds) ** 0.5, 4),
    }


def run(subject: Subject, data: Path, out: Path) -> dict[str, Any]:
    """The whole way of one set, and its figures."""
    folder = out / subject.name
    folder.mkdir(parents=True, exist_ok=True)
    rows = READERS[subject.name](data)
    write_rows(rows, folder / "rows.csv")
    began = time.monotonic()
    penjing("init", folder / "job", "--data", folder / "rows.csv", "--task", "score", "--force")
    recipe = folder / "job" / "recipe.yaml"
    text = recipe.read_text(encoding="utf-8")
    for old, new in (
        ("{type: score}", f"{{type: score, within: {subject.within:g}}}"),
        ("unproven: refuse", "unproven: allow"),
        ("max_error: 0.05", f"max_error: {subject.max_error:g}"),
    ):
        assert old in text, old
        text = text.replace(old, new)
    recipe.write_text(text, encoding="utf-8")
    penjing("make", recipe, "--out", folder / "out")
    seconds = time.monotonic() - began
    report = json.loads((folder / "out" / "report.json").read_text(encoding="utf-8"))
    write_rows(rows[:DECIDED], folder / "some.csv")
    database = f"sqlite:///{folder / 'records.db'}"
    release = folder / "out" / "release"
    (folder / "records.db").unlink(missing_ok=True)
    decided = penjing("decide", release, folder / "some.csv", "--db", database)
    routes = Counter(json.loads(line)["route"] for line in decided.splitlines() if line.startswith("{"))
    replayed = penjing("replay", "--all", "--db", database)
    golds = [float(gold) for _, gold in rows]
    decisions = report["decisions"]
    return {
        "name": subject.name,
        "rows": report["data"]["splits"],
        "seed": 0,
        "within": subject.within,
        "model": report["model"],
        "metrics": report["test"]["metrics"],
        "baseline": report["baseline"]["linear"]["metrics"],
        "difference": report["baseline"]["linear"]["difference"],
        "constant": constants(golds, subject.within),
        "certificate": {name: decisions[name] for name in ("max_error", "certified", "automation_rate", "rows")}
        | {"error_among_automated": decisions["error_among_automated"], "release": report["release"]},
        "decided": dict(routes),
        "replayed": json.loads(replayed.strip().splitlines()[-1]),
        "seconds": round(seconds, 1),
        "speed": {name: report["speed"][name] for name in ("p50_ms", "p99_ms", "hardware")},
        "machine": hardware(),
    }


def main() -> None:
    """Run the sets that are asked for; each replaces its own part of the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--set", choices=sorted(READERS))
    arguments = parser.parse_args()
    found = json.loads(RESULTS.read_text(encoding="utf-8"))["sets"] if RESULTS.is_file() else []
    for subject in SUBJECTS:
        if arguments.set in (None, subject.name):
            row = run(subject, arguments.data, arguments.out.resolve())
            found = [*(one for one in found if one["name"] != subject.name), row]
            RESULTS.write_text(json.dumps({"sets": found}, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
            print(json.dumps(row, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
