"""Claim: 5,000 rules and 100 word lists of 10,000 words are read and checked in 20 s, and cost 0.3 ms a text.

    python bench/rules.py --data DIR

Rules, lists and cases are invented (`rules_table.py`, seed 2026): each row has up to two conditions on the text (words,
words together, words refused, beginnings, expressions, a word list) and some on label, probability, amount, grade,
city and dates. The lists together have 1,000,000 different words: all of a Chinese dictionary, and pairs of its words.
The texts are 1,000 reviews of 50 to 300 characters (SophonPlus ChineseNlpCorpus, online shopping), drawn by the seed.

Measured in a process of its own for each table: the time to read the file and its lists, to check its logic (of the
second edition), to compile it; the growth of resident memory through reading and compiling; and per text the time from
the masked text to the row that decides: folding, finding, deciding. All times are processor time of one thread. Per
text there are five windows of all texts; of each window the median and the 99th percentile, of these the median window.
The first edition took at most 1,000 rows and no lists: the same file of 1,000 rows that it can read is given to both.
The first complete run is the one in bench/results/rules.json. It read the rules of the first edition with all their
faults told, and checked them, with code that has been removed since; what is left reads and decides sealed rules.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import random
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import rules_table
from penjing.core.errors import PenjingError
from penjing.core.machine import hardware
from penjing.data.clean import clean
from penjing.decide.schema import FactSchema

RESULTS = Path(__file__).resolve().parent / "results" / "rules.json"
SEED, TEXTS, WINDOWS = 2026, 1_000, 5
ROWS, LISTS, WORDS = 5_000, 100, 10_000
GOAL = {"seconds": 20.0, "milliseconds": 0.3}
# Edition, rows, word lists of each table.
TABLES = {
    "first-1000": ("1", 1_000, 0),
    "second-1000": ("2", 1_000, 0),
    "second-5000": ("2", ROWS, 0),
    "second-5000-lists": ("2", ROWS, LISTS),
}
Check = Callable[[Any], Any]
Decide = Callable[[Any, str, dict[str, Any]], Any]


def reviews(data: Path) -> list[str]:
    """Texts of 50 to 300 characters, drawn by the seed."""
    archive = zipfile.ZipFile(data / "zh-sentiment-reviews" / "online_shopping_10_cats.zip")
    name = next(each for each in archive.namelist() if each.endswith(".csv"))
    rows = csv.DictReader(io.StringIO(archive.read(name).decode("utf-8-sig")))
    texts = [text for row in rows if 50 <= len(text := clean(row["review"] or "-")) <= 300]
    return random.Random(SEED).sample(texts, TEXTS)


def write(folder: Path, name: str) -> Path:
    """The rules file of a table, with its lists beside it."""
    _, rows, lists = TABLES[name]
    rng, path = random.Random(SEED), folder / "rules.csv"
    if name.endswith("-1000"):
        rules_table.write_first(path, rows, rng)
    else:
        rules_table.write_second(path, rows, rules_table.write_lists(folder, lists, WORDS, rng) if lists else [], rng)
    return path


def measure(path: Path, edition: str, texts: list[str]) -> dict[str, Any]:
    """Everything that is measured of one table."""
    schema = FactSchema(rules_table.LABELS, rules_table.FIELDS)
    read, check, decide = _first(schema) if edition == "1" else _second(schema)
    before, start = _resident(), time.process_time()
    table = read(path)
    reading = time.process_time() - start
    facts = rules_table.cases(random.Random(SEED), len(texts))
    start = time.process_time()
    decide(table, texts[0], facts[0])
    compiling, memory = time.process_time() - start, _resident() - before
    windows, decided = [], 0
    for _ in range(WINDOWS):
        times = []
        for text, each in zip(texts, facts, strict=True):
            start = time.process_time()
            found = decide(table, text, each)
            times.append(1000 * (time.process_time() - start))
            decided += found is not None
        windows.append(sorted(times))
    checked = {} if check is None else _checked(check, table)
    return {
        "edition": edition,
        "rows": len(table.rules),
        "read_s": round(reading, 2),
        **checked,
        "compile_s": round(compiling, 2),
        "memory_mb": round(memory / 1e6, 1),
        "p50_ms": round(median(each[len(each) // 2] for each in windows), 4),
        "p99_ms": round(median(each[len(each) * 99 // 100] for each in windows), 4),
        "decided": round(decided / WINDOWS / len(texts), 4),
    }


def _checked(check: Check, table: Any) -> dict[str, Any]:
    start = time.process_time()
    try:
        check(table)
        refused = ""
    except PenjingError as error:
        refused = error.what
    return {"check_s": round(time.process_time() - start, 2), "check_refused": refused}


def _first(schema: FactSchema) -> tuple[Callable[[Path], Any], None, Decide]:
    from penjing.decide.first.reader import read_rules

    def decide(table: Any, text: str, facts: dict[str, Any]) -> Any:
        return table.first(facts | {"contains": table.contained(text)})

    return lambda path: read_rules(path, schema), None, decide


def _second(schema: FactSchema) -> tuple[Callable[[Path], Any], Check, Decide]:
    from penjing.decide.check import check
    from penjing.decide.rules import read_rules

    def decide(table: Any, text: str, facts: dict[str, Any]) -> Any:
        return table.first(facts | {"text": table.seen(text)})

    return lambda path: read_rules(path, schema), check, decide


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds the sets")
    parser.add_argument("--table", choices=TABLES, help="measure this one and print it (a process of its own)")
    arguments = parser.parse_args()
    if arguments.table:
        with TemporaryDirectory() as folder:
            path = write(Path(folder), arguments.table)
            print(json.dumps(measure(path, TABLES[arguments.table][0], reviews(arguments.data))))
        return
    found: dict[str, Any] = {"hardware": hardware(), "seed": SEED, "texts": TEXTS, "goal": GOAL}
    found |= {"lists": LISTS, "words": LISTS * WORDS, "tables": {}}
    for name in TABLES:
        command = [sys.executable, __file__, "--data", str(arguments.data), "--table", name]
        found["tables"][name] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        print(name, found["tables"][name])
    whole = found["tables"]["second-5000-lists"]
    whole["ready_s"] = round(whole["read_s"] + whole["check_s"], 2)
    RESULTS.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
