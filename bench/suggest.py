"""How many labels a choice of texts saves: `penjing label suggest` against texts drawn by chance.

    python bench/suggest.py --data DIR [--set banking77|chnsenticorp] [--method NAME ...]

Protocol, written before its first run. Sets: `banking77`, the train file of BANKING77 (77 intents, English) and its
test file; `chnsenticorp`, the train file of ChnSentiCorp (2 labels, Chinese) and its test file. The rows are masked;
rows that are the same or nearly the same as an earlier one, and train rows like a test row, are left out. Of each set
and each seed (0, 1, 2): 200 rows fix the temperature, 2,000 others are the pool, and the test rows (the first 1,200 by
the digest of the text) only give the score, macro-F1. Labels are bought from the pool: 200 (banking77) or 50
(chnsenticorp) by chance, the same for every method, then in steps of as many, until 1,600 or 800 are bought. After each
step `tune.linear` (C = 16, its other options as they are) is fitted on what was bought. The methods are those of
`penjing label suggest`, called as the command calls them, and `random`. The full score is that of all 2,000 rows.
Reported: for each method the mean over seeds of the labels at which the score first reaches 95 % of the full score, by
linear interpolation between two steps; "not reached" where one seed does not reach it. The default of the command is
the method with the smallest sum, over both sets, of labels as a share of those of `random`. The first complete run is
reported. Two threads of a shared machine; speed is no result here.

Writes bench/results/suggest.json: {"sets": [{"name", "full", "curves": {method: [[[rows, score], ...] of each seed]},
"labels": {method: mean or null}}], "machine"}.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import random
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from penjing.cases.suggest import LabelRequest, Unlabelled, suggest
from penjing.core.canon import unit_hash
from penjing.core.machine import hardware
from penjing.core.nouns import Inputs, Run, Silent, Table
from penjing.data.dedupe import find_duplicates
from penjing.data.mask import VERSION, open_masking
from penjing.runtime.choose_texts import METHODS
from penjing.runtime.open import open_session
from penjing.runtime.session import Session
from penjing.tasks import open_reader
from penjing.tune import linear

RESULTS = Path(__file__).resolve().parent / "results" / "suggest.json"
RANDOM = "random"
SEEDS, POOL, VALIDATION, TEST, FULL = (0, 1, 2), 2000, 200, 1200, 0.95
# Labels a step, and the most that are bought.
STEPS = {"banking77": (200, 1600), "chnsenticorp": (50, 800)}
Rows = Sequence[tuple[str, str]]
Curve = list[tuple[int, float]]


@dataclass(frozen=True)
class Setting:
    """How labels are bought: the first ones by chance, then `step` at a time up to `most`, by `method`."""

    method: str
    step: int
    most: int
    seed: int = 0
    language: str = "mixed"


def simulate(pool: Rows, validation: Rows, test: Rows, setting: Setting) -> Curve:
    """The score of `tune.linear` by the number of labels that were bought: [(rows, score)].

    pool: (masked text, label), whose labels are seen once they are bought; validation fixes the temperature.
    """
    drawn = random.Random(setting.seed).sample(range(len(pool)), len(pool))
    bought, curve = drawn[: setting.step], Curve()
    truth = dict(pool)
    while True:
        session = fitted([pool[place] for place in bought], validation, test, setting)
        curve.append((len(bought), score(session, test)))
        if len(bought) >= setting.most:
            return curve
        step = min(setting.step, setting.most - len(bought))
        if setting.method == RANDOM:
            bought = drawn[: len(bought) + step]
            continue
        left = set(range(len(pool))) - set(bought)
        waiting = [Unlabelled("pool", place, pool[place][0]) for place in sorted(left)]
        rows = Counter(pool[place][1] for place in bought)
        known = [pool[place][0] for place in bought]
        method = next(each for each in METHODS if each == setting.method)
        chosen = suggest(session, waiting, LabelRequest(method, step, rows, known), Silent()).chosen
        assert all(one.text.text in truth for one in chosen)
        bought = [*bought, *(one.text.row for one in chosen)]


def fitted(train: Rows, validation: Rows, test: Rows, setting: Setting) -> Session:
    """`tune.linear` on these rows, with every label of the set."""
    task = open_reader("classify", {}).learn([label for _, label in (*train, *validation, *test)])
    with TemporaryDirectory() as name:
        run = Run(out=Path(name) / "out", scratch=Path(name) / "scratch", seed=setting.seed, threads=1)
        inputs = Inputs(None, table(train), table(validation), language=setting.language, task=task)
        return open_session(linear.apply(inputs, linear.Options(c=(16.0,)), run), threads=1)


def table(rows: Rows) -> Table:
    """Rows as a table."""
    return Table([text for text, _ in rows], [label for _, label in rows], range(2, len(rows) + 2))


def score(session: Session, test: Rows) -> float:
    """The first metric of the task on the test rows."""
    answers = [each.answer for each in session.predict([text for text, _ in test])]
    sums = session.task.counts(answers, [label for _, label in test]).sum(axis=0)
    return round(float(next(iter(session.task.metrics(sums).values()))), 6)


def labels_for(curve: Curve, wanted: float) -> float | None:
    """The number of labels at which a curve first reaches a score, between its steps; None if it never does."""
    before: tuple[int, float] | None = None
    for rows, reached in curve:
        if reached >= wanted:
            if before is None:
                return float(rows)
            return before[0] + (rows - before[0]) * (wanted - before[1]) / (reached - before[1])
        before = rows, reached
    return None


def read_set(data: Path, name: str) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Masked train and test rows of a set, without duplicates."""
    if name == "banking77":
        folder = data / "en-intent-banking77"
        train, test = (_read(folder / f"{part}.csv", ",", "text", "category") for part in ("train", "test"))
    else:
        folder = data / "zh-sentiment-chnsenticorp"
        train, test = (_read(folder / part, "\t", "text_a", "label") for part in ("train.tsv.gz", "test.tsv"))
    rows = [*test, *train]
    rank = [0] * len(test) + [1] * len(train)
    found = find_duplicates([text for text, _ in rows], [label for _, label in rows], rank)
    gone = {place for place, _ in (*found.exact, *found.near)} | {each for group in found.conflicts for each in group}
    kept = [place for place in range(len(rows)) if place not in gone]
    own = [rows[place] for place in kept if rank[place]]
    return own, sorted((rows[place] for place in kept if not rank[place]), key=lambda row: unit_hash(row[0]))[:TEST]


