"""How much `penjing/small` differs from the float32 model that it was made from: states, probes, time.

    python bases/small/measure.py --models DIR --data DIR

Writes figures.json and CARD.md into the package; what figures.json has already is not measured again. Cosines are of
mean-pooled states. Probes are logistic regressions on pooled states with both weights, on the same rows: the difference
of their accuracy is paired. Their settings were fixed beforehand, and nothing is chosen by them.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from penjing.model.base import open_base
from penjing.model.encoder import load_encoder
from penjing.text.tokens import open_tokenizer

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import card  # noqa: E402 - a neighbour of this script

from make import PACKAGE, TEACHER  # noqa: E402

SENTENCES, TRAIN, TEST, MAX_TOKENS, BATCH, DRAWS = 500, 300, 300, 64, 32, 2000
SETS = ("banking77", "thucnews", "phrasebank", "chnsenticorp")
Rows = list[tuple[str, str]]


def pooled(folder: Path, texts: list[str]) -> np.ndarray:
    """(texts, hidden) float32: the mean of the last hidden states over the tokens, at most 64 of them."""
    base = open_base(str(folder), Path("/"))
    encoder, tokenizer = load_encoder(base), open_tokenizer(base.folder)
    tokenizer.enable_truncation(MAX_TOKENS)
    encodings = tokenizer.encode_batch(texts)
    order = sorted(range(len(texts)), key=lambda place: len(encodings[place].ids))
    found = np.zeros((len(texts), encoder.config.hidden_size), dtype=np.float32)
    with torch.inference_mode():
        for start in range(0, len(order), BATCH):
            some = order[start : start + BATCH]
            width = len(encodings[some[-1]].ids)
            ids = torch.ones((len(some), width), dtype=torch.long)
            mask = torch.zeros_like(ids)
            for row, place in enumerate(some):
                count = len(encodings[place].ids)
                ids[row, :count], mask[row, :count] = torch.tensor(encodings[place].ids), 1
            hidden = encoder(input_ids=ids, attention_mask=mask).last_hidden_state
            wide = mask.unsqueeze(-1).float()
            found[some] = ((hidden * wide).sum(1) / wide.sum(1)).numpy()
    return found


def labelled(data: Path, name: str) -> tuple[Rows, Rows]:
    """Train and test rows of a set: drawn with seed 0, without texts that are on both sides."""
    if name == "chnsenticorp":
        folder = data / "zh-sentiment-chnsenticorp"
        parts = [gzip.decompress((folder / "train.tsv.gz").read_bytes()).decode(), (folder / "test.tsv").read_text()]
        sides = [_table(text, "text_a", "label", delimiter="\t", quoting=csv.QUOTE_NONE) for text in parts]
    elif name == "thucnews":
        folder = data / "zh-news-thucnews-titles"
        sides = [_lines((folder / part).read_text(encoding="utf-8")) for part in ("dev.txt", "test.txt")]
    elif name == "banking77":
        folder = data / "en-intent-banking77"
        sides = [_table((folder / part).read_text(), "text", "category") for part in ("train.csv", "test.csv")]
    else:
        raw = (data / "en-finance-phrasebank" / "all-data.csv").read_text(encoding="latin-1")
        rows = [(text, label) for label, text in csv.reader(io.StringIO(raw))]
        random.Random(0).shuffle(rows)
        sides = [rows[: len(rows) // 2], rows[len(rows) // 2 :]]
    known = {text for text, _ in sides[0]}
    test = [row for row in dict.fromkeys(sides[1]) if row[0] not in known]
    train = list(dict.fromkeys(sides[0]))
    return random.Random(0).sample(train, min(TRAIN, len(train))), random.Random(0).sample(test, min(TEST, len(test)))


def probe(train: np.ndarray, test: np.ndarray, labels: list[str]) -> np.ndarray:
    """The labels that a logistic regression on standardised states gives to the test rows."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(train)
    return LogisticRegression(C=0.1, max_iter=1000).fit(scaler.transform(train), labels).predict(scaler.transform(test))


def compare(data: Path, teacher: Path, name: str) -> dict[str, Any]:
    """Accuracy with both weights on the same rows, their paired difference with its 95 % interval, cosines."""
    train, test = labelled(data, name)
    texts = [text for text, _ in (*train, *test)]
    states = {key: pooled(folder, texts) for key, folder in (("float32", teacher), ("int8", PACKAGE))}
    gold = np.array([label for _, label in test])
    count = len(train)
    labels = [label for _, label in train]
    answers = {key: probe(found[:count], found[count:], labels) for key, found in states.items()}
    right = {key: (found == gold).astype(np.float64) for key, found in answers.items()}
    paired = right["int8"] - right["float32"]
    drawn = np.random.default_rng(0).integers(0, len(paired), (DRAWS, len(paired)))
    low, high = np.quantile(paired[drawn].mean(axis=1), [0.025, 0.975])
    return {
        "train": count,
        "test": len(test),
        "float32": round(float(right["float32"].mean()), 4),
        "int8": round(float(right["int8"].mean()), 4),
        "difference": round(float(paired.mean()), 4),
        "low": round(float(low), 4),
        "high": round(float(high), 4),
        "same_answer": round(float((answers["int8"] == answers["float32"]).mean()), 4),
        "cosine": _cosines(states["float32"], states["int8"]),
    }


def sentences(data: Path) -> dict[str, list[str]]:
    """500 Chinese and 500 English sentences of Tatoeba, drawn with seed 0."""
    found: dict[str, list[str]] = {"en": [], "zh": []}
    raw = (data / "enzh-translation-tatoeba" / "cmn.txt.gz").read_bytes()
    for line in gzip.decompress(raw).decode("utf-8").splitlines():
        english, chinese = line.split("\t")[:2]
        found["en"].append(english)
        found["zh"].append(chinese)
    return {key: random.Random(0).sample(sorted(set(texts)), SENTENCES) for key, texts in found.items()}


def _cosines(one: np.ndarray, other: np.ndarray) -> dict[str, float]:
    both = (one * other).sum(axis=1) / (np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1))
    return {"mean": round(float(both.mean()), 6), "least": round(float(both.min()), 6)}


def _table(text: str, column: str, label: str, **options: Any) -> Rows:
    return [(row[column], row[label]) for row in csv.DictReader(io.StringIO(text), **options)]


def _lines(text: str) -> Rows:
    return [(first, last) for first, _, last in (line.rpartition("\t") for line in text.splitlines()) if first]


def main() -> None:
    """Measure and write figures.json and the card."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path, required=True, help="folder that holds multilingual-e5-small-zh-en")
    parser.add_argument("--data", type=Path, required=True, help="folder of the labelled sets")
    given = parser.parse_args()
    teacher = given.models / TEACHER
    torch.set_num_threads(1)  # where other work takes a core, two threads are several times slower than one
    path = PACKAGE / "figures.json"
    figures: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    for key, texts in sentences(given.data).items():
        if key not in figures.setdefault("sentences", {}):
            cosines = _cosines(pooled(teacher, texts), pooled(PACKAGE, texts))
            _keep(path, figures, "sentences", key, {"texts": len(texts), **cosines})
    for name in SETS:
        if name not in figures.setdefault("probes", {}):
            _keep(path, figures, "probes", name, compare(given.data, teacher, name))
    card.write(PACKAGE)


def _keep(path: Path, figures: dict[str, Any], part: str, key: str, found: dict[str, Any]) -> None:
    """Write what is measured at once: a run that is stopped goes on from there."""
    figures[part][key] = found
    path.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(key, found, flush=True)


if __name__ == "__main__":
    main()
