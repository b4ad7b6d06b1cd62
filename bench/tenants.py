"""Claim: ten services on one base take a fraction of the memory of ten services with a model each.

    python bench/tenants.py [--results FILE]

Ten services on `penjing/nano`, each with three of the ten classes of THUCNews titles (services 1 to 10 begin at another
class): 300 train rows (dev.txt), 90 validation rows (dev.txt, others), 300 test rows (test.txt), one epoch of
`tune.lora` at rank 8, one learning rate. Each model is written twice: by `compress.tenant` (the base is shared) and by
`compress.export` on ONNX Runtime (a model of its own, the same weights merged). Both store weights in float16 and
compute in float32.

One process opens all ten of a kind, with engines of one thread, and answers the 3,000 test texts: first one after
another, then from ten threads at once, one for each service, each text asked alone. Masking and tokenizing are inside;
HTTP, policy and records are not. Kinds alternate, three processes each; medians are reported. Memory is that of the
whole process (VmRSS after the answers); `cpu_ms` is the processor's time of a text, which other work on the machine
changes less than the texts a second. Answers of the mixed traffic are compared bit for bit with those one after
another, and by label with those of the other kind. The first complete run is reported; it takes some ten minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from penjing.core.nouns import Inputs, Run, Table

BENCH = Path(__file__).parent
SERVICES, CLASSES, TRAIN, VALIDATION, TEST = 10, 3, 300, 90, 300
ROUNDS = 3
KINDS = ("tenant", "export")


def tables(lines: Sequence[str], classes: Sequence[str], place: int, sizes: Sequence[int]) -> list[Table]:
    """Tables of a service, one after another out of the lines `text TAB class`; as many rows of each of its classes."""
    own = [(place + step) % len(classes) for step in range(CLASSES)]
    rows: dict[int, list[str]] = {label: [] for label in own}
    for line in lines:
        text, _, label = line.rpartition("\t")
        if label.strip().isdigit() and int(label) in rows:
            rows[int(label)].append(text)
    found, start = [], 0
    for size in sizes:
        each = size // CLASSES
        texts = [text for label in own for text in rows[label][start : start + each]]
        labels = [classes[label] for label in own for _ in rows[label][start : start + each]]
        found.append(Table(texts=texts, labels=labels, rows=range(1, len(texts) + 1)))
        start += each
    return found


def make(folder: Path, data: Path) -> None:
    """Train ten services, and write both kinds and the test texts of each."""
    from penjing.compress import export, tenant
    from penjing.model.base import open_base
    from penjing.tune import lora

    classes = (data / "class.txt").read_text(encoding="utf-8").split()
    development, held_out = ((data / name).read_text(encoding="utf-8").splitlines() for name in ("dev.txt", "test.txt"))
    base = open_base("penjing/nano", Path())
    options = lora.Options(epochs=1, learning_rate=(2e-3,), max_tokens=64)
    for place in range(SERVICES):
        began = time.monotonic()
        inside = folder / f"service{place}"
        train, validation = tables(development, classes, place, (TRAIN, VALIDATION))
        (test,) = tables(held_out, classes, place, (TEST,))
        inputs = Inputs(base, train, validation, language="zh")
        tuned = lora.apply(inputs, options, Run(inside / "lora", inside / "scratch.lora", seed=place, threads=2))
        after = replace(inputs, parent=tuned)
        tenant.apply(after, tenant.Options(), Run(inside / "tenant", inside / "scratch.tenant", threads=2))
        own = export.Options(engine="onnx")
        export.apply(after, own, Run(inside / "export", inside / "scratch.export", threads=2))
        rows = {"texts": list(test.texts), "labels": list(test.labels or ())}
        (inside / "test.json").write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
        print(f"service {place}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)


def answer(kind: str, folder: Path) -> dict[str, Any]:
    """Open ten services of a kind in this process, and answer their test texts one after another and at once."""
    from penjing.core.artifact import open_artifact
    from penjing.runtime.open import open_session

    sessions = [open_session(open_artifact(folder / f"service{place}" / kind), threads=1) for place in range(SERVICES)]
    texts = [
        json.loads((folder / f"service{place}" / "test.json").read_text(encoding="utf-8")) for place in range(SERVICES)
    ]
    for session in sessions:
        session.warm()

    def one(place: int, number: int) -> tuple[float, ...]:
        session = sessions[place]
        (found,) = session.predict([session.prepare(texts[place]["texts"][number]).text])
        return tuple(getattr(found.answer, "probabilities", ()))

    counts = [len(each["texts"]) for each in texts]
    began, spent = time.perf_counter(), time.process_time()
    alone = {(place, number): one(place, number) for number in range(max(counts)) for place in range(SERVICES)}
    in_turn, cpu_in_turn = time.perf_counter() - began, time.process_time() - spent
    base = getattr(sessions[0].engine, "base", None)
    before = (0, 0) if base is None else (base.mixed, base.texts)
    together: dict[tuple[int, int], tuple[float, ...]] = {}

    def go(place: int) -> None:
        for number in range(counts[place]):
            together[place, number] = one(place, number)

    threads = [threading.Thread(target=go, args=(place,)) for place in range(SERVICES)]
    began, spent = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    at_once, cpu_at_once = time.perf_counter() - began, time.process_time() - spent
    labels = [list(session.labels) for session in sessions]
    chosen = {key: labels[key[0]][values.index(max(values))] for key, values in together.items()}
    right = sum(chosen[place, number] == texts[place]["labels"][number] for place, number in chosen)
    return {
        "memory_mb": memory_mb(),
        "in_turn_per_second": round(len(alone) / in_turn, 1),
        "at_once_per_second": round(len(together) / at_once, 1),
        "in_turn_cpu_ms": round(cpu_in_turn / len(alone) * 1e3, 3),
        "at_once_cpu_ms": round(cpu_at_once / len(together) * 1e3, 3),
        "differ_from_alone": sum(alone[key] != values for key, values in together.items()),
        "accuracy": round(right / len(chosen), 4),
        "mixed_share": None if base is None else round((base.mixed - before[0]) / (base.texts - before[1]), 3),
        "chosen": [chosen[key] for key in sorted(chosen)],
    }


def memory_mb() -> float:
    """What this process has in memory now, in megabytes."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(round(int(line.split()[1]) * 1.024 / 1000, 1) for line in lines if line.startswith("VmRSS:"))


