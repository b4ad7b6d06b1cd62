"""`score` with limits that an owner would set: a second protocol, on rows that the first (bench/score.py) never used.

    python bench/score_second.py --data DIR --out DIR [--set steps|school|ratings]

Protocol, written before its first run. Sets, each with its limit and the errors that are allowed:

- `steps`: 7,470 English sums of gsm8k-train; the text is the problem, the number the lines of its worked solution,
  2 to 9. A tutoring service plans time by it. `within: 1`, 10 % errors.
- `school`: the 5,000 English problems of zh-education-math-tal, difficulty 0 to 4. Exercises are filed by it.
  `within: 0` at 15 % errors; besides `within: 1` at 10 % (`school-1`), which a constant keeps, to show what that is
  worth.
- `ratings`: single ratings of MovieLens (latest-small), 0.5 to 5, of users who have rated 20 films before and of films
  with 5 ratings before; at most 20 a user, by hash. The text is title and genres; features are what was known before
  that moment: mean and spread of the user's ratings, mean of the last ten, mean and spread and number of the film's.
  All rows of a film are in one part. A shop ranks by it. `kind: grades`,
  `within: 1`, 10 % errors.

Of each set the usual shares (60, 12, 14, 14 %) by the text as written, seed 0, as four files; `tune.linear: {}` alone,
every other option at its default, `unproven: allow`; `penjing make`, `penjing decide` on the first 200 rows,
`penjing replay` of every record.
Train and validation rows were looked at while the limits were chosen (a probe by logistic regression on this very
split); of calibration and test rows only the number of each grade was seen. For `ratings` the probe drew 10,000 ratings
of all parts; these are left out, in all parts. Beside the model: the constant that is best on train rows, with
the certificate that it would get on the calibration rows (all cases automatic, one exact binomial test at 95 %). The
first complete run is reported.

What is certified at a limit that the constant also keeps is worth nothing. Ratings of one user or one film depend on
each other a little; the certificate takes the rows of `ratings` as drawn one by one. Two cores.

Writes bench/results/score-second.json: {"sets": [...]}, with the keys of `run` below.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import math
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any

import numpy as np

from penjing.core.canon import unit_hash
from penjing.core.machine import hardware
from penjing.core.nouns import Silent
from penjing.core.recipe import load_recipe
from penjing.data.prepare import Prepared, prepare
from penjing.data.split import SHARES, split
from penjing.prove.sequence import upper_bound
from penjing.tasks import reader_of
from score import penjing

RESULTS = Path(__file__).resolve().parent / "results" / "score-second.json"
RATED_BEFORE, RATINGS_OF_FILM, RATINGS_OF_USER, DECIDED = 20, 5, 20, 200
FEATURES = ("user_mean", "user_spread", "user_last", "film_mean", "film_spread", "film_count")
ORDER = ("timestamp", "userId", "movieId")
PROBED = 10_000
Row = dict[str, str]


def steps_rows(data: Path) -> list[Row]:
    """Problems with the number of lines of their solution; a solution ends with a line `#### answer`."""
    with gzip.open(data / "raw-en-modern" / "gsm8k-train.txt.gz", "rt", encoding="utf-8") as file:
        texts = [text.strip().split("\n") for text in file.read().strip().split("\n\n")]
    return [
        {"text": lines[0], "score": str(len(lines) - 2)}
        for lines in texts
        if len(lines) > 2 and lines[-1].startswith("####")
    ]


def school_rows(data: Path) -> list[Row]:
    """English problems of both files, with their difficulty."""
    folder = data / "zh-education-math-tal"
    lines = gzip.decompress((folder / "en_train.jsonl.gz").read_bytes()).split(b"\n")
    lines += (folder / "en_test.jsonl").read_bytes().split(b"\n")
    found = [json.loads(line) for line in lines if line.strip()]
    return [{"text": one["problem"], "score": str(one["difficulty"])} for one in found]


def ratings_rows(data: Path) -> list[Row]:
    """At most 20 ratings a user, with what was known of user and film before each; ordered by user and time."""
    folder = data / "recsys-movielens-small"
    with (folder / "movies.csv").open(encoding="utf-8", newline="") as file:
        films = {row["movieId"]: f"{row['title']} | {row['genres'].replace('|', ', ')}" for row in csv.DictReader(file)}
    with gzip.open(folder / "ratings.csv.gz", "rt", encoding="utf-8", newline="") as file:
        rated = sorted(csv.DictReader(file), key=lambda row: [int(row[name]) for name in ORDER])
    of_user: dict[str, list[tuple[float, Row]]] = defaultdict(list)
    known = [len(mine) >= RATED_BEFORE and len(others) >= RATINGS_OF_FILM for _, mine, others in _with_history(rated)]
    probed = iter(_probed(sum(known)))
    for row, mine, others in _with_history(rated):
        if len(mine) >= RATED_BEFORE and len(others) >= RATINGS_OF_FILM and not next(probed):
            so_far = (
                fmean(mine),
                pstdev(mine),
                fmean(mine[-10:]),
                fmean(others),
                pstdev(others),
                math.log(len(others)),
            )
            features = {name: f"{value:.4f}" for name, value in zip(FEATURES, so_far, strict=True)}
            made = {"text": films[row["movieId"]], "score": row["rating"], **features}
            of_user[row["userId"]].append((unit_hash(row["userId"], row["movieId"]), made))
    kept = [sorted(rows, key=lambda pair: pair[0])[:RATINGS_OF_USER] for _, rows in sorted(of_user.items())]
    return [row for rows in kept for _, row in rows]


def _probed(rows: int) -> list[bool]:
    """Which of the ratings with enough history the probe drew, in the order of time. Of fewer rows it drew none."""
    drawn = np.random.default_rng(0).permutation(rows)[:PROBED] if rows > PROBED else np.zeros(0, dtype=np.int64)
    return [bool(one) for one in np.isin(np.arange(rows), drawn)]


def _with_history(rated: Sequence[Mapping[str, str]]) -> Iterator[tuple[Mapping[str, str], list[float], list[float]]]:
    """Each rating with the earlier ratings of its user and of its film. The lists grow; read them at once."""
    users: dict[str, list[float]] = defaultdict(list)
    films: dict[str, list[float]] = defaultdict(list)
    for row in rated:
        mine, others = users[row["userId"]], films[row["movieId"]]
        yield row, mine, others
        mine.append(float(row["rating"]))
        others.append(float(row["rating"]))


@dataclass(frozen=True)
class Subject:
    """A set: its rows, the error that is promised, and what its recipe says more."""

    name: str
    rows: Callable[[Path], list[Row]]
    within: float
    max_error: float
    kind: str = "auto"
    data: str = ""


SUBJECTS = (
    Subject("steps", steps_rows, 1, 0.10),
    Subject("school", school_rows, 0, 0.15),
    Subject("school-1", school_rows, 1, 0.10),
    Subject(
        "ratings", ratings_rows, 1, 0.10, "grades",
        f"\n  fields: {{{', '.join(f'{name}: float' for name in FEATURES)}}}"
        f"\n  features: [{', '.join(FEATURES)}]",
    ),
)  # fmt: skip


def recipe_of(subject: Subject) -> str:
    """The recipe of a set; its rows are in four files beside it."""
    files = ", ".join(f"{part}: {part}.csv" for part in SHARES)
    return (
        f"name: score-{subject.name}\nlanguage: en\n"
        f"task: {{type: score, kind: {subject.kind}, within: {subject.within:g}}}\n"
        f"data:\n  files: {{{files}}}\n  text: text\n  label: score{subject.data}\n"
        f"steps:\n  - tune.linear: {{}}\n"
        f"gates: {{unproven: allow}}\ndecide: {{max_error: {subject.max_error:g}}}\n"
    )


def constant_of(prepared: Prepared, within: float, max_error: float) -> dict[str, Any]:
    """The value that is within the limit of most train rows, and the certificate that it alone would get."""
    train, calibration, test = (
        [float(gold) for gold in table.labels or ()]
        for table in (prepared.train, prepared.calibration, prepared.test)
    )  # fmt: skip

    def wrong(golds: Sequence[float], value: float) -> int:
        return sum(abs(gold - value) > within + 1e-9 for gold in golds)

    value = min(sorted(set(train)), key=lambda one: wrong(train, one))
    high = upper_bound(wrong(calibration, value), len(calibration))
    return {
        "value": value,
        "within": round(1 - wrong(test, value) / len(test), 4),
        "error_high": round(high, 4),
        "certified": high <= max_error,
        "automation_rate": float(high <= max_error),
    }


def counts_of(decisions: Mapping[str, Any]) -> dict[str, int]:
    """Of the test rows how many are decided automatically, and how many of these are wrong."""
    automated = round(decisions["automation_rate"] * decisions["rows"])
    return {"automated": automated, "wrong": round((decisions["error_among_automated"]["value"] or 0.0) * automated)}


def write_rows(rows: Sequence[Row], path: Path) -> None:
    """A CSV with the columns of the rows."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def run(subject: Subject, data: Path, out: Path) -> dict[str, Any]:
    """The whole way of one set, and its figures."""
    folder = out / subject.name
    folder.mkdir(parents=True, exist_ok=True)
    rows = subject.rows(data)
    parts = split([row["text"] for row in rows], [row["score"] for row in rows], [*SHARES][1:])
    for part in SHARES:
        write_rows([row for row, its in zip(rows, parts, strict=True) if its == part], folder / f"{part}.csv")
    write_rows(rows[:DECIDED], folder / "some.csv")
    recipe = folder / "recipe.yaml"
    recipe.write_text(recipe_of(subject), encoding="utf-8")
    began = time.monotonic()
    penjing("make", recipe, "--out", folder / "out")
    seconds = time.monotonic() - began
    file = load_recipe(recipe)
    constant = constant_of(prepare(file, reader_of(file), Silent()), subject.within, subject.max_error)
    report = json.loads((folder / "out" / "report.json").read_text(encoding="utf-8"))
    database = f"sqlite:///{folder / 'records.db'}"
    (folder / "records.db").unlink(missing_ok=True)
    decided = penjing("decide", folder / "out" / "release", folder / "some.csv", "--db", database)
    routes = Counter(json.loads(line)["route"] for line in decided.splitlines() if line.startswith("{"))
    replayed = penjing("replay", "--all", "--db", database)
    decisions = report["decisions"]
    return {
        "name": subject.name,
        "rows": report["data"]["splits"],
        "seed": 0,
        "within": subject.within,
        "model": report["model"],
        "metrics": report["test"]["metrics"],
        "constant": constant,
        "certificate": {name: decisions[name] for name in ("max_error", "certified", "automation_rate", "rows")}
        | {"error_among_automated": decisions["error_among_automated"], "release": report["release"]},
        "test": counts_of(decisions),
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
    parser.add_argument("--set", choices=[one.name for one in SUBJECTS])
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
