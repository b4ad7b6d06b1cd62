"""Why not scikit-learn and FastAPI, or a call to a large model? What can be measured of the answer.

    python bench/why.py --data DIR --out DIR [--part errors|service|repeat ...]

Protocol, written before its first run.

- `errors`: SMS spam, ChnSentiCorp, PhraseBank, BANKING77, word counts (`tune.linear`), trained on 40 % of the distinct
  rows; 10 % fix temperature and grid; the rest is the population. 1,000 times, 300 or 1,000 calibration rows are drawn
  from it with replacement, and a threshold for an error of at most 5 % is chosen twice: the least threshold above which
  at most 5 % of the calibration rows are wrong, as is usual, and Penjing's certificate. Reported: how often more than
  5 % of the population above the threshold are wrong (the promise is broken), and the share of cases above it. Both
  thresholds are of the same model and the same rows.
- `service`: ChnSentiCorp, 3,000 train rows. The rival is `rival_app.py` by uvicorn with one process; Penjing is a
  release of `tune.linear` that `penjing make` sealed from the same rows, by `penjing serve`, and it records every
  decision on the disk. Both are asked 150 times a second for 30 s by one client, in turn (A B A B). Reported: p50, p99,
  errors, and processor time a decision; from that, hours of one core for a million texts.
- `repeat`: 500 test texts, alone and all at once, with one thread and with two: texts of which any probability differs.
  The rival answers with all digits of a probability, Penjing with six; so the rival is counted with six digits too. The
  decisions of `service` are replayed. Without a network (`unshare -rn`): whether both answer.
- Tokens: of a text by the tokenizer of `penjing/small`, for the price of a call to a large model. No such service was
  called: its error, its time and its repeatability are not measured.

Writes bench/results/why.json; a part that is there is not repeated.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import pickle
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

import rival_app
from certificate import Frozen, chnsenticorp, counts, freeze, rate, sms
from curve import rows_of_set
from penjing.core.folder import replaced_file
from penjing.core.machine import hardware
from penjing.prove.sequence import chosen, make_grid, run_sequence
from serve import Load, cpu_seconds, drive, start

RESULTS = Path(__file__).resolve().parent / "results" / "why.json"
LIMIT, DRAWS, CALIBRATIONS = 0.05, 1000, (300, 1000)
TRAIN, VALIDATION, CALIBRATION, ASKED, RATE, SECONDS, TURNS = 3000, 400, 1000, 500, 150.0, 30.0, 2
# Instructions, labels and rules that a call sends beside the text.
PROMPT = 200
Values = dict[str, Any]
RECIPE = """\
name: reviews
language: zh
task: {type: classify}
data: {files: {train: train.jsonl, validation: validation.jsonl, calibration: calibration.jsonl, test: test.jsonl}}
steps:
  - tune.linear: {}
