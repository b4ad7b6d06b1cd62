"""The claim of speed with its promise kept, by one protocol that is fixed before its first run.

    python bench/claim.py --data DIR --out DIR [--set NAME ...] [--fold N ...] [--time [--without-vnni]]

Seven sets, three folds each. For each fold `penjing make` learns from the rows of the other two: it tunes the teacher,
`penjing/small`, and makes one form of it (`STEPS`), the same for all sets. The form was fixed after a first look at
another set (THUCNews titles, docs/base.md), which had another number of copies and no cascade. Teacher, form and word
counts (`tune.linear`) then answer the fold. A fold is one line of bench/results/claim.jsonl; a fold that is already
there is skipped.

Fold 0 is also timed (`--time`, apart from the folds, on a processor with VNNI that does nothing else): the form and its
rivals answer 500 of its texts in turn (A B A B ...), one at a time, with the same threads, tokenization included. The
times are a line of their own; the models are those in the folder `--out`. Times of a processor without VNNI
(`--without-vnni`) are shown, and no verdict depends on them. Rivals: the Hugging Face pipeline, the INT8 of the teacher
and of the student in ONNX Runtime, TF-IDF, Model2Vec, and frozen embeddings with logistic regression.

A set holds the claim if, over all its rows and the labels with 30 rows or more, the form keeps 99 % of the teacher's
macro-F1 by the one-sided 95 % bound, is 50 times as fast as the pipeline in the mean, and answers within 0.25 ms in the
median and 5 ms at p99. The page also gives the share of the teacher's lead over word counts that the form keeps.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import speed
from folds import answers, deal, pooled, recipe_of
from penjing.core.answers import Choice, as_kind
from penjing.core.canon import digest
from penjing.core.machine import cores, hardware
from penjing.core.nouns import Silent
from penjing.core.recipe import load_recipe
from penjing.data.prepare import prepare
from penjing.model.base import open_base
from penjing.runtime.open import open_session
from penjing.tasks import reader_of
from penjing.tasks.metrics import encode_labels
from speed import LINEAR, Row, promised_labels
from spine import SETS as SPINE
from spine import append, key_of, parser_of, read_results, run_one, write_recipe

RESULTS = speed.RESULTS.with_name("claim.jsonl")
SETS = (*SPINE, "finance", "fraud")
TEACHER, FOLDS, CALLS = "penjing/small", 3, 500
TUNE: Row = {"layers": 4, "learning_rate": [3.0e-4], "epochs": 3, "max_tokens": 96}
STEPS: list[Row] = [
    {"compress.student": {"base": "penjing/nano"}},
    {
        "compress.distill": {
            "loss": "centred",
            "copies": 2,
            "epochs": 8,
            "learning_rate": 1.0e-3,
            "batch_rows": 64,
            "batch_tokens": 4096,
        }
    },
    {"compress.int8": {}},
    {"compress.ngrams": {}},
    {"compress.cascade": {"agreement": 0.99}},
]
GATES: Row = {"keep": 0.99, "unproven": "allow"}
WANTED = {"kept": 0.99, "times": 50.0, "p50_ms": 0.25, "p99_ms": 5.0}


def key(name: str) -> str:
    """What makes a fold the same fold: recipe, base, steps, number of folds."""
    return digest([key_of(name, TEACHER, 0, 0, TUNE, STEPS), FOLDS])


def has_vnni(machine: str) -> bool:
    """Whether the processor of a machine multiplies INT8 in one instruction. machine: as `hardware` describes it."""
    return "vnni" in machine


def fold_row(name: str, fold: int, data: Path, folder: Path) -> Row:
    """Make the form on the other folds; the answers of teacher, form and word counts."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = write_recipe(name, TEACHER, 0, 0, data, folder, tune=TUNE)
    rows = prepare(load_recipe(whole), reader_of(load_recipe(whole)), Silent())
    inside = folder / str(fold)
    inside.mkdir(exist_ok=True)
    recipe, out = recipe_of(whole, deal(rows, FOLDS), fold, STEPS, inside, GATES), inside / "out"
    _, seconds, report = run_one(recipe, out, inside / "log.txt")
    form = next(one["name"] for one in reversed(report["variants"]) if one["name"] != LINEAR)
    row: Row = {"key": key(name), "set": name, "fold": fold, "folds": FOLDS, "form": form, "seconds": round(seconds)}
    row |= {"labels": rows.labels, "over": promised_labels(rows), "hardware": hardware(), "threads": cores()}
    return row | answers(recipe, out, report, form, rows.labels) | {"linear": linear(recipe, out, rows.labels)}


