"""A probe of untuned embeddings: logistic regression on two labelled sets, on which nothing is chosen."""

from __future__ import annotations

import csv
import gzip
import io
import random
from pathlib import Path
from typing import Any

import numpy as np

import measure

TRAIN, TEST = 1500, 1000


def _rows(data: Path, name: str) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    if name == "banking77":
        folder = data / "en-intent-banking77"
        raw = [(folder / f"{part}.csv").read_text(encoding="utf-8") for part in ("train", "test")]
        columns, options = ("text", "category"), {}
    else:
        folder = data / "zh-sentiment-chnsenticorp"
        train = gzip.decompress((folder / "train.tsv.gz").read_bytes()).decode()
        raw = [train, (folder / "test.tsv").read_text(encoding="utf-8")]
        columns, options = ("text_a", "label"), {"delimiter": "\t", "quoting": csv.QUOTE_NONE}
    parts = []
    for text in raw:
        rows = [(row[columns[0]], row[columns[1]]) for row in csv.DictReader(io.StringIO(text), **options)]
        parts.append(rows)
    seen = {text for text, _ in parts[0]}
    return parts[0], [row for row in parts[1] if row[0] not in seen]


def run(data: Path, folders: dict[str, Path]) -> dict[str, Any]:
    """Accuracy on test texts that are not in train, for each set and each folder."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    accuracy: dict[str, dict[str, float]] = {}
    least = TEST
    for name in ("chnsenticorp", "banking77"):
        train, test = _rows(data, name)
        train, test = random.Random(0).sample(train, TRAIN), random.Random(0).sample(test, min(TEST, len(test)))
        least = min(least, len(test))
        accuracy[name] = {}
        for key, folder in folders.items():
            known, asked = (measure.embed(folder, [text for text, _ in rows]) for rows in (train, test))
            scaler = StandardScaler().fit(known)
            model = LogisticRegression(C=0.1, max_iter=1000).fit(scaler.transform(known), [row[1] for row in train])
            right = model.predict(scaler.transform(asked)) == np.asarray([row[1] for row in test])
            accuracy[name][key] = round(float(right.mean()), 4)
    return {"train": TRAIN, "test": least, "accuracy": accuracy}
