"""Rules files, word lists and cases of any size for bench/rules.py: invented rows over the words of a dictionary."""

from __future__ import annotations

import csv
import random
from pathlib import Path
from typing import Any

import jieba

LABELS = tuple(f"L{i:02}" for i in range(20))
GRADES = tuple("abcdefgh")
FIELDS: dict[str, str | tuple[str, ...]] = {
    "amount": "float", "age": "int", "vip": "bool", "grade": GRADES, "city": "str", "due": "date",
}  # fmt: skip
# Columns that the first edition has too.
FIRST = ("name", "label", "p", "text", "amount", "grade", "then", "why")
SECOND = (*FIRST[:4], "text", "amount", "grade", "city", "due", "valid_to", "priority", "then", "why")


def dictionary() -> list[str]:
    """Words of at least two characters, in the order of the dictionary of jieba, without digits."""
    lines = (Path(jieba.__file__).parent / "dict.txt").read_text(encoding="utf-8").splitlines()
    words = (line.split(" ")[0] for line in lines)
    return [word for word in words if len(word) > 1 and word.isalpha()]


def write_lists(folder: Path, count: int, size: int, rng: random.Random) -> list[str]:
    """Word lists of that size under `words/`: the whole dictionary first, then pairs of its words; returns names."""
    known = dictionary()
    words = dict.fromkeys(known)
    while len(words) < count * size:
        words[rng.choice(known) + rng.choice(known)] = None
    chosen = list(words)[: count * size]
    rng.shuffle(chosen)
    (folder / "words").mkdir(exist_ok=True)
    names = [f"list{i:03}" for i in range(count)]
    for i, name in enumerate(names):
        lines = "\n".join(chosen[i * size : (i + 1) * size])
        (folder / "words" / f"{name}.txt").write_text(lines + "\n", encoding="utf-8")
    return names


def write_first(path: Path, rows: int, rng: random.Random) -> None:
    """Rows that the first edition can say: words, labels, probabilities, an amount, a grade."""
    words = dictionary()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(FIRST)
        for i in range(rows):
            text = "contains " + "|".join(rng.choice(words) for _ in range(rng.randint(1, 4)))
            writer.writerow([f"r{i}", *_facts(rng)[:2], text, *_facts(rng)[2:4], _then(rng, first=True), ""])


def write_second(path: Path, rows: int, lists: list[str], rng: random.Random) -> None:
    """Rows of every kind of condition. With lists, each eighth row names one."""
    words = dictionary()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(SECOND)
        for i in range(rows):
            label, p, amount, grade = _facts(rng)
            city = f"in {rng.choice(words)}|{rng.choice(words)}" if rng.random() < 0.15 else ""
            due = "within 30 days" if rng.random() < 0.1 else ""
            until = f"2027-{rng.randint(1, 12):02}-01" if rng.random() < 0.1 else ""
            texts = _texts(words, lists, rng)
            end = _then(rng, first=False)
            writer.writerow([f"r{i}", label, p, *texts, amount, grade, city, due, until, i % 3, end, f"reason {i}"])


def cases(rng: random.Random, count: int) -> list[dict[str, Any]]:
    """The facts of so many cases beside their text."""
    found = []
    for _ in range(count):
        p = round(rng.uniform(0.3, 1), 6)
        label, other = rng.sample(LABELS, 2)
        found.append(
            {
                "label": label,
                "p": p,
                "margin": round(p - (1 - p) / 2, 6),
                "probabilities": dict.fromkeys(LABELS, 0.0) | {label: p, other: round((1 - p) / 2, 6)},
                "too_long": False,
                "pii": {"mobile": int(rng.random() < 0.1)},
                "fields": {
                    "amount": round(rng.uniform(0, 1_000_000), 2), "age": rng.randint(1, 90), "vip": rng.random() < 0.2,
                    "grade": rng.choice(GRADES), "city": "北京", "due": "2026-01-15",
                },
                "clock": "2026-01-20T10:00:00.000000Z",
            }
        )  # fmt: skip
    return found


def _facts(rng: random.Random) -> tuple[str, str, str, str]:
    low = round(rng.uniform(0.1, 0.9), 6)
    return (
        f"in {'|'.join(rng.sample(LABELS, 2))}" if rng.random() < 0.4 else "",
        f"{low}..{round(low + 0.1, 6)}" if rng.random() < 0.4 else "",
        f">={rng.randrange(1_000_000)}" if rng.random() < 0.3 else "",
        rng.choice(GRADES) if rng.random() < 0.2 else "",
    )


def _texts(words: list[str], lists: list[str], rng: random.Random) -> tuple[str, str]:
    """The two conditions on the text of a row."""
    one, two, three = (rng.choice(words) for _ in range(3))
    if lists and rng.random() < 0.125:
        return f"contains @{rng.choice(lists)}", ""
    kind = rng.random()
    if kind < 0.4:
        return f"contains {one}|{two}|{three}", ""
    if kind < 0.6:
        return f"contains all {one}|{two}", ""
    if kind < 0.75:
        return f"contains {one}|{two}", f"not contains {three}"
    if kind < 0.88:
        return f"starts {one}|{two}", ""
    return f"matches {one}.{{0,8}}{two}", ""


def _then(rng: random.Random, *, first: bool) -> str:
    ends = ["review", f"outcome {rng.choice(LABELS)}"]
    return rng.choice(ends if first else [*ends, "review 法务", "model"])