def _read(path: Path, delimiter: str, text: str, label: str) -> list[tuple[str, str]]:
    masking = open_masking(VERSION)
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        if delimiter == "\t":
            lines = list(csv.DictReader(file, delimiter=delimiter, quoting=csv.QUOTE_NONE))
        else:
            lines = list(csv.DictReader(file))
    found = [(masking.prepare(row[text]).text, row[label]) for row in lines]
    return [(masked, each) for masked, each in found if masked]


def measure(data: Path, name: str, methods: Sequence[str]) -> dict[str, object]:
    """One set, as the protocol says."""
    train, test = read_set(data, name)
    language = "zh" if name == "chnsenticorp" else "en"
    curves: dict[str, list[Curve]] = {method: [] for method in methods}
    full = []
    for seed in SEEDS:
        drawn = random.Random(seed).sample(train, POOL + VALIDATION)
        pool, validation = drawn[:POOL], drawn[POOL:]
        whole = Setting(RANDOM, POOL, POOL, seed, language)
        full.append(simulate(pool, validation, test, whole)[-1][1])
        for method in methods:
            setting = Setting(method, *STEPS[name], seed, language)
            curves[method].append(simulate(pool, validation, test, setting))
            print(name, seed, method, curves[method][-1], file=sys.stderr, flush=True)
    return {"name": name, "full": full, "curves": curves, "labels": summary(curves, full)}


def summary(curves: Mapping[str, Sequence[Curve]], full: Sequence[float]) -> dict[str, float | None]:
    """The mean number of labels of each method; None where a seed does not reach the score."""
    found: dict[str, float | None] = {}
    for method, of_seeds in curves.items():
        reached = [labels_for(curve, FULL * best) for curve, best in zip(of_seeds, full, strict=True)]
        known = [each for each in reached if each is not None]
        found[method] = round(sum(known) / len(known), 1) if len(known) == len(reached) and known else None
    return found


def main() -> None:
    """Measure the sets, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--set", choices=tuple(STEPS), action="append")
    parser.add_argument("--method", choices=(RANDOM, *METHODS), action="append")
    given = parser.parse_args()
    methods = given.method or [RANDOM, *METHODS]
    sets = [measure(given.data, name, methods) for name in given.set or STEPS]
    RESULTS.write_text(json.dumps({"sets": sets, "machine": hardware()}, indent=1) + "\n", encoding="utf-8")
    for one in sets:
        print(one["name"], one["labels"])


if __name__ == "__main__":
    main()
