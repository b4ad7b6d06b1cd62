"""A base tuned on few rows, alone and with an n-gram branch, beside word counts; appends to results/tuned.jsonl.

    python bases/tuned.py --data DIR --base penjing/nano --out DIR [--sizes 500 2000] [--sets thucnews ...]

The sets and draws of `probe.py` (one draw), 200 validation rows that are in no train part, up to 1,500 test rows. The
encoder is tuned whole, then written in float32 (`compress.export`) and with the branch (`compress.ngrams`). Times are
of one text alone in one thread, tokens included, in turns.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import probe

from penjing.compress import export, ngrams
from penjing.compress.parts.stages import stage
from penjing.core.nouns import Artifact, Inputs, Run, Table
from penjing.data.mask import VERSION, open_masking
from penjing.model.base import open_base
from penjing.runtime.open import open_session
from penjing.runtime.session import Session
from penjing.tune import full, linear

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "tuned.jsonl"
TEST, VALIDATION, FROM, TIMED, TURNS, DRAWS = 1500, 200, 2000, 60, 3, 2000


def table(rows: Sequence[tuple[str, str]]) -> Table:
    """Masked texts with their labels."""
    masking = open_masking(VERSION)
    return Table([masking.run(text).text for text, _ in rows], [label for _, label in rows], range(len(rows)))


def forms(inputs: Inputs, out: Path, options: full.Options) -> dict[str, Artifact]:
    """Word counts, the encoder, and the encoder with n-grams."""

    def made(name: str, make: Callable[[Run], Artifact]) -> Artifact:
        """What an earlier call made is taken."""
        return stage(Run(out / name, out, threads=1), out / name, make)

    tuned = made("tuned", lambda run: full.apply(inputs, options, run))
    after = Inputs(tuned, inputs.train, inputs.validation, {"tuned": tuned}, task=inputs.task)
    alone = Inputs(None, inputs.train, inputs.validation)
    return {
        "words": made("words", lambda run: linear.apply(alone, linear.Options(), run)),
        "encoder": made("encoder", lambda run: export.apply(after, export.Options(engine="onnx"), run)),
        "both": made("both", lambda run: ngrams.apply(after, ngrams.Options(engine="onnx"), run)),
    }


def right(session: Session, test: Table) -> np.ndarray:
    """Which test rows are answered right, (n,) bool."""
    said = [one.answer.ranked()[0][0] for one in session.predict(test.texts)]
    return np.array([one == label for one, label in zip(said, test.labels or (), strict=True)])


def difference(one: np.ndarray, other: np.ndarray) -> list[float]:
    """The difference of two accuracies on the same rows, with its 95 % interval by the bootstrap over rows."""
    gains = one.astype(float) - other
    drawn = np.random.default_rng(0).integers(0, len(gains), (DRAWS, len(gains)))
    low, high = np.quantile(gains[drawn].mean(axis=1), (0.025, 0.975))
    return [round(float(value), 4) for value in (gains.mean(), low, high)]


def milliseconds(sessions: dict[str, Session], texts: Sequence[str]) -> dict[str, float]:
    """The least of a few mean times a text, in turns."""
    found: dict[str, list[float]] = {name: [] for name in sessions}
    for _ in range(TURNS):
        for name, session in sessions.items():
            began = time.perf_counter()
            for text in texts:
                session.outputs([text])
            found[name].append((time.perf_counter() - began) / len(texts))
    return {name: round(1000 * min(times), 3) for name, times in found.items()}


def measure(name: str, rows: tuple[probe.Rows, probe.Rows], size: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """One line of the results."""
    train, test = rows[0], table(rows[1])
    order = probe.draw(train, FROM + VALIDATION, 0)
    known, watched = (table([train[place] for place in places]) for places in (order[:size], order[FROM:]))
    options = full.Options(
        epochs=arguments.epochs, learning_rate=arguments.rates, layers="all", max_tokens=arguments.tokens
    )
    made = forms(Inputs(open_base(arguments.base, HERE), known, watched), arguments.out / f"{name}-{size}", options)
    sessions = {key: open_session(artifact, threads=1) for key, artifact in made.items()}
    found = {key: right(session, test) for key, session in sessions.items()}
    notes = made["both"].card.notes
    return {
        "base": arguments.base,
        "set": name,
        "rows": size,
        "test": len(test),
        "options": options.model_dump(mode="json"),
        **{key: round(float(each.mean()), 4) for key, each in found.items()},
        "both - words": difference(found["both"], found["words"]),
        "both - encoder": difference(found["both"], found["encoder"]),
        "encoder - words": difference(found["encoder"], found["words"]),
        "weights": [notes["encoder_weight"], notes["ngrams_weight"]],
        "milliseconds": milliseconds(sessions, test.texts[:TIMED]),
        "megabytes": {
            key: round(sum(file.stat().st_size for file in one.folder.rglob("*") if file.is_file()) / 1e6, 2)
            for key, one in made.items()
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--base", default="penjing/nano")
    parser.add_argument("--sizes", type=int, nargs="+", default=[500, 2000])
    parser.add_argument("--sets", nargs="+", default=["thucnews", "phrasebank", "banking77", "chnsenticorp"])
    parser.add_argument("--epochs", type=float, default=10)
    parser.add_argument("--rates", type=float, nargs="+", default=[5e-4, 1e-3])
    parser.add_argument("--tokens", type=int, default=96)
    arguments = parser.parse_args()
    probe.TEST = TEST
    sets = probe.sets(arguments.data)
    for size in arguments.sizes:
        for name in arguments.sets:
            line = measure(name, sets[name], size, arguments)
            with RESULTS.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            print(json.dumps({key: value for key, value in line.items() if key != "options"}), flush=True)


if __name__ == "__main__":
    main()
