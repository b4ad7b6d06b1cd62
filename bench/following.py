"""Tags of an encoder with and without what follows what, on sentences that chose nothing.

    python bench/following.py --data DIR --out DIR

Protocol. CLUENER: 1,000 sentences to train and 300 to validate, as in bench/tune.py. The test sentences are the dev
part of the set: it chose neither the strength 5 of `tasks/tag_following.py` nor that it has no bias (LOG.md).
`tune.full` on `penjing/nano`, all layers, eight passes, 64 tokens, seed 0, one thread. The same outputs are calibrated
twice, with `fit_following` and without. Reported: entity F1, precision, recall and the share of sentences without an
error, each with its 95 % interval, and that of the difference of F1 (bootstrap of sentences, 2,000 draws).

Writes bench/results/following.json.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import numpy as np

from few import table_of
from penjing.core.folder import write_whole
from penjing.core.machine import hardware
from penjing.core.nouns import Inputs
from penjing.data.mask import VERSION, open_masking
from penjing.model.base import open_base
from penjing.runtime.open import open_session
from penjing.tasks import tag_following
from tasks_sets import cluener
from tune import BASE, fitted, sentences

RESULTS = Path(__file__).resolve().parent / "results" / "following.json"
OPTIONS = {"epochs": 8, "max_tokens": 64}
DRAWS = 2000


def measured(data: Path, folder: Path) -> dict[str, Any]:
    """Both calibrations of one encoder on the dev part."""
    task, train, validation, _ = sentences(data)
    made, _ = fitted(
        "full", OPTIONS, Inputs(open_base(BASE, Path()), train, validation, language="zh", task=task), folder
    )
    masking, seen = open_masking(VERSION), {*train.texts, *validation.texts}
    rows = [(str(row["text"]), json.dumps(row["label"], ensure_ascii=False)) for row in cluener(data)[1]]
    test = table_of([row for row in rows if row[0] not in seen and masking.run(row[0]).text == row[0]])
    session = open_session(made, threads=1)
    outputs, items = session.outputs(list(validation.texts)), session.items(list(validation.texts))
    judged, places = session.outputs(list(test.texts)), session.items(list(test.texts))
    counts = {}
    for name, fit in (("with", tag_following.fit_following), ("without", lambda *_: None)):
        with patch.object(tag_following, "fit_following", fit):
            calibration = task.fit(outputs, validation.labels or (), items)
        counts[name] = task.counts(task.decode(judged, calibration, places), test.labels or ())
    random = np.random.default_rng(0)
    drawn = [random.integers(0, len(test), len(test)) for _ in range(DRAWS)]
    found: dict[str, Any] = {"rows": len(test), "hardware": hardware()}
    tried = {name: [task.metrics(each[rows].sum(axis=0)) for rows in drawn] for name, each in counts.items()}
    for name, each in counts.items():
        whole = task.metrics(each.sum(axis=0))
        found[name] = {key: estimate(float(whole[key]), [float(one[key]) for one in tried[name]]) for key in whole}
    moved = [float(a["entity_f1"] - b["entity_f1"]) for a, b in zip(tried["with"], tried["without"], strict=True)]
    value = found["with"]["entity_f1"]["value"] - found["without"]["entity_f1"]["value"]
    return found | {"difference": estimate(value, moved)}


def estimate(value: float, draws: list[float]) -> dict[str, float]:
    """A figure with its 95 % interval."""
    low, high = np.quantile(draws, [0.025, 0.975])
    return {"value": round(value, 4), "low": round(float(low), 4), "high": round(float(high), 4)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds the sets")
    parser.add_argument("--out", type=Path, required=True, help="a folder for the work of the run")
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=arguments.out) as folder:
        found = measured(arguments.data, Path(folder))
    write_whole(arguments.results, (json.dumps(found, indent=1, sort_keys=True) + "\n").encode())
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
