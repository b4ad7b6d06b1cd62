"""By which rows `make` chooses where labels are few: what is sealed by validation rows, what by folds, and its score.

    python bench/choose.py --data DIR --out DIR [--run SET/K ...]

Protocol, written before its first run. Sets: BANKING77 (77 labels), THUCNews titles (10) and ChnSentiCorp (2). K rows
of each label of the train file (THUCNews: dev) are the labelled rows, drawn with seed 0; 1,000 rows of the test file
test. K is 10, the least of which `make` takes two labels, and 16; ChnSentiCorp has 16 alone, because 20 rows are
refused. The recipe is that of `penjing init`, with the base `penjing/nano`, `unproven: allow` and `threads: 1`. It is
made with `choose: validation` and with `choose: auto`, from one cache.

Reported: which model either run seals, the difference out of fold with its bounds, and macro-F1 of both sealed models
on the 1,000 test rows, with the 95 % interval of their paired difference. Nothing is chosen on test rows.
Writes bench/results/choose.json; a run that is there is skipped.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import random
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from penjing.cli.main import app
from penjing.core.folder import write_whole
from penjing.core.machine import hardware
from penjing.core.nouns import Release, Table
from penjing.make.run import make_release
from penjing.prove.score import Scored, score
from penjing.runtime.open import open_session

RESULTS = Path(__file__).resolve().parent / "results" / "choose.json"
RUNS = ("thucnews/16", "banking77/10", "chnsenticorp/16", "thucnews/10", "banking77/16")
TEST = 1000
Rows = list[tuple[str, str]]


def read(name: str, folder: Path) -> tuple[Rows, Rows]:
    """The rows of the train and of the test file of a set."""
    if name == "banking77":
        parts = [folder / "en-intent-banking77" / f"{part}.csv" for part in ("train", "test")]
        found = [[(row["text"].strip(), row["category"]) for row in csv.DictReader(_lines(path))] for path in parts]
    elif name == "thucnews":
        parts = [folder / "zh-news-thucnews-titles" / f"{part}.txt" for part in ("dev", "test")]
        found = [[(row[0], f"c{row[1]}") for row in _tabbed(path)] for path in parts]
    else:
        parts = [folder / "zh-sentiment-chnsenticorp" / part for part in ("train.tsv.gz", "test.tsv")]
        found = [[(row[1], row[0]) for row in _tabbed(path) if row[0] in "01"] for path in parts]
    return found[0], found[1]


def _lines(path: Path) -> list[str]:
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return raw.decode("utf-8-sig").splitlines(keepends=True)


def _tabbed(path: Path) -> Iterator[list[str]]:
    for line in _lines(path):
        row = line.rstrip("\r\n").split("\t")
        if len(row) == 2 and row[0] and row[1]:
            yield row


def drawn(rows: Rows, count: int) -> Rows:
    """So many rows of each label."""
    by_label: dict[str, list[str]] = defaultdict(list)
    for text, label in rows:
        by_label[label].append(text)
    drawing = random.Random(0)
    return [(text, label) for label in sorted(by_label) for text in drawing.sample(by_label[label], count)]


def write_recipe(folder: Path, rows: Rows, choose: str) -> Path:
    """The recipe of `penjing init` for these rows."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    path = folder / "recipe.yaml"
    if not path.exists():
        app(["init", str(folder), "--data", str(folder / "rows.csv")], standalone_mode=False)
        lines = path.read_text(encoding="utf-8").splitlines()
        lines = ["base: penjing/nano" if line.startswith("base:") else line for line in lines]
        path.write_text("\n".join(lines).replace("unproven: refuse", "unproven: allow") + "\n", encoding="utf-8")
    own = path.with_name(f"{choose}.yaml")
    own.write_text(f"{path.read_text(encoding='utf-8')}threads: 1\nchoose: {choose}\n", encoding="utf-8")
    return own


def scored(release: Release, rows: Rows) -> Scored:
    """The model of a release on rows that it has not seen, as it reads them."""
    session = open_session(release.artifact, threads=1)
    texts = [session.prepare(text).text for text, _ in rows]
    return score(session, Table(texts, [label for _, label in rows]))


def run_one(name: str, folder: Path, data: Path) -> dict[str, Any]:
    """What either way seals, and the scores."""
    which, _, count = name.partition("/")
    train, test = read(which, data)
    random.Random(1).shuffle(test)
    labelled = drawn(train, int(count))
    known = {text for text, _ in labelled}
    test = [row for row in test if row[0] not in known][:TEST]
    models, found = {}, dict[str, Any]()
    for choose in ("validation", "auto"):
        made = make_release(write_recipe(folder, labelled, choose), folder / "out")
        if made.release is None:
            raise SystemExit(f"{name}: nothing was sealed: {made.refused}")
        models[choose] = scored(made.release, test)
        folds = made.report.folds
        found[choose] = {
            "sealed": made.report.tested,
            "macro_f1": round(models[choose].value(), 4),
            "folds": None if folds is None else folds.model_dump(mode="json"),
            "splits": made.report.data.splits,
        }
    paired = models["auto"].difference(models["validation"])
    return {**found, "test_rows": len(test), "difference": paired.to_json()}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--run", nargs="*", default=RUNS, choices=RUNS)
    given = parser.parse_args(arguments)
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {"runs": {}}
    for name in given.run:
        if name in results["runs"]:
            continue
        results["runs"][name] = run_one(name, given.out / name.replace("/", "-"), given.data)
        results["machine"] = hardware()
        raw = json.dumps(results, indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"
        write_whole(RESULTS, raw)
        print(name, json.dumps(results["runs"][name]), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
