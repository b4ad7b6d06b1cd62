"""Few labels: every method of fitting a model, with 8, 16 and 64 labelled rows a label.

    python bench/few.py --data DIR --scratch DIR [--set NAME ...] [--minutes N]

Protocol, written before its first run. Sets: ChnSentiCorp (2 labels, Chinese) and Financial PhraseBank (3 labels,
English). Texts are masked; of the same or nearly the same ones one is taken. By the hash of their text 500 rows test,
500 are texts without labels, and the others are the pool. Of each draw 0, 1, 2 and each label, k = 8, 16, 64 rows of
the pool train and k others validate: they choose the epoch and fit the temperature. The base is `penjing/nano`, inputs
have at most 48 tokens. For `cloze` it is `penjing/nano` after `pretrain.mlm` over 400,000 tokens of the texts without
labels and 1,500 of the pool, because no base as it is shipped has a head of hidden tokens.

full, selftrain (round 0), consistency, and the gap of cloze: 60 steps of 16 rows (as whole passes over the train rows),
rate 2e-4, and the epoch with the best score on validation. fewshot and prototype: their defaults. selftrain: one round.
consistency: ratio 1. cloze: 2 passes of the classifier; the templates and words are in SETS. linear: its defaults.
Seed 0, one thread.

Reported: macro-F1 on the test rows, its mean over the draws with the smallest and largest, and seconds (of a shared
machine: no result). Nothing is chosen on test rows, and the first complete run is the one that is reported.

Writes bench/results/few.json: {"runs": {"SET/K/METHOD/DRAW": {"macro_f1", "nll", "seconds"}}, "machine"}. A run that is
in the results is skipped, so the bench can be killed and started again; with --minutes it ends itself.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
import math
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from machines import with_this_machine
from penjing.core.answers import answer_to_json
from penjing.core.artifact import open_artifact
from penjing.core.canon import digest_lines, unit_hash
from penjing.core.folder import replaced_file
from penjing.core.methods import load_method
from penjing.core.nouns import Artifact, Inputs, Run, Table
from penjing.core.options import build_options
from penjing.data.dedupe import find_duplicates
from penjing.data.mask import VERSION, open_masking
from penjing.model.base import open_base
from penjing.runtime.open import open_session
from penjing.tasks import open_reader, task_of
from penjing.tasks.metrics import macro_f1
from penjing.tune import METHODS

RESULTS = Path(__file__).resolve().parent / "results" / "few.json"
BASE, TOKENS, STEPS, ROWS = "penjing/nano", 48, 60, 16
TEST, UNLABELLED, PRETRAINED = 500, 500, 1500
MLM = {"tokens": 400_000, "length": TOKENS, "evaluations": 1, "positions": 0, "held_out": 2000, "precision": "float32"}
SIZES, DRAWS = (8, 16, 64), (0, 1, 2)
COMPARED = ("linear", "full", "fewshot", "prototype", "cloze", "selftrain", "consistency")
Rows = list[tuple[str, str]]


def _chnsenticorp(folder: Path) -> Rows:
    found: Rows = []
    for name in ("train.tsv.gz", "dev.tsv", "test.tsv"):
        raw = (folder / "zh-sentiment-chnsenticorp" / name).read_bytes()
        text = (gzip.decompress(raw) if name.endswith(".gz") else raw).decode("utf-8-sig")
        for line in text.splitlines()[1:]:
            label, _, review = line.partition("\t")
            found.append((review.strip(), label.strip()))
    return [(text, label) for text, label in found if text and label in ("0", "1")]


def _phrasebank(folder: Path) -> Rows:
    raw = (folder / "en-finance-phrasebank" / "all-data.csv").read_bytes().decode("cp1252")
    return [(row[1].strip(), row[0].strip()) for row in csv.reader(io.StringIO(raw)) if len(row) == 2]


@dataclass(frozen=True)
class Set:
    """A set: its language, how it is read, and the template and words of `cloze`."""

    language: str
    read: Callable[[Path], Rows]
    template: str
    words: dict[str, list[str]]


SETS = {
    "chnsenticorp": Set("zh", _chnsenticorp, "{text}。这是[MASK]评。", {"0": ["差"], "1": ["好"]}),
    "phrasebank": Set(
        "en", _phrasebank, "{text} It is [MASK] news.", {"negative": ["bad"], "neutral": ["no"], "positive": ["good"]}
    ),
}


@dataclass(frozen=True)
class Parts:
    """The rows of a set: test, texts without labels, and the pool of each label in the order of its hashes."""

    test: Rows
    unlabelled: list[str]
    pool: dict[str, list[str]]

    def drawn(self, size: int, draw: int) -> tuple[Table, Table]:
        """`size` rows of each label that train, and as many that validate."""
        train: Rows = []
        validation: Rows = []
        for label, texts in sorted(self.pool.items()):
            order = np.random.default_rng([draw, size]).permutation(len(texts))[: 2 * size].tolist()
            train += [(texts[place], label) for place in order[:size]]
            validation += [(texts[place], label) for place in order[size:]]
        return table_of(train), table_of(validation)


def table_of(rows: Rows) -> Table:
    """Rows as a table."""
    return Table([text for text, _ in rows], [label for _, label in rows], range(1, len(rows) + 1))


def split(rows: Rows) -> Parts:
    """The parts of the protocol, the same ones every time."""
    masking = open_masking(VERSION)
    masked = [(masking.run(text).text, label) for text, label in rows]
    texts, labels = zip(*masked, strict=True)
    found = find_duplicates(texts, labels, [0] * len(masked))
    repeated = {removed for removed, _ in (*found.exact, *found.near)} | {
        each for some in found.conflicts for each in some
    }
    left = [row for place, row in enumerate(masked) if place not in repeated]
    left.sort(key=lambda row: (unit_hash(row[0]), row))
    pool: dict[str, list[str]] = defaultdict(list)
    for text, label in left[TEST + UNLABELLED :]:
        pool[label].append(text)
    return Parts(left[:TEST], [text for text, _ in left[TEST : TEST + UNLABELLED]], dict(pool))


def passes(rows: int) -> int:
    """As many passes over the train rows as make 60 steps of 16 rows."""
    return max(1, math.ceil(STEPS / math.ceil(rows / ROWS)))


def options_of(name: str, rows: int, one: Set) -> dict[str, Any]:
    """The options of a method in the protocol."""
    trained = {"epochs": passes(rows), "learning_rate": 2e-4, "patience": 100, "max_tokens": TOKENS}
    cloze = {"cloze_epochs": passes(rows), "cloze_rate": 2e-4, "epochs": 2, "learning_rate": 2e-4, "max_tokens": TOKENS}
    options: dict[str, dict[str, Any]] = {
        "full": trained,
        "fewshot": {"max_tokens": TOKENS},
        "prototype": {"max_tokens": TOKENS},
        "selftrain": trained | {"rounds": 1},
        "consistency": trained | {"ratio": 1},
        "cloze": cloze | {"patience": 100, "template": one.template, "words": one.words},
    }
    return options.get(name, {})


@dataclass(frozen=True)
class Texts:
    """Documents to pre-train on, from memory; every tenth is held out."""

    texts: Sequence[str]
    domains: tuple[str, ...] = ("texts",)

    @property
    def id(self) -> str:
        """The hash of the texts."""
        return digest_lines(self.texts)

    def documents(self, part: str, domain: str | None = None) -> Iterator[str]:  # noqa: ARG002
        """The texts of a part."""
        return (text for place, text in enumerate(self.texts) if (place % 10 == 9) == (part == "held_out"))


def with_gap(base: Artifact, parts: Parts, language: str, folder: Path) -> Artifact:
    """The base after `pretrain.mlm` on the texts of the protocol, made now or by an earlier call."""
    if (folder / "base").exists():
        return open_artifact(folder / "base")
    from penjing.pretrain import METHODS as OBJECTIVES

    pool = sorted((text for texts in parts.pool.values() for text in texts), key=unit_hash)
    corpus = Texts([*parts.unlabelled, *pool[:PRETRAINED]])
    method = load_method("mlm", OBJECTIVES, "bench")
    empty = Table([], [])
    inputs = Inputs(base, empty, empty, language=language, corpora=[corpus])
    options = build_options(method.options, MLM, "bench")
    return method.apply(inputs, options, Run(folder / "base", folder / "base-scratch", threads=1))


def run_one(name: str, size: int, draw: int, one: Set, parts: Parts, base: Artifact | None) -> dict[str, float]:
    """One method on one draw, on the test rows."""
    train, validation = parts.drawn(size, draw)
    method = load_method(name, METHODS, "bench")
    task = open_reader("classify", {}).learn([*(train.labels or ()), *(validation.labels or ())])
    inputs = Inputs(base, train, validation, language=one.language, unlabelled=parts.unlabelled, task=task)
    options = build_options(method.options, options_of(name, len(train), one), "bench")
    with TemporaryDirectory() as folder:
        began = time.monotonic()
        made = method.apply(inputs, options, Run(Path(folder) / "out", Path(folder) / "scratch", threads=1))
        seconds = time.monotonic() - began
        answers = [each.answer for each in open_session(made, threads=1).predict([text for text, _ in parts.test])]
    labels = task_of(made.card).scopes
    truth = np.array([labels.index(label) for _, label in parts.test])
    table = np.array([answer_to_json(each)["probabilities"] for each in answers])
    own = np.maximum(table[np.arange(len(truth)), truth], 1e-6)
    return {
        "macro_f1": round(float(macro_f1(truth, table.argmax(axis=1), len(labels))), 4),
        "nll": round(float(-np.log(own).mean()), 4),
        "seconds": round(seconds, 1),
    }


def read_results(path: Path) -> dict[str, Any]:
    """The runs so far, by `SET/K/METHOD/DRAW`."""
    return dict(json.loads(path.read_text(encoding="utf-8"))["runs"]) if path.is_file() else {}


def add_result(path: Path, name: str, row: Mapping[str, Any]) -> None:
    """Write the results with one run more; the old file stays whole until the new one is."""
    before = json.loads(path.read_text(encoding="utf-8"))["machine"] if path.is_file() else ""
    runs = read_results(path) | {name: dict(row)}
    with replaced_file(path) as new:
        found = {"machine": with_this_machine(before), "runs": dict(sorted(runs.items()))}
        new.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--set", choices=tuple(SETS), action="append", help="may be repeated; default: all")
    parser.add_argument("--minutes", type=float, default=math.inf, help="no run begins after so long")
    parser.add_argument("--scratch", type=Path, required=True, help="a folder for the bases of `cloze`")
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    began = time.monotonic()
    base = open_base(BASE, Path())
    parts: dict[str, Parts] = {}
    gaps: dict[str, Artifact] = {}
    # By draw first, so that an early end leaves whole draws of all sizes and methods.
    for draw, name, size, method in product(DRAWS, arguments.set or SETS, SIZES, COMPARED):
        title = f"{name}/{size}/{method}/{draw}"
        if title in read_results(arguments.results):
            continue
        if time.monotonic() - began > 60 * arguments.minutes:
            print("time is up: start it again to go on", flush=True)
            return 1
        one = SETS[name]
        if name not in parts:
            parts[name] = split(one.read(arguments.data))
        if method == "cloze" and name not in gaps:
            gaps[name] = with_gap(base, parts[name], one.language, arguments.scratch / name)
        given = gaps[name] if method == "cloze" else None if method == "linear" else base
        row = run_one(method, size, draw, one, parts[name], given)
        add_result(arguments.results, title, row)
        print(f"{title}: {row}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