gates: {unproven: allow}
decide: {max_error: 0.1, audit: 0.01}
"""


def errors(data: Path, _out: Path) -> list[Values]:
    """How often each kind of threshold breaks its promise, by set and number of calibration rows."""
    sets: dict[str, Callable[[], list[tuple[str, str]]]] = {
        "sms": lambda: sms(data),
        "chnsenticorp": lambda: chnsenticorp(data),
        "phrasebank": lambda: rows_of_set("phrasebank", data)[0],
        "banking77": lambda: rows_of_set("banking77", data)[0],
    }
    found = []
    for name, rows in sets.items():
        frozen = freeze(rows(), "name,p,then\n", 0)
        for count in CALIBRATIONS:
            found.append(
                {"set": name, "calibration": count, "accuracy": round(frozen.accuracy, 4)} | drawn(frozen, count)
            )
            print(json.dumps(found[-1]), file=sys.stderr, flush=True)
    return found


def drawn(frozen: Frozen, count: int) -> Values:
    """Broken promises and automation of both thresholds over calibration rows that are drawn from the population."""
    draw, pool, grid = np.random.default_rng(0), frozen.pool, make_grid(frozen.validation, LIMIT, count)
    broken, none = {"usual": 0, "certified": 0}, {"usual": 0, "certified": 0}
    automation: dict[str, list[float]] = {"usual": [], "certified": []}
    for _ in range(DRAWS):
        cases = pool.take(draw.integers(0, len(pool), count))
        least = rival_app.least_threshold(cases.p / 1e6, ~cases.correct, LIMIT)
        best = chosen(run_sequence(cases, grid, LIMIT))
        for name, threshold in (("usual", least), ("certified", None if best is None else best.threshold)):
            if threshold is None or threshold > 1:
                none[name] += 1
                automation[name].append(0.0)
                continue
            automated, wrong = counts(pool, threshold)
            broken[name] += wrong > LIMIT * automated
            automation[name].append(automated / len(pool))
    return {
        name: {"broken": rate(broken[name], DRAWS), "none": none[name], "automation": round(float(np.mean(shares)), 4)}
        for name, shares in automation.items()
    }


def prepared(data: Path, out: Path) -> tuple[Path, Path, list[str]]:
    """The rival's model, Penjing's release, and the texts that are asked."""
    rows, language = rows_of_set("chnsenticorp", data)
    order = random.Random(0).sample(rows, len(rows))
    cuts = np.cumsum([TRAIN, VALIDATION, CALIBRATION]).tolist()
    names = ("train", "validation", "calibration")
    parts = {name: order[begin:end] for name, begin, end in zip(names, (0, *cuts[:-1]), cuts, strict=True)}
    parts["test"] = order[cuts[-1] :]
    model, folder = out / "model.pickle", out / "release"
    if not model.is_file():
        out.mkdir(parents=True, exist_ok=True)
        # Pickled under the module's name, so that the service can open it.
        model.write_bytes(pickle.dumps(rival_app.fit(parts["train"], parts["validation"], language, 2 * LIMIT)))
        for name, some in parts.items():
            lines = (json.dumps({"text": text, "label": label}, ensure_ascii=False) + "\n" for text, label in some)
            (out / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")
        (out / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    if not folder.is_dir():
        penjing("make", out / "recipe.yaml", "--out", out / "made")
        report = json.loads((out / "made" / "report.json").read_text(encoding="utf-8"))
        if not report["sealed"]:
            sys.exit("nothing was sealed; see the report")
        shutil.copytree(next(path.parent for path in (out / "made").rglob("regression.jsonl")), folder)
    return model, folder, [text for text, _ in parts["test"]]


def penjing(*arguments: str | Path) -> str:
    """What a command prints."""
    command = [sys.executable, "-m", "penjing", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@contextmanager
def rival(model: Path) -> Iterator[tuple[int, str]]:
    """The rival's service: its process and its URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "rival_app:app", "--port", str(port), "--log-level", "warning"]
    folder = str(Path(__file__).parent)
    process = subprocess.Popen([*command, "--app-dir", folder], env=os.environ | {"MODEL": str(model)})
    try:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield process.pid, f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


@contextmanager
def ours(release: Path, database: Path) -> Iterator[tuple[int, str, str]]:
    """Penjing's service: its process, its URL and a key."""
    key = database.with_suffix(".key")
    process, url = start(release, database, key)
    try:
        yield process.pid, url, key.read_text().strip()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def loaded(process: int, url: str, key: str, bodies: list[bytes]) -> Values:
    """What a load says of a service."""
    asyncio.run(drive(url, key, bodies, 20, 2))
    before = cpu_seconds(process)
    load: Load = asyncio.run(drive(url, key, bodies, RATE, SECONDS))
    spent = (cpu_seconds(process) - before) / max(1, load.answered)
    return asdict(load) | {"cpu_ms": round(1e3 * spent, 4), "core_hours_per_million": round(spent * 1e6 / 3600, 3)}


