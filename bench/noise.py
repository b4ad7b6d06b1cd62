"""Evidence: how many planted label errors `penjing check` lists, and how many of the listed rows were planted.

    python bench/noise.py --data DIR

Sets: the train files of ChnSentiCorp (Chinese reviews, 2 labels) and BANKING77 (English bank queries, 77 labels). Of
each 3,000 rows with different texts are drawn by the seed 2026. For each of the seeds 0, 1 and 2, 240 rows (8 %) are
drawn and get another label, each other one equally often. Seed `none`: the same rows without planted errors.

Each file goes through what `penjing check` does: rows are read, near duplicates removed, parts split (recipe with
`tune.linear: {}`, seed 0), and the train and validation rows are looked at with the released settings of
`make/doubted.py`. Only rows that were looked at count. Precision: the share of the listed rows that were planted; rows
that were wrong in the published data count against it. Recall: the share of the planted rows that are listed. First 50:
precision of the 50 rows at the head of the list.

No promise is tested and nothing is chosen by these figures: the way of filtering and the strength C were fixed before
on other sets (THUCNews titles, Waimai reviews, CLINC150). The first complete run is the one in results/noise.json.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Any

from penjing.core.machine import hardware
from penjing.core.nouns import Silent
from penjing.core.recipe import load_recipe
from penjing.data.doubts import MOST_LISTED, LabelDoubts
from penjing.data.prepare import prepare
from penjing.make.doubted import find_doubts
from penjing.tasks import reader_of

RESULTS = Path(__file__).resolve().parent / "results" / "noise.json"
ROWS, DRAWN_BY, SHARE, SEEDS, FIRST = 3_000, 2026, 0.08, (0, 1, 2), 50
RECIPE = "name: noise\ndata: {files: rows.csv}\nsteps: [{tune.linear: {}}]\n"
Row = tuple[str, str]


def chnsenticorp(data: Path) -> list[Row]:
    """(text, label) of the train file."""
    text = gzip.decompress((data / "zh-sentiment-chnsenticorp" / "train.tsv.gz").read_bytes()).decode("utf-8")
    pairs = [line.split("\t", 1) for line in text.splitlines()[1:] if "\t" in line]
    return [(written.strip(), label.strip()) for label, written in pairs]


def banking77(data: Path) -> list[Row]:
    """(text, label) of the train file."""
    with (data / "en-intent-banking77" / "train.csv").open(encoding="utf-8", newline="") as source:
        return [(row["text"].strip(), row["category"].strip()) for row in csv.DictReader(source)]


SETS: dict[str, Callable[[Path], list[Row]]] = {"ChnSentiCorp": chnsenticorp, "BANKING77": banking77}


def drawn(rows: Sequence[Row]) -> list[Row]:
    """3,000 rows with different texts."""
    distinct = list({text: (text, label) for text, label in rows if text}.values())
    return random.Random(DRAWN_BY).sample(distinct, ROWS)


def planted(rows: Sequence[Row], seed: int | None) -> tuple[list[Row], set[int]]:
    """The rows with wrong labels planted, and the row numbers of these in a file with a header."""
    if seed is None:
        return list(rows), set()
    labels, random_of = sorted({label for _, label in rows}), random.Random(seed)
    places = sorted(random_of.sample(range(len(rows)), round(SHARE * len(rows))))
    changed = list(rows)
    for place in places:
        text, label = rows[place]
        changed[place] = text, random_of.choice([other for other in labels if other != label])
    return changed, {place + 2 for place in places}


def look(rows: Sequence[Row], folder: Path) -> tuple[LabelDoubts, set[int], float]:
    """What is listed, the rows that were looked at, and the seconds of looking."""
    with (folder / "rows.csv").open("w", encoding="utf-8", newline="") as target:
        csv.writer(target).writerows([("text", "label"), *rows])
    (folder / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    file = load_recipe(folder / "recipe.yaml")
    data = prepare(file, reader_of(file), Silent())
    began = time.monotonic()
    found = find_doubts(file, data, Silent(), most=None)
    return found, {*data.train.rows, *data.validation.rows}, time.monotonic() - began


def judged(rows: Sequence[Row], seed: int | None) -> dict[str, Any]:
    """The figures of one seed."""
    noisy, wrong = planted(rows, seed)
    with TemporaryDirectory() as folder:
        found, looked, seconds = look(noisy, Path(folder))
    assert found.count <= MOST_LISTED and not found.skipped, (found.count, found.skipped)
    listed, seen = [each.row for each in found.doubts], wrong & looked
    hits = len(seen.intersection(listed))
    return {
        "seed": "none" if seed is None else seed,
        "looked": found.looked,
        "planted": len(seen),
        "listed": len(listed),
        "hits": hits,
        "precision": round(hits / max(1, len(listed)), 4),
        "recall": round(hits / len(seen), 4) if seen else None,
        "first_50": round(len(seen.intersection(listed[:FIRST])) / FIRST, 4),
        "left_out": len(found.left_out),
        "seconds": round(seconds, 1),
    }


def main() -> None:
    """Judge every set with every seed, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets")
    data = parser.parse_args().data
    sets = []
    for name, read in SETS.items():
        rows = drawn(read(data))
        runs = [judged(rows, seed) for seed in (*SEEDS, None)]
        noisy = [run for run in runs if run["seed"] != "none"]
        means = {key: round(fmean(run[key] for run in noisy), 4) for key in ("precision", "recall", "first_50")}
        sets.append({"set": name, "labels": len({label for _, label in rows}), "means": means, "runs": runs})
        print(name, means, flush=True)
    RESULTS.write_text(
        json.dumps({"rows": ROWS, "share": SHARE, "hardware": hardware(), "sets": sets}, indent=1) + "\n"
    )


if __name__ == "__main__":
    main()
