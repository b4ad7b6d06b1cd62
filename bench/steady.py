"""Each switch for a steadier training alone, and a recommended set, against plain fine-tuning on few rows.

    python bench/steady.py --data DIR --out DIR [--set chnsenticorp|phrasebank] [--minutes 40]

Protocol, written before its first run. Sets: ChnSentiCorp (reviews, two labels) and PhraseBank (financial news, three
labels). The distinct texts of a set are sorted by hash, cleaned and masked. The first 1,200 are the test rows of all
draws. Draw d = 0, 1, 2 takes the next 700 that no earlier draw has: 500 to train, 200 to validate. Base `penjing/nano`,
all layers, three passes, batches of 16 rows, 64 tokens, one learning rate of 5e-4, one thread, the draw as the seed.
Every variant of `VARIANTS` and `LATER` differs from plain by the options that it names. They were fixed before the run:
they are those of the sources, or the defaults of then (an `epsilon` of 0.05). `together` is the set that was
recommended before the run. Nothing is chosen by test rows, and nothing is run again: the first complete result of each
unit (draw, set, variant) stays.
A variant is better than plain, or worse, if the 95 % interval of the difference of macro-F1, over the test rows of all
draws together (bootstrap of rows), does not contain 0; otherwise it is a tie. The error of calibration is of the
probabilities after temperature scaling on validation.

Units are added to bench/results/steady.json one by one, those of `VARIANTS` first, draw by draw. A unit that is there
is skipped, so that the bench can be killed and started again. --minutes: processor time after which no unit begins.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import itertools
import json
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from penjing.core.answers import Choice, as_kind
from penjing.core.canon import unit_hash
from penjing.core.folder import replaced_file
from penjing.core.machine import hardware
from penjing.core.nouns import Inputs, Run, Table
from penjing.data.mask import VERSION, open_masking
from penjing.measure.evaluate import paired_difference
from penjing.model.base import open_base
from penjing.runtime.open import open_session
from penjing.tasks.metrics import encode_labels, macro_f1
from penjing.tune.full import Options, apply

RESULTS = Path(__file__).resolve().parent / "results" / "steady.json"
SETS = {"chnsenticorp": "zh", "phrasebank": "en"}
BASE, DRAWS, TEST, TRAIN, VALIDATION = "penjing/nano", 3, 1200, 500, 200
PLAIN: dict[str, Any] = {"layers": "all", "epochs": 3, "learning_rate": 5e-4, "max_tokens": 64, "batch_tokens": 1024}
VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "layer_decay": {"layer_decay": 0.8},
    "reinit": {"reinit": 1},
    "unfreeze": {"unfreeze": 0.3},
    "encoder_dropout": {"encoder_dropout": 0.2},
    "rdrop": {"rdrop": 1.0},
    "mixup": {"mixup": 0.2},
    "ema": {"ema": 0.98},
    "fgm": {"adversarial": "fgm", "epsilon": 0.05},
    "freelb": {"adversarial": "freelb", "adversarial_steps": 2, "epsilon": 0.05},
    "together": {"layer_decay": 0.8, "ema": 0.98, "adversarial": "fgm", "epsilon": 0.05},
    "label_smoothing": {"label_smoothing": 0.1},
    "focal": {"loss": "focal"},
    "balanced": {"class_weights": "balanced"},
    "adafactor": {"optimizer": "adafactor"},
}
# Run after all of the above: they are not about few rows.
LATER: dict[str, dict[str, Any]] = {
    "cosine": {"schedule": "cosine"},
    "wsd": {"schedule": "wsd"},
    "plateau": {"schedule": "plateau"},
    "accumulate": {"accumulate": 2},
}


def read_results(path: Path) -> dict[str, Any]:
    """The units so far, by `SET/DRAW/VARIANT`."""
    return dict(json.loads(path.read_text(encoding="utf-8"))["units"]) if path.is_file() else {}


def add_result(path: Path, name: str, unit: dict[str, Any]) -> None:
    """Write the results with one unit more; the old file stays whole until the new one is."""
    units = read_results(path) | {name: unit}
    path.parent.mkdir(parents=True, exist_ok=True)
    with replaced_file(path) as new:
        text = json.dumps({"units": dict(sorted(units.items()))}, ensure_ascii=False, sort_keys=True)
        new.write_text(text + "\n", encoding="utf-8")


def write_comparisons(path: Path) -> dict[str, Any]:
    """Compare all variants with plain, and keep the comparisons with the units, by `SET/VARIANT`."""
    units = read_results(path)
    found = {f"{name}/{variant}": compare(units, name, variant) for name in SETS for variant in {**VARIANTS, **LATER}}
    kept = {key: one for key, one in found.items() if one is not None}
    with replaced_file(path) as new:
        text = json.dumps({"units": units, "compared": kept}, ensure_ascii=False, sort_keys=True)
        new.write_text(text + "\n", encoding="utf-8")
    return kept


def read_set(name: str, data: Path) -> list[tuple[str, str]]:
    """(text, label) of each distinct text, cleaned and masked, in the order of their hashes."""
    masking = open_masking(VERSION)
    found = {masking.prepare(text).text: label for text, label in _cells(name, data)}
    return sorted(found.items(), key=lambda row: unit_hash(row[0]))


def _cells(name: str, data: Path) -> Iterator[tuple[str, str]]:
    if name == "chnsenticorp":
        with gzip.open(data / "zh-sentiment-chnsenticorp" / "train.tsv.gz", "rt", encoding="utf-8") as lines:
            for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
                yield row["text_a"], row["label"]
    else:
        with (data / "en-finance-phrasebank" / "all-data.csv").open(encoding="cp1252", newline="") as lines:
            for row in csv.DictReader(lines):
                yield row["news"], row["label"]


def parts(rows: list[tuple[str, str]], draw: int) -> tuple[Table, Table, Table]:
    """Train, validation and test rows of a draw."""
    begin = TEST + draw * (TRAIN + VALIDATION)
    cut = rows[begin : begin + TRAIN], rows[begin + TRAIN : begin + TRAIN + VALIDATION], rows[:TEST]
    train, validation, test = (Table([text for text, _ in part], [label for _, label in part]) for part in cut)
    return train, validation, test


def run_unit(name: str, rows: list[tuple[str, str]], draw: int, variant: str, folder: Path) -> dict[str, Any]:
    """Train one variant on one draw, and what it answers on the test rows."""
    train, validation, test = parts(rows, draw)
    shutil.rmtree(folder, ignore_errors=True)
    run = Run(folder / "out", folder / "scratch", seed=draw, threads=1)
    began = time.process_time()
    options = Options(**PLAIN | {**VARIANTS, **LATER}[variant])
    made = apply(Inputs(open_base(BASE, folder), train, validation, language=SETS[name]), options, run)
    seconds = time.process_time() - began
    answers = [as_kind(one.answer, Choice).top() for one in open_session(made, threads=1).predict(test.texts)]
    labels = made.card.labels
    truth = encode_labels(test.labels or (), labels)
    said = encode_labels([label for label, _ in answers], labels)
    shutil.rmtree(folder, ignore_errors=True)
    return {
        "macro_f1": round(macro_f1(truth, said, len(labels)), 6),
        "validation": made.card.metrics["validation_macro_f1"],
        "calibration_error": round(calibration_error([share for _, share in answers], said == truth), 4),
        "losses": [round(value, 4) for _, value in made.card.curves.loss[-1:]],
        "labels": len(labels),
        "truth": "".join(map(str, truth)),
        "said": "".join(map(str, said)),
        "processor_seconds": round(seconds, 1),
        "hardware": hardware(),
    }


def calibration_error(shares: list[float], right: Any, bins: int = 10) -> float:
    """The expected calibration error: mean over bins of |share of right answers - mean probability|, by rows."""
    place = np.minimum((np.asarray(shares) * bins).astype(int), bins - 1)
    found = [abs(right[place == each].mean() - np.asarray(shares)[place == each].mean()) * (place == each).mean()
             for each in range(bins) if (place == each).any()]  # fmt: skip
    return float(sum(found))


def compare(units: dict[str, Any], name: str, variant: str) -> dict[str, Any] | None:
    """A variant against plain on the draws that both have: mean macro-F1, its deviation, and the paired difference."""
    draws = [draw for draw in range(DRAWS) if {f"{name}/{draw}/{one}" for one in ("plain", variant)} <= units.keys()]
    if not draws:
        return None
    own, plain = ([units[f"{name}/{draw}/{one}"] for draw in draws] for one in (variant, "plain"))
    scores = [one["macro_f1"] for one in own]
    difference = paired_difference(_counts(own), _counts(plain), _macro_f1)
    verdict = "better" if difference.low > 0 else "worse" if difference.high < 0 else "tie"
    return {
        "draws": len(draws),
        "macro_f1": round(float(np.mean(scores)), 4),
        "deviation": round(float(np.std(scores, ddof=1)), 4) if len(scores) > 1 else None,
        "difference": {key: round(value, 4) for key, value in difference.to_json().items()},
        "verdict": verdict,
        "calibration_error": round(float(np.mean([one["calibration_error"] for one in own])), 4),
        "times": round(
            sum(one["processor_seconds"] for one in own) / sum(one["processor_seconds"] for one in plain), 2
        ),
    }


def _counts(units: list[dict[str, Any]]) -> np.ndarray[Any, Any]:
    size = units[0]["labels"]
    rows = [(int(a), int(b)) for one in units for a, b in zip(one["truth"], one["said"], strict=True)]
    table = np.zeros((len(rows), size * size))
    table[np.arange(len(rows)), [a * size + b for a, b in rows]] = 1
    return table


def _macro_f1(sums: Any) -> Any:
    size = round(sums.shape[-1] ** 0.5)
    table = sums.reshape(*sums.shape[:-1], size, size)
    right = np.diagonal(table, axis1=-2, axis2=-1)
    return (2 * right / np.maximum(table.sum(axis=-1) + table.sum(axis=-2), 1)).mean(axis=-1)


def main() -> None:
    """Run all units that are missing, and print the comparison."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--set", choices=SETS, action="append")
    parser.add_argument("--minutes", type=float, default=40.0)
    given = parser.parse_args()
    sets = {name: read_set(name, given.data) for name in given.set or SETS}
    for group, draw, name in itertools.product((VARIANTS, LATER), range(DRAWS), sets):
        for variant in group:
            key = f"{name}/{draw}/{variant}"
            if key in read_results(RESULTS) or time.process_time() > 60 * given.minutes:
                continue
            unit = run_unit(name, sets[name], draw, variant, given.out / "unit")
            add_result(RESULTS, key, unit)
            sys.stderr.write(f"{key}: macro-F1 {unit['macro_f1']:.3f}, {unit['processor_seconds']} s\n")
    for key, found in write_comparisons(RESULTS).items():
        sys.stdout.write(f"{key}: {json.dumps(found)}\n")


if __name__ == "__main__":
    main()
