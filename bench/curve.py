"""Does the interval of the learning curve hold what more rows give? Forecasts against the rows that came.

    python bench/curve.py --data DIR [--set NAME ...]

Protocol, written before its first run. Sets: those of `SETS`, each read and masked by its recipe in bench/recipes, the
rows of all parts together. For each number of train rows n (400, 800, 1,600, as far as the set reaches) and each draw
(0 and 1): 400 rows validate, n others train, and the forecast is made as `penjing check --curve` makes it. What came is
the mean, over three draws, of the score of `tune.linear` on n + more rows less its score on n rows of the pool, each
with the same C; 2,000 other rows (or a third of the set) give both scores. A forecast holds where what came is within
its interval of 95 %, and is near where what came is within half a point of the interval.

Reported: held and near by set and number of rows, and the mean of forecast and of what came. The form of the interval
was chosen on other sets (titles of THUCNews, CLINC150). The first complete run is reported.

Writes bench/results/curve.json: {"units": {"SET/N/DRAW": {"more", "gain", "low", "high", "answer", "came"}},
"machine"}.
A unit that is there is skipped.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from penjing.core.folder import replaced_file
from penjing.core.machine import hardware
from penjing.core.nouns import Inputs, Run, Silent, Table
from penjing.core.recipe import load_recipe
from penjing.core.task import Task
from penjing.data.prepare import prepare
from penjing.make.learning_curve import fits_of, forecast_of, round_rows
from penjing.runtime.open import open_session
from penjing.tasks import reader_of
from penjing.tune import linear
from spine import write_recipe

RESULTS = Path(__file__).resolve().parent / "results" / "curve.json"
SETS = ("banking77", "chnsenticorp", "phrasebank", "medical", "finance", "sms")
SIZES, DRAWS, VALIDATION, TEST, TRUTHS = (400, 800, 1600), 2, 400, 2000, 3
C = 16.0
# Half a point: what a person calls near.
NEAR = 0.005
Unit = dict[str, float | int | str]
Rows = list[tuple[str, str]]


def rows_of_set(name: str, data: Path) -> tuple[Rows, str]:
    """The masked rows of a set without repeats, and its language."""
    with TemporaryDirectory() as scratch:
        file = load_recipe(write_recipe(name, "penjing/nano", 0, 0, data, Path(scratch)))
        found = prepare(file, reader_of(file), Silent())
    parts = (found.train, found.validation, found.calibration, found.test)
    rows = [(text, str(label)) for part in parts for text, label in zip(part.texts, part.labels or (), strict=True)]
    return sorted(rows), found.language


def table(rows: Sequence[tuple[str, str]]) -> Table:
    """Rows as a table."""
    return Table([text for text, _ in rows], [label for _, label in rows], range(2, len(rows) + 2))


def score(train: Rows, test: Rows, task: Task, language: str) -> float:
    """The first metric of `tune.linear` on the test rows."""
    with TemporaryDirectory() as name:
        run = Run(out=Path(name) / "out", scratch=Path(name) / "scratch", threads=1)
        # Validation rows only fix the temperature, which changes no label.
        inputs = Inputs(None, table(train), table(train[:200]), language=language, task=task)
        session = open_session(linear.apply(inputs, linear.Options(c=(C,)), run), threads=1)
    answers = [each.answer for each in session.predict([text for text, _ in test])]
    sums = task.counts(answers, [label for _, label in test]).sum(axis=0)
    return float(next(iter(task.metrics(sums).values())))


def unit(rows: Rows, language: str, size: int, draw: int) -> Unit:
    """One forecast and what came."""
    from penjing.tasks import open_reader

    order = random.Random(f"{size} {draw}").sample(rows, len(rows))
    cut = min(TEST, len(rows) // 3)
    test, validation, pool = order[:cut], order[cut : cut + VALIDATION], order[cut + VALIDATION :]
    task = open_reader("classify", {}).learn([label for _, label in rows])
    inputs = Inputs(None, table(pool[:size]), table(validation), language=language, task=task)
    with TemporaryDirectory() as name:
        run = Run(out=Path(name) / "out", scratch=Path(name) / "scratch", seed=draw, threads=1)
        said = forecast_of(task, fits_of(inputs, C, run, Silent()), size, draw)
    more, came = round_rows(size), []
    for truth in range(TRUTHS):
        drawn = random.Random(f"{size} {draw} {truth}").sample(pool, size + more)
        came.append(score(drawn, test, task, language) - score(drawn[:size], test, task, language))
    found: Mapping[str, Any] = said.model_dump()
    kept = {key: found[key] for key in ("more", "gain", "low", "high", "answer")}
    return kept | {"came": round(sum(came) / len(came), 6)}


def held(one: Unit, slack: float = 0.0) -> bool:
    """Whether what came is within the interval."""
    return float(one["low"]) - slack <= float(one["came"]) <= float(one["high"]) + slack


def summary(units: Mapping[str, Unit]) -> list[str]:
    """One line a set and number of rows: held, near, mean forecast, mean of what came."""
    groups: dict[str, list[Unit]] = {}
    for name, one in units.items():
        groups.setdefault(name.rpartition("/")[0], []).append(one)
    lines = []
    for name, some in groups.items():
        near = sum(held(one, NEAR) for one in some)
        gain, came = (100 * sum(float(one[key]) for one in some) / len(some) for key in ("gain", "came"))
        width = 100 * sum(float(one["high"]) - float(one["low"]) for one in some) / len(some)
        lines.append(
            f"{name}: held {sum(map(held, some))}, near {near} of {len(some)}; said {gain:.1f} points "
            f"(interval {width:.1f} wide), came {came:.1f}"
        )
    return lines


def main() -> None:
    """Measure what is not there yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--set", choices=SETS, action="append")
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args()
    known = json.loads(given.results.read_text(encoding="utf-8")) if given.results.is_file() else {"units": {}}
    for name in given.set or SETS:
        rows, language = rows_of_set(name, given.data)
        for size in SIZES:
            if len(rows) - min(TEST, len(rows) // 3) - VALIDATION < size + round_rows(size):
                continue
            for draw in range(DRAWS):
                if (key := f"{name}/{size}/{draw}") in known["units"]:
                    continue
                known["units"][key] = unit(rows, language, size, draw)
                known["machine"] = hardware()
                with replaced_file(given.results) as path:
                    path.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
                print(key, known["units"][key], file=sys.stderr, flush=True)
    print("\n".join(summary(known["units"])))


if __name__ == "__main__":
    main()
