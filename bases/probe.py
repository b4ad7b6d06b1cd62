"""Probes: what untuned states are worth to a logistic regression, beside word counts. No base is trained on them.

    python bases/probe.py --data DIR NAME=FOLDER ...          (appends lines to bases/results/probes.jsonl)

Four sets, 500 and 2,000 train rows, three draws of the train rows, 600 fixed test rows whose texts are not in train.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
import random
import time
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent


SIZES, TEST, SEEDS, LONGEST = (500, 2000), 600, 3, 96
RESULTS = HERE / "results" / "probes.jsonl"
Rows = list[tuple[str, str]]


def _read(path: Path, encoding: str = "utf-8") -> str:
    raw = path.read_bytes()
    return (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode(encoding)


def _table(path: Path, names: tuple[str, str], encoding: str = "utf-8") -> Rows:
    tabs = ".tsv" in path.suffixes
    reader = csv.DictReader(
        io.StringIO(_read(path, encoding)), delimiter="\t" if tabs else ",",
        quoting=csv.QUOTE_NONE if tabs else csv.QUOTE_MINIMAL,
    )  # fmt: skip
    return [(row[names[0]], row[names[1]]) for row in reader]


def _titles(path: Path) -> Rows:
    pairs = (line.split("\t") for line in _read(path).splitlines())
    return [(title, label) for title, label in pairs]


def sets(data: Path) -> dict[str, tuple[Rows, Rows]]:
    """Train and test rows (text, label) of each set: distinct texts, none of the test texts in train."""
    senti, bank, news = (
        data / name for name in ("zh-sentiment-chnsenticorp", "en-intent-banking77", "zh-news-thucnews-titles")
    )
    phrase = list(dict.fromkeys(_table(data / "en-finance-phrasebank" / "all-data.csv", ("news", "label"), "cp1252")))
    random.Random(7).shuffle(phrase)
    reviews, questions = ("text_a", "label"), ("text", "category")
    raw: dict[str, tuple[Rows, Rows]] = {
        "chnsenticorp": (_table(senti / "train.tsv.gz", reviews), _table(senti / "test.tsv", reviews)),
        "thucnews": (_titles(news / "dev.txt"), _titles(news / "test.txt")),
        "banking77": (_table(bank / "train.csv", questions), _table(bank / "test.csv", questions)),
        "phrasebank": (phrase[1000:], phrase[:1000]),
    }  # fmt: skip
    found = {}
    for name, (train, test) in raw.items():
        apart = list({text: (text, label) for text, label in test}.values())
        asked = {text for text, _ in apart}
        known = [row for row in {text: (text, label) for text, label in train}.values() if row[0] not in asked]
        found[name] = known, random.Random(1).sample(apart, min(TEST, len(apart)))
    return found


def draw(train: Rows, size: int, seed: int) -> list[int]:
    """The rows of one draw; a smaller draw is the beginning of a larger one."""
    order = list(range(len(train)))
    random.Random(f"probe-{seed}").shuffle(order)
    return order[:size]


def embed(folder: Path, texts: list[str]) -> np.ndarray:
    """(texts, width) float32 mean-pooled states of an encoder's folder."""
    import torch
    from tokenizers import Tokenizer

    from penjing.model.base import open_base
    from penjing.model.encoder import load_encoder
    from penjing.model.heads import mean_pool
    from penjing.train.batches import Budget, pad_ids, sorted_batches

    folder = folder.resolve()
    encoder = load_encoder(open_base(str(folder), folder))
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(LONGEST)
    ids = [np.asarray(each.ids, dtype=np.int64) for each in tokenizer.encode_batch(texts)]
    out = np.zeros((len(texts), encoder.config.hidden_size), dtype=np.float32)  # type: ignore[union-attr]
    with torch.inference_mode():
        for rows in sorted_batches(np.asarray([len(row) for row in ids]), Budget(32, 2048)):
            given, mask = pad_ids([ids[row] for row in rows], 1)
            out[rows] = mean_pool(encoder(input_ids=given, attention_mask=mask).last_hidden_state, mask).numpy()
    return out


def by_states(folder: Path, train: Rows, test: Rows, size: int, cache: dict[str, np.ndarray]) -> list[np.ndarray]:
    """For each draw which test rows are right, (test,) bool."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    needed = sorted({row for seed in range(SEEDS) for row in draw(train, size, seed)})
    new = [text for text in [train[row][0] for row in needed] + [text for text, _ in test] if text not in cache]
    cache.update(zip(new, embed(folder, new), strict=True) if new else ())
    asked, right = np.stack([cache[text] for text, _ in test]), []
    for seed in range(SEEDS):
        rows = draw(train, size, seed)
        known = np.stack([cache[train[row][0]] for row in rows])
        scaler = StandardScaler().fit(known)
        model = LogisticRegression(C=0.05, max_iter=300).fit(scaler.transform(known), [train[row][1] for row in rows])
        right.append(model.predict(scaler.transform(asked)) == np.asarray([label for _, label in test]))
    return right


def by_words(train: Rows, test: Rows, size: int) -> list[np.ndarray]:
    """The same of the project's word counts: TF-IDF as of `tune.linear`, C chosen by three folds of the train rows."""
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, KFold
    from sklearn.multiclass import OneVsRestClassifier

    from penjing.text.tfidf import fit_features

    right = []
    for seed in range(SEEDS):
        known = [train[row] for row in draw(train, size, seed)]
        features = fit_features([text for text, _ in known], 2, 4, 2, 200_000, lambda: None)

        def encode(rows: Rows, features: Any = features) -> Any:
            encoded = [features.encode(text) for text, _ in rows]
            ends = np.cumsum([0, *(len(row) for row in encoded)])
            flat = np.concatenate(encoded)
            values, places = flat["weight"].astype(np.float64), flat["index"].astype(np.int32)
            return csr_matrix((values, places, ends), shape=(len(rows), len(features)))

        one = OneVsRestClassifier(LogisticRegression(solver="liblinear", dual=True, tol=0.1, max_iter=1000))
        folds = KFold(3, shuffle=True, random_state=0)
        model = GridSearchCV(one, {"estimator__C": [1.0, 4.0, 16.0, 64.0]}, cv=folds)
        model.fit(encode(known), [label for _, label in known])
        right.append(model.predict(encode(test)) == np.asarray([label for _, label in test]))
    return right


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--note", default="")
    parser.add_argument("bases", nargs="+", help="NAME=FOLDER, or tf-idf")
    arguments = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    RESULTS.parent.mkdir(exist_ok=True)
    for base in arguments.bases:
        name, _, folder = base.partition("=")
        line: dict[str, object] = {"base": name, "note": arguments.note, "time": time.strftime("%Y-%m-%dT%H:%M:%S")}
        for key, (train, test) in sets(arguments.data).items():
            cache: dict[str, np.ndarray] = {}
            for size in SIZES:
                right = (
                    by_states(Path(folder).resolve(), train, test, size, cache)
                    if folder
                    else by_words(train, test, size)
                )
                line[f"{key}-{size}"] = [round(float(each.mean()), 4) for each in right]
        with RESULTS.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        means = {key: round(float(np.mean(value)), 3) for key, value in line.items() if isinstance(value, list)}
        print(name, means, flush=True)


if __name__ == "__main__":
    main()
