"""Which crops share a long run of characters or words with a benchmark text; those never train the base."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from texts import HAN

# A shared run of this length is taken as a copy: 13 Chinese characters, or 8 English words; a shorter text counts
# where the whole of it is the same and has at least four.
HAN_RUN, WORD_RUN, LEAST = 13, 8, 4
_DROP = re.compile(r"[^\w\u3400-\u9fff]|_")
_WORD = re.compile(r"[a-z0-9']+")
_P = np.uint64(0x9E3779B97F4A7C15)


def _text(path: Path, encoding: str = "utf-8") -> str:
    raw = path.read_bytes()
    return (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode(encoding)


def _columns(path: Path, encoding: str, delimiter: str, names: tuple[str, ...]) -> Iterator[str]:
    quoting = csv.QUOTE_NONE if delimiter == "\t" else csv.QUOTE_MINIMAL
    for row in csv.DictReader(io.StringIO(_text(path, encoding)), delimiter=delimiter, quoting=quoting):
        yield from (row[name] or "" for name in names)


def benchmark_texts(data: Path) -> dict[str, list[str]]:
    """All texts, of every split, of the sets on which the project reports scores."""
    senti, few = data / "zh-sentiment-chnsenticorp", data / "zh-fewclue"
    found = {
        "chnsenticorp": [
            text for name in ("train.tsv.gz", "dev.tsv", "test.tsv")
            for text in _columns(senti / name, "utf-8", "\t", ("text_a",))
        ],
        "medical": [
            text for path in sorted((data / "zh-medical-dialogue").glob("*.csv.gz"))
            for text in _columns(path, "gb18030", ",", ("title", "ask", "answer"))
        ],
        "banking77": [
            text for name in ("train.csv", "test.csv")
            for text in _columns(data / "en-intent-banking77" / name, "utf-8", ",", ("text",))
        ],
        "phrasebank": list(_columns(data / "en-finance-phrasebank" / "all-data.csv", "cp1252", ",", ("news",))),
        "sms": [line.partition("\t")[2] for line in _text(data / "en-spam-sms" / "sms.tsv").splitlines()],
        "waimai": list(_columns(data / "zh-sentiment-reviews" / "waimai_10k.csv", "utf-8", ",", ("review",))),
        "thucnews": [
            line.partition("\t")[0] for name in ("dev.txt", "test.txt")
            for line in _text(data / "zh-news-thucnews-titles" / name).splitlines()
        ],
    }  # fmt: skip
    for task in ("bustm", "eprstmt", "tnews"):
        texts: dict[str, None] = {}
        for path in sorted((few / task).glob("*.json*")):
            if path.name.startswith("label"):
                continue
            for line in _text(path).splitlines():
                row = json.loads(line) if line.strip() else {}
                texts |= {row[key]: None for key in ("sentence", "sentence1", "sentence2") if key in row}
        found[f"fewclue-{task}"] = list(texts)
    with zipfile.ZipFile(data / "zh-sentiment-reviews" / "online_shopping_10_cats.zip") as archive:
        shop = archive.read(archive.namelist()[0]).decode("utf-8-sig")
    found["online-shopping"] = [row["review"] or "" for row in csv.DictReader(io.StringIO(shop))]
    calls = _text(data / "zh-fraud-dialogues" / "dialogues.jsonl.gz").splitlines()
    found["fraud"] = [turn for line in calls for turn in json.loads(line)["text"].split("\n")]
    clinc = json.loads(_text(data / "en-intent-clinc150" / "data_full.json.gz"))
    found["clinc150"] = [text for part in clinc.values() for text, _ in part]
    found["finance-news"] = _finance(data / "zh-finance-news-sentiment")
    return {name: [text for text in texts if text] for name, texts in found.items()}


def _finance(folder: Path) -> list[str]:
    """Titles and bodies of the test table, titles of the seed table."""
    import openpyxl

    table = _columns(folder / "test_data.csv.gz", "utf-8", ",", ("标题", "正文"))
    seed = openpyxl.load_workbook(folder / "news_seed.xlsx", read_only=True).active
    return [*table, *(str(row[-1]) for row in seed.iter_rows(values_only=True))]


def _runs(units: np.ndarray, run: int) -> np.ndarray:
    """uint64 hash of every run of `run` units, or of the whole text where it is shorter."""
    if len(units) < LEAST:
        return np.zeros(0, dtype=np.uint64)
    return _rolling(units, min(run, len(units)))


def _rolling(units: np.ndarray, run: int) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(units, run)
    total = np.full(len(windows), run, dtype=np.uint64)
    for column in range(run):
        total = (total ^ windows[:, column]) * _P
        total ^= total >> np.uint64(29)
    return total


def units(text: str) -> tuple[np.ndarray, int]:
    """A text as uint64 units (characters of a Chinese text, hashed words of another) and the run that counts."""
    if HAN.search(text):
        return np.asarray([ord(char) for char in _DROP.sub("", text.lower())], dtype=np.uint64), HAN_RUN
    words = _WORD.findall(text.lower())
    return np.asarray([_word(word) for word in words], dtype=np.uint64), WORD_RUN


def _word(word: str) -> int:
    value = 1469598103934665603
    for byte in word.encode():
        value = (value ^ byte) * 1099511628211 & 0xFFFFFFFFFFFFFFFF
    return value


class Runs:
    """All runs of the benchmark texts, by set."""

    def __init__(self, texts: dict[str, list[str]]) -> None:
        self._runs: dict[str, np.ndarray] = {}
        for name, group in texts.items():
            self._runs[name] = np.unique(np.concatenate([_runs(*units(text)) for text in group]))

    def sizes(self) -> dict[str, int]:
        """Distinct runs of each set."""
        return {name: len(runs) for name, runs in self._runs.items()}

    def shared(self, texts: list[str]) -> dict[str, np.ndarray]:
        """For each set a (texts,) bool: whether a text shares a run with it."""
        mine = [_runs(*units(text)) for text in texts]
        owner = np.repeat(np.arange(len(texts)), [len(each) for each in mine])
        flat = np.concatenate(mine) if mine else np.zeros(0, dtype=np.uint64)
        result = {}
        for name, runs in self._runs.items():
            hit = np.zeros(len(texts), dtype=bool)
            hit[owner[np.isin(flat, runs)]] = True
            result[name] = hit
        return result
