"""Tuning methods: every method on the same rows, five groups of labels in sequence, and attacks before and after.

    python bench/tune.py --data DIR --out DIR [--part methods|sequence|attack ...] [--minutes N]

Protocol, written before its first run. One seed, one thread, base `penjing/nano` with all its layers (2); what is not
named has its default. Differences under two points cannot be seen with one seed and 500 test rows.

- `methods`: ChnSentiCorp (2 labels, Chinese) and PhraseBank (3 labels, English), read as in bench/few.py: texts masked,
  of nearly the same ones one is taken, in the order of their hashes 500 test rows, 500 texts without labels, 1,000 rows
  to train, 300 to validate. Four passes, 48 tokens; `fewshot`, `prototype` and `cloze` with their own defaults for
  passes, `continual` with `lwf: 1`; `cloze` after `pretrain.mlm` as in bench/few.py. And CLUENER (10 types of entities,
  1,000 sentences to train, 300 to validate, 500 to test, by hash) for the methods of token heads, eight passes.
  Reported: macro-F1 (entity F1 of CLUENER) on the test rows, the share of the parameters that learned, processor
  seconds, megabytes of the artifact, and of its small folder where there is one.
- `sequence`: the 77 labels of BANKING77 in five groups by the hash of their names, one after the other. Of each group
  the train rows that are given, of which every sixth by hash validates; its test rows. Each step begins from the model
  before. `full` and `lwf` see the new rows alone (and 2 rows of each earlier label, without which the head has no such
  label); `replay` has as many earlier rows as new ones, the same number of each label; `replay+lwf` and `replay+ewc`
  add to it. `rank` and `o-lora` see what `lwf` sees; products of rank 8 learn alone, those of `o-lora` apart from the
  ones before; `replay+o-lora` has earlier rows too. `together`: all rows at once. Six passes, 32 tokens, rate 1e-3.
  Reported after the last step: the mean share of right answers over the groups, and the mean of (right answers just
  after its own step - right answers at the end) over the first four groups.
- `attack`: the rows of `methods`. `full`, `full` with `adversarial: fgm` and with `adversarial: freelb`, `full` with
  `augment: {synonyms: 0.1, swap: 0.1, deletion: 0.1, copies: 2}`, `linear`. Macro-F1 on the test rows, and on the same
  rows with typing errors (PhraseBank), homophones, look-alikes (ChnSentiCorp), spaces inside words and invisible
  characters, at the usual strength (core/robustness.py). A text that a kind does not alter stays as it is.

A unit that is in bench/results/tune.json is not repeated. --minutes: no unit begins after so long.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from few import SETS, Parts, add_result, read_results, split, with_gap
from penjing.core.answers import Choice, as_kind
from penjing.core.canon import unit_hash
from penjing.core.folder import folder_size
from penjing.core.methods import load_method
from penjing.core.nouns import Artifact, Inputs, Run, Table
from penjing.core.options import build_options
from penjing.core.robustness import USUAL
from penjing.core.task import Task
from penjing.data.augment.altered import free_words, rewritten
from penjing.data.mask import VERSION, open_masking
from penjing.data.noise import NOISES
from penjing.model.base import open_base
from penjing.prove.score import score
from penjing.runtime.open import open_session
from penjing.tasks import open_reader
from penjing.tasks.metrics import macro_f1
from penjing.text.words import word_spans
from penjing.tune import METHODS
from tasks_sets import cluener

RESULTS = Path(__file__).resolve().parent / "results" / "tune.json"
BASE, TRAIN, VALIDATION = "penjing/nano", 1000, 300
PASSES: dict[str, Any] = {"epochs": 4, "max_tokens": 48}
OWN_PASSES = ("fewshot", "prototype", "cloze")
UNTRAINED = ("linear",)
PARTS = ("methods", "sequence", "attack")
KINDS = {
    "chnsenticorp": ("homophones", "lookalikes", "spaces", "invisible"),
    "phrasebank": ("typos", "spaces", "invisible"),
}
HARDENED: dict[str, dict[str, Any]] = {
    "full": {},
    "fgm": {"adversarial": "fgm"},
    "freelb": {"adversarial": "freelb"},
    "augment": {"augment": {"synonyms": 0.1, "swap": 0.1, "deletion": 0.1, "copies": 2}},
    "linear": {},
}
# Options of `tune.continual` in each way of learning in sequence; `full` and `together` have none.
STRATEGIES: dict[str, dict[str, float]] = {
    "full": {},
    "lwf": {"lwf": 1.0},
    "replay": {"lwf": 0.0},
    "replay+lwf": {"lwf": 1.0},
    "replay+ewc": {"lwf": 0.0, "ewc": 100.0},
    "rank": {"rank": 8, "orthogonal": 0.0},
    "o-lora": {"rank": 8},
    "replay+o-lora": {"rank": 8},
    "together": {},
}
Rows = list[tuple[str, str]]


def table_of(rows: Sequence[tuple[str, str]]) -> Table:
    """Rows as a table."""
    return Table([text for text, _ in rows], [label for _, label in rows], range(1, len(rows) + 1))


def fitted(
    name: str, given: Mapping[str, Any], inputs: Inputs, folder: Path, seed: int = 0
) -> tuple[Artifact, dict[str, Any]]:
    """The artifact of a method, and what it cost."""
    method = load_method(name, METHODS, "bench")
    options = build_options(method.options, dict(given), "bench")
    began = time.process_time()
    made = method.apply(inputs, options, Run(folder / "out", folder / "scratch", seed=seed, threads=1))
    cost = {"seconds": round(time.process_time() - began, 1), "mb": round(folder_size(made.folder) / 1e6, 2)}
    learned = made.card.notes.get("learned_parameters")
    if learned is not None:
        cost["learned"] = round(learned / max(1, made.card.parameters), 5)
    if (made.folder / "adapter").is_dir():
        cost["adapter_kb"] = round(folder_size(made.folder / "adapter") / 1e3, 1)
    cost["peak_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return made, cost


def texts_of(made: Artifact, texts: Sequence[str], golds: Sequence[str]) -> float:
    """Macro-F1 of an artifact of one label a text."""
    said = [as_kind(each.answer, Choice).top()[0] for each in open_session(made, threads=1).predict(list(texts))]
    labels = sorted({*golds, *said})
    truth = np.array([labels.index(gold) for gold in golds])
    return round(float(macro_f1(truth, np.array([labels.index(one) for one in said]), len(labels))), 4)


def drawn(parts: Parts) -> tuple[Table, Table]:
    """Train and validation rows, in the order of their hashes."""
    pool = ((text, label) for label, texts in parts.pool.items() for text in texts)
    rows = sorted(pool, key=lambda row: unit_hash(row[0]))
    return table_of(rows[:TRAIN]), table_of(rows[TRAIN : TRAIN + VALIDATION])


def one_label(name: str, method: str, parts: Parts, base: Artifact, folder: Path, more: Mapping[str, Any]) -> Artifact:
    """The artifact of a method of one label a text, in `folder`."""
    return _one_label(name, method, parts, base, folder, more)[0]


def _one_label(
    name: str, method: str, parts: Parts, base: Artifact, folder: Path, more: Mapping[str, Any]
) -> tuple[Artifact, dict[str, Any]]:
    train, validation = drawn(parts)
    task = open_reader("classify", {}).learn([*(train.labels or ()), *(validation.labels or ())])
    parent: Artifact | None = base
    options: dict[str, Any] = {} if method in UNTRAINED else dict(PASSES)
    if method in OWN_PASSES:
        options.pop("epochs")
    if method == "linear":
        parent = None
    language = SETS[name].language
    if method == "continual":
        parent = fitted("full", options, Inputs(base, train, validation, language=language, task=task), folder / "old")[
            0
        ]
        options["lwf"] = 1.0
    if method == "cloze":
        parent = with_gap(base, parts, language, folder.parent / f"gap-{name}")
        options |= {"template": SETS[name].template, "words": SETS[name].words}
    inputs = Inputs(parent, train, validation, language=language, unlabelled=parts.unlabelled, task=task)
    return fitted(method, options | dict(more), inputs, folder)


def run_method(name: str, method: str, parts: Parts, base: Artifact, folder: Path) -> dict[str, Any]:
    """One method on one set."""
    made, cost = _one_label(name, method, parts, base, folder, {})
    texts, golds = zip(*parts.test, strict=True)
    return {"score": texts_of(made, texts, golds)} | cost


def sentences(data: Path) -> tuple[Task, Table, Table, Table]:
    """CLUENER as rows of text and spans: train, validation and test."""
    reader = open_reader("tag", {})
    masking = open_masking(VERSION)
    found = [
        (row["text"], json.dumps(row["label"], ensure_ascii=False))
        for row in cluener(data)[0]
        if masking.run(row["text"]).text == row["text"]
    ]
    found.sort(key=lambda row: unit_hash(row[0]))
    cut = found[:500], found[500 : 500 + TRAIN], found[500 + TRAIN : 500 + TRAIN + VALIDATION]
    test, train, validation = (table_of(part) for part in cut)
    return reader.learn([*(train.labels or ()), *(validation.labels or ())]), train, validation, test


def run_tags(method: str, data: Path, base: Artifact, folder: Path) -> dict[str, Any]:
    """One method of token heads on CLUENER."""
    task, train, validation, test = sentences(data)
    options = {} if method == "linear" else {"epochs": 8, "max_tokens": 64}
    inputs = Inputs(None if method == "linear" else base, train, validation, language="zh", task=task)
    made, cost = fitted(method, options, inputs, folder)
    return {"score": round(score(open_session(made, threads=1), test).value(), 4)} | cost


def groups(data: Path) -> list[tuple[Table, Table, Table]]:
    """Train, validation and test rows of each group of labels of BANKING77."""

    def read(part: str) -> Rows:
        with (data / "en-intent-banking77" / f"{part}.csv").open(encoding="utf-8", newline="") as lines:
            return [(row["text"].strip(), row["category"]) for row in csv.DictReader(lines)]

    train, test = read("train"), read("test")
    labels = sorted({label for _, label in train}, key=unit_hash)
    found = []
    for number in range(5):
        mine = set(labels[number::5])
        own = sorted((row for row in train if row[1] in mine), key=lambda row: unit_hash(row[0]))
        watched, learned = own[::6], [row for place, row in enumerate(own) if place % 6]
        found.append((table_of(learned), table_of(watched), table_of([row for row in test if row[1] in mine])))
    return found


def joined(tables: Sequence[Table]) -> Table:
    """The rows of several tables."""
    return table_of([row for table in tables for row in zip(table.texts, table.labels or (), strict=True)])


def some_of(tables: Sequence[Table], most: int) -> Table:
    """At most `most` rows, as many of each label as of the others."""
    by_label: dict[str, Rows] = {}
    for table in tables:
        for row in zip(table.texts, table.labels or (), strict=True):
            by_label.setdefault(row[1], []).append(row)
    each = max(1, most // max(1, len(by_label)))
    return table_of([row for rows in by_label.values() for row in rows[:each]])


def right(made: Artifact, table: Table) -> float:
    """The share of right answers."""
    said = [as_kind(each.answer, Choice).top()[0] for each in open_session(made, threads=1).predict(list(table.texts))]
    return float(np.mean([one == gold for one, gold in zip(said, table.labels or (), strict=True)]))


def run_sequence(strategy: str, data: Path, base: Artifact, folder: Path) -> dict[str, Any]:
    """The five groups one after the other by one strategy of continual learning."""
    cut = groups(data)
    options: dict[str, Any] = {"epochs": 6, "max_tokens": 32, "learning_rate": 1e-3}
    if strategy == "together":
        inputs = Inputs(base, joined([one[0] for one in cut]), joined([one[1] for one in cut]), language="en")
        made, _ = fitted("full", options, inputs, folder)
        return {"right": round(float(np.mean([right(made, one[2]) for one in cut])), 4), "forgotten": 0.0}
    model, own = base, list[float]()
    for number, (train, validation, _) in enumerate(cut):
        before = [one[0] for one in cut[:number]]
        known = {label for one in before for label in one.labels or ()}
        most = len(train) if strategy.startswith("replay") else 2 * len(known)
        again = some_of(before, most) if before else Table([], [])
        both = joined([train, again])
        watched = joined([one[1] for one in cut[: number + 1]]) if strategy.startswith("replay") else validation
        inputs = Inputs(model, both, watched, language="en", replayed=range(len(train), len(both)))
        name, more = ("full", {}) if not number or strategy == "full" else ("continual", STRATEGIES[strategy])
        if not number and "rank" in STRATEGIES[strategy]:
            name, more = "lora", {"rank": 8}
        model, _ = fitted(name, options | more, inputs, folder / str(number))
        own.append(right(model, cut[number][2]))
    last = [right(model, one[2]) for one in cut]
    forgotten = [was - now for was, now in zip(own[:-1], last[:-1], strict=True)]
    return {"right": round(float(np.mean(last)), 4), "forgotten": round(float(np.mean(forgotten)), 4)}


def noisy(texts: Sequence[str], kind: str) -> list[str]:
    """The texts with a kind of noise at its usual strength, masked again."""
    masking, found = open_masking(VERSION), list[str]()
    for text in texts:
        free = free_words(text, word_spans)
        pieces = NOISES[kind](free, USUAL[kind], Random(f"0 {kind} {text}"))
        found.append(masking.prepare(rewritten(text, pieces).text).text if pieces else text)
    return found


def run_attack(name: str, training: str, parts: Parts, base: Artifact, folder: Path) -> dict[str, Any]:
    """One training of a set, on its test rows with and without noise."""
    method = "linear" if training == "linear" else "full"
    made = one_label(name, method, parts, base, folder, HARDENED[training])
    texts, golds = zip(*parts.test, strict=True)
    return {"plain": texts_of(made, texts, golds)} | {
        kind: texts_of(made, noisy(texts, kind), golds) for kind in KINDS[name]
    }


def units(data: Path, wanted: Sequence[str]) -> dict[str, Callable[[Path], dict[str, Any]]]:
    """Every unit by its name, in the order in which they run."""
    base = open_base(BASE, Path())
    parts = {name: split(one.read(data)) for name, one in SETS.items()}
    # CLUENER has no earlier model to go on from, and no texts without labels.
    left = ("continual", "selftrain")
    tagging = [name for name in METHODS if "token" in load_method(name, METHODS, "bench").heads and name not in left]
    found: dict[str, Callable[[Path], dict[str, Any]]] = {}
    if "methods" in wanted:
        for name in SETS:
            for method in METHODS:
                found[f"methods/{name}/{method}"] = partial(run_method, name, method, parts[name], base)
    if "sequence" in wanted:
        for strategy in STRATEGIES:
            found[f"sequence/banking77/{strategy}"] = partial(run_sequence, strategy, data, base)
    if "attack" in wanted:
        for name in SETS:
            for training in HARDENED:
                found[f"attack/{name}/{training}"] = partial(run_attack, name, training, parts[name], base)
    if "methods" in wanted:
        for method in tagging:
            found[f"methods/cluener/{method}"] = partial(run_tags, method, data, base)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds the sets")
    parser.add_argument("--out", type=Path, required=True, help="a folder for the work of the runs")
    parser.add_argument("--part", action="append", choices=PARTS, help="may be repeated; default: all")
    parser.add_argument("--minutes", type=float, default=math.inf, help="no unit begins after so long")
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    began, failed = time.monotonic(), 0
    for name, run in units(arguments.data, arguments.part or PARTS).items():
        if name in read_results(arguments.results):
            continue
        if time.monotonic() - began > 60 * arguments.minutes:
            print("time is up: start it again to go on", flush=True)
            return 1
        with TemporaryDirectory(dir=arguments.out) as folder:
            try:
                row = run(Path(folder) / "unit")
            except Exception as error:  # noqa: BLE001 - the other units are run all the same
                print(f"{name}: FAILED: {type(error).__name__}: {error}", flush=True)
                failed += 1
                continue
        add_result(arguments.results, name, row)
        print(f"{name}: {row}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