def time_row(name: str, folder: Path) -> Row:
    """The times of fold 0, whose models are in `folder`."""
    out = folder / "0" / "out"
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    form = next(one["name"] for one in reversed(report["variants"]) if one["name"] != LINEAR)
    subjects = timed(folder / "0" / "recipe.yaml", out, report, form)
    about = {"hardware": hardware(), "threads": cores()}
    return {"key": key(name), "set": name, "timed": 0, "form": form, "subjects": subjects, **about}


def linear(recipe: Path, out: Path, labels: Sequence[str]) -> list[int]:
    """What word counts say of the fold's rows, as positions in `labels`."""
    file = load_recipe(recipe)
    data = prepare(file, reader_of(file), Silent())
    artifact = next(one for one in speed.cached(out).values() if one.card.method == LINEAR)
    said = open_session(artifact, threads=cores()).predict(list(data.test.texts))
    found: list[int] = encode_labels([as_kind(one.answer, Choice).top()[0] for one in said], labels).tolist()
    return found


def timed(recipe: Path, out: Path, report: Row, form: str) -> Row:
    """Score and times of the form and of its rivals on the fold's rows, by name."""
    file = load_recipe(recipe)
    data, artifacts = prepare(file, reader_of(file), Silent()), speed.cached(out)
    threads = file.recipe.threads or cores()
    last = next(one for one in reversed(report["variants"]) if one["name"] == form)
    methods = {artifact.card.method: artifact for artifact in artifacts.values()}
    teacher, student = methods["tune.full"], methods["compress.distill"]
    base = open_base(file.recipe.base, recipe.parent)
    with tempfile.TemporaryDirectory() as scratch:
        vectors = Path(scratch) / "model2vec.npy"
        subjects = speed.rivals(teacher, student, base, data, threads, Path(scratch), vectors, False)
        subjects |= {"penjing": speed.penjing(artifacts[last["artifact"]], threads)}
        subjects |= {LINEAR: speed.penjing(methods[LINEAR], threads)}
        wanted = speed.labels_of(open_session(teacher, threads=threads).predict(list(data.test.texts)))
        return speed.compare(subjects, wanted, data, CALLS)


def folder_of(name: str, out: Path) -> Path:
    """Where the folds of a set are made."""
    return out / f"claim-{name}-{key(name)[:8]}"


def time_all(names: Sequence[str], out: Path, results: Path, *, without_vnni: bool = False) -> int:
    """Time fold 0 of each set that is made, unless it has times already: 0, or 1 on a processor that is not allowed.

    without_vnni: whether a processor without VNNI is. Times with VNNI are also taken where there are others only.
    """
    vnni = has_vnni(hardware())
    if not vnni and not without_vnni:
        print("this processor has no VNNI: the claim is timed on one that has (else: --without-vnni)", file=sys.stderr)
        return 1
    for name in names:
        earlier = [row for row in read_results(results) if row["key"] == key(name) and "timed" in row]
        done = any(has_vnni(row["hardware"]) or not vnni for row in earlier)
        if not done and (folder_of(name, out) / "0" / "out" / "report.json").is_file():
            append(results, time_row(name, folder_of(name, out)))
            print(f"{name}: timed", flush=True)
    return 0


def main() -> int:
    parser = parser_of(__doc__, SETS)
    parser.add_argument("--fold", type=int, action="append", choices=range(FOLDS), help="may be repeated; default: all")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--time", action="store_true", help="only time the models of fold 0 that are in --out")
    parser.add_argument("--without-vnni", action="store_true", help="time on any processor; shown, but no verdict")
    arguments = parser.parse_args()
    if arguments.time:
        return time_all(arguments.set or SETS, arguments.out, arguments.results, without_vnni=arguments.without_vnni)
    failed = 0
    for fold in arguments.fold or range(FOLDS):
        for name in arguments.set or SETS:
            before = [row for row in read_results(arguments.results) if row["key"] == key(name) and "fold" in row]
            if any(row["fold"] == fold for row in before):
                continue
            try:
                row = fold_row(name, fold, arguments.data, folder_of(name, arguments.out))
            except RuntimeError as error:
                print(f"{name}, fold {fold}: FAILED: {error}", flush=True)
                failed += 1
                continue
            append(arguments.results, row)
            kept = pooled([*before, row])
            print(f"{name}, fold {fold}, {row['seconds']} s: kept {kept.value:.4f} (>= {kept.lower:.4f})", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