def joined(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """The medians of each kind over its processes, and the share of texts with the same label in both."""
    result: dict[str, Any] = {}
    for kind, runs in found.items():
        numbers = ("memory_mb", "in_turn_per_second", "at_once_per_second", "in_turn_cpu_ms", "at_once_cpu_ms",
                   "accuracy", "mixed_share")  # fmt: skip
        result[kind] = {name: median(run[name] for run in runs) for name in numbers if runs[0][name] is not None}
        result[kind]["differ_from_alone"] = sum(run["differ_from_alone"] for run in runs)
        result[kind]["runs"] = [{name: run[name] for name in numbers} for run in runs]
    first, second = (found[kind][0]["chosen"] for kind in KINDS)
    result["same_label"] = round(sum(one == other for one, other in zip(first, second, strict=True)) / len(first), 6)
    return result


def main() -> None:
    """Make the services, measure both kinds in turns, and write the result."""
    from penjing.core.machine import cpu_name, instruction_set

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--results", type=Path, default=BENCH / "results" / "tenants.json")
    parser.add_argument("--work", type=Path, help="a folder of services that an earlier call made")
    parser.add_argument("--answer", choices=KINDS, help="used by itself: one process of a kind")
    given = parser.parse_args()
    if given.answer:
        print(json.dumps(answer(given.answer, given.work)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        work = given.work or Path(temporary)
        if not (work / f"service{SERVICES - 1}" / "test.json").is_file():
            make(work, Path(os.environ["PENJING_DATA"]) / "zh-news-thucnews-titles")
        found: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
        for _ in range(ROUNDS):
            for kind in KINDS:
                command = [sys.executable, __file__, "--work", str(work), "--answer", kind]
                done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
                found[kind].append(json.loads(done.stdout))
                shown = {name: value for name, value in found[kind][-1].items() if name != "chosen"}
                print(kind, shown, file=sys.stderr, flush=True)
        sizes = {
            "base_bytes": (work / "service0" / "tenant" / "base.onnx").stat().st_size,
            "tenant_bytes": (work / "service0" / "tenant" / "tenant.safetensors").stat().st_size,
            "export_bytes": (work / "service0" / "export" / "model.onnx").stat().st_size,
        }
    about = {"services": SERVICES, "base": "penjing/nano", "rank": 8, "texts": SERVICES * TEST, "threads_an_engine": 1}
    machine = {"cores": os.cpu_count(), "machine": cpu_name(), "instruction_set": instruction_set()}
    result = {**about, **machine, **sizes, **joined(found)}
    given.results.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps({kind: {k: v for k, v in result[kind].items() if k != "runs"} for kind in KINDS}))


if __name__ == "__main__":
    main()