def service(data: Path, out: Path) -> Values:
    """Both services under the same load, in turn, and the tokens of a text."""
    from penjing.model.base import open_base
    from penjing.text.tokens import open_tokenizer

    model, release, texts = prepared(data, out)
    bodies = [json.dumps({"text": text}, ensure_ascii=False).encode() for text in texts]
    found: Values = {"rival": [], "penjing": []}
    for turn in range(TURNS):
        with rival(model) as (process, url):
            found["rival"].append(loaded(process, url, "", bodies))
        folder = out / f"turn-{turn}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        with ours(release, folder / "penjing.db") as (process, url, key):
            found["penjing"].append(loaded(process, url, key, bodies))
        print({name: values[-1] for name, values in found.items()}, file=sys.stderr, flush=True)
    base = open_base("penjing/small", out)
    tokenizer = open_tokenizer(base.folder)
    tokens = float(np.mean([len(tokenizer.encode(text).ids) for text in texts]))
    return found | {"tokens_a_text": round(tokens, 1), "prompt_tokens": PROMPT}


def repeat(data: Path, out: Path) -> Values:
    """Texts that get other bits alone, in a batch, or with another number of threads; replay; without a network."""
    model, release, texts = prepared(data, out)
    lines = out / "texts.jsonl"
    lines.write_text("".join(json.dumps(text) + "\n" for text in texts[:ASKED]), encoding="utf-8")
    found: Values = {"texts": ASKED}
    app = [sys.executable, str(Path(rival_app.__file__)), str(model), str(lines)]
    runs = [printed([*app, *alone], threads) for alone in ((), ("--alone",)) for threads in (1, 2)]
    found["rival"] = differing(runs)
    found["rival, six digits"] = differing([[six(line) for line in lines] for lines in runs])
    found["penjing"] = differing(
        [bits(release, texts[:ASKED], threads, alone=alone) for alone in (False, True) for threads in (1, 2)]
    )
    counted = penjing(
        "replay", "--all", "--db", f"sqlite:///{out / 'turn-0' / 'penjing.db'}", "--release", release
    ).splitlines()
    found["replay"] = json.loads(counted[-1])
    file = out / "one.txt"
    file.write_text("\n".join(texts[:10]) + "\n", encoding="utf-8")
    found["offline"] = {
        "rival": answers([*app, "--alone"]),
        "penjing": answers([sys.executable, "-m", "penjing", "predict", str(release), str(file)]),
    }
    return found


def printed(command: list[str], threads: int) -> list[str]:
    """The lines of a command with so many threads."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    environment = os.environ | dict.fromkeys(names, str(threads))
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.splitlines()


def bits(release: Path, texts: list[str], threads: int, *, alone: bool) -> list[str]:
    """The probabilities of each text as hexadecimal numbers."""
    from penjing.core.answers import Choice, as_kind
    from penjing.core.artifact import open_release
    from penjing.runtime.open import open_session

    session = open_session(open_release(release).artifact, threads=threads)
    batches = [[text] for text in texts] if alone else [texts]
    found = [one.answer for batch in batches for one in session.predict(batch)]
    return [" ".join(float(p).hex() for p in as_kind(answer, Choice).probabilities) for answer in found]


def six(line: str) -> str:
    """A line of hexadecimal numbers, each with six digits after the point."""
    return " ".join(f"{float.fromhex(number):.6f}" for number in line.split())


def differing(runs: list[list[str]]) -> int:
    """How many texts have another line in any run than in the first."""
    return sum(len(set(lines)) > 1 for lines in zip(*runs, strict=True))


def answers(command: list[str]) -> bool | None:
    """Whether a command ends well where there is no network; None where such a place cannot be made."""
    if subprocess.run(["unshare", "-rn", "true"], check=False, capture_output=True).returncode:
        return None
    return subprocess.run(["unshare", "-rn", *command], check=False, capture_output=True).returncode == 0


PARTS: dict[str, Callable[[Path, Path], Any]] = {"errors": errors, "service": service, "repeat": repeat}


def main() -> None:
    """Measure the parts that are not there yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--part", choices=tuple(PARTS), action="append")
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args()
    known = json.loads(given.results.read_text(encoding="utf-8")) if given.results.is_file() else {}
    for name in given.part or PARTS:
        if name in known:
            continue
        known[name] = PARTS[name](given.data, given.out)
        known["machine"] = hardware()
        with replaced_file(given.results) as path:
            path.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
