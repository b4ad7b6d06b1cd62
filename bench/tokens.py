"""Claim: Penjing's tokens are those of the tokenizer itself on 100,000 real lines, without its wrapper's time.

    python bench/tokens.py --data DIR [--lines 100000]

Reads the lines of every text file under DIR, gives each to `penjing/mini`'s tokenizer in three ways in turn
(A B C A B C ...): transformers' fast tokenizer, the raw tokenizer's `encode`, and Penjing's own path. All ids must be
equal. Prints microseconds a text, one at a time and in batches of 32, and writes bench/results/tokens.json.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from transformers import PreTrainedTokenizerFast

from penjing.core.machine import hardware
from penjing.model.base import open_base
from penjing.text.tokens import TOKENIZER, Tokens, read_tokenizer

RESULTS = Path(__file__).resolve().parent / "results" / "tokens.json"
KINDS = (".txt", ".csv", ".tsv", ".jsonl", ".json", ".gz")
ROUNDS, SAMPLE = 5, 2000
Tokenizers = dict[str, Callable[[Sequence[str]], list[list[int]]]]


def lines_of(folder: Path) -> Iterator[str]:
    """Every line of more than one character, of every file in turn, so that each kind of text comes early."""
    files = sorted(path for path in folder.rglob("*") if path.suffix in KINDS and path.is_file())
    readers = [_lines(path) for path in files]
    while readers:
        for reader in list(readers):
            block = list(itertools.islice(reader, 500))
            yield from block
            if len(block) < 500:
                readers.remove(reader)


def _lines(path: Path) -> Iterator[str]:
    opened: Any = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", errors="ignore") as file:
        for line in file:
            if len(line.strip()) > 1:
                yield line.strip()[:2000]


def timed(run: Callable[[Sequence[str]], object], texts: Sequence[str], batch: int) -> float:
    """Microseconds a text."""
    began = time.perf_counter()
    for first in range(0, len(texts), batch):
        run(texts[first : first + batch])
    return 1e6 * (time.perf_counter() - began) / len(texts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a folder of text files")
    parser.add_argument("--lines", type=int, default=100_000)
    arguments = parser.parse_args()
    folder = open_base("penjing/mini", Path()).folder
    wrapper = PreTrainedTokenizerFast(tokenizer_file=str(folder / TOKENIZER))
    raw, ours = read_tokenizer(folder / TOKENIZER), Tokens(read_tokenizer(folder / TOKENIZER), 512)
    tokenizers: Tokenizers = {
        "transformers": lambda texts: wrapper(list(texts))["input_ids"],
        "tokenizers": lambda texts: [raw.encode(text).ids for text in texts],
        "penjing": lambda texts: [row.tolist() for row in ours.encode(texts)],
    }
    lines = list(itertools.islice(lines_of(arguments.data), arguments.lines))
    differ = 0
    for first in range(0, len(lines), 1000):
        block = lines[first : first + 1000]
        found = [tokenizer(block) for tokenizer in tokenizers.values()]
        differ += sum(not one == two == three for one, two, three in zip(*found, strict=True))
    sample = lines[:: max(1, len(lines) // SAMPLE)][:SAMPLE]
    rows: dict[str, dict[str, list[float]]] = {name: {"1": [], "32": []} for name in tokenizers}
    for _ in range(ROUNDS):
        for batch in (1, 32):
            for name, tokenizer in tokenizers.items():
                rows[name][str(batch)].append(timed(tokenizer, sample, batch))
    told = {
        "hardware": hardware(),
        "lines": len(lines),
        "lines_that_differ": differ,
        "characters": round(statistics.fmean(map(len, sample)), 1),
        "microseconds_a_text": {
            name: {batch: round(statistics.median(values), 1) for batch, values in row.items()}
            for name, row in rows.items()
        },
    }
    print(json.dumps(told, indent=2))
    RESULTS.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
