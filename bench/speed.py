"""Speed with its promise kept: what `search: compress` finds, beside what other teams would run, on real sets.

    python bench/speed.py --data DIR --models DIR --out DIR [--set NAME ...] [--base mini|e5] [--rows N] [--compile]
                          [--gates claim|spine]

For each set `penjing make` runs with `search: compress` and the promises of the claim (keep 99 %, p50 0.25 ms, p99
5 ms, 60 MB, 50 times the throughput of the teacher's pipeline; what `make` times is a whole decision, rules included,
what is timed here the model's answer) or those of the spine's recipes (keep 97 %, p99 20 ms, 60 MB); then every form
that it tried and every rival answer the same test texts, in turn (A B A B ...), with the same threads, tokenization
included: the Hugging Face pipeline of the fine-tuned teacher, plain torch, `torch.compile` (with --compile), ONNX
Runtime in float32 and in dynamic INT8 (also of the healed student in the form that was tested), frozen embeddings with
logistic regression, Model2Vec with the same, TF-IDF.
*Online* is one text at a time (mean time of a call), *offline* each one's best of several batch sizes; memory is the
peak of a process of its own. Writes one line for each run to bench/results/speed.jsonl; a run that is already there is
skipped. `bench/speed_page.py` draws the page.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from ruamel.yaml import YAML

from memory import peak_mb
from penjing.core.answers import Choice, as_kind
from penjing.core.artifact import open_artifact
from penjing.core.canon import digest
from penjing.core.folder import folder_size
from penjing.core.machine import cores, hardware
from penjing.core.nouns import Artifact, Prediction, Silent
from penjing.core.recipe import load_recipe
from penjing.core.task import SMALL, Task
from penjing.data.prepare import Prepared, prepare
from penjing.engines.onnx import MODEL as ONNX_MODEL
from penjing.measure.evaluate import Floats, Metric, bootstrap, paired_ratio
from penjing.measure.latency import Call, interleaved, throughput
from penjing.measure.rivals import (
    INT8_MODEL,
    frozen_embeddings,
    hugging_face_pipeline,
    model2vec,
    onnx_float32,
    onnx_int8,
    plain_torch,
)
from penjing.model.base import open_base
from penjing.runtime.open import open_session
from penjing.tasks import open_task, reader_of
from spine import SETS, TUNE, append, base_named, key_of, parser_of, read_results, run_one, write_recipe

RESULTS = Path(__file__).resolve().parent / "results" / "speed.jsonl"
GATES: dict[str, dict[str, Any]] = {
    "claim": {"keep": 0.99, "p50_ms": 0.25, "p99_ms": 5.0, "times_faster": 50, "size_mb": 60.0, "unproven": "allow"},
    "spine": {"keep": 0.97, "p99_ms": 20.0, "size_mb": 60.0, "unproven": "allow"},
}
PIPELINE, LINEAR, TUNED = "pipeline", "tune.linear", "tune.full"
BATCHES = (8, 32, 128)
# As long as all forms of a set may take in turn, one text at a time and in batches of each size.
SECONDS = 360.0
Guess = Callable[[Sequence[str]], list[str]]
Row = dict[str, Any]


@dataclass(frozen=True)
class Subject:
    """Something that answers texts: `guess` gives one label a text, `run` is what is timed."""

    kind: str
    guess: Guess
    run: Call
    size_mb: float | None


def labels_of(predictions: Sequence[Prediction]) -> list[str]:
    """The most probable label of each."""
    return [as_kind(one.answer, Choice).top()[0] for one in predictions]


def searching(recipe: Path, gates: dict[str, Any]) -> Path:
    """Turn a recipe of the spine into one that searches: it tunes the teacher, the compression is left to `make`."""
    yaml = YAML(typ="safe", pure=True)
    tree = yaml.load(recipe.read_text(encoding="utf-8"))
    tree |= {"search": "compress", "gates": gates, "steps": [step for step in tree["steps"] if TUNED in step]}
    with recipe.open("w", encoding="utf-8") as file:
        yaml.dump(tree, file)
    load_recipe(recipe)
    return recipe


def cached(out: Path) -> dict[str, Artifact]:
    """Every artifact of a run's cache by its id."""
    found = [open_artifact(card.parent) for card in (out / "cache").glob("*/card.json")]
    return {artifact.id: artifact for artifact in found}


def penjing(artifact: Artifact, threads: int) -> Subject:
    """A form of the model through Penjing's own session, cleaning and masking included."""
    session = open_session(artifact, threads=threads)
    session.warm()

    def guess(texts: Sequence[str]) -> list[str]:
        return labels_of(session.predict([session.prepare(text).text for text in texts]))

    return Subject("penjing", guess, guess, folder_size(artifact.folder) / 1e6)


def rivals(
    teacher: Artifact,
    student: Artifact | None,
    base: Artifact,
    data: Prepared,
    threads: int,
    folder: Path,
    vectors: Path,
    compiled: bool,
) -> dict[str, Subject]:
    """What others would run, by name; models are exported into `folder`, and `vectors` are Model2Vec's of the base."""

    def rival(run: Call, read: Callable[[Any], str] = str) -> Subject:
        return Subject("rival", lambda texts: [read(one) for one in run(texts)], run, None)  # type: ignore[attr-defined]

    learnt = data.train.texts, data.train.labels or (), (data.validation.texts, data.validation.labels)
    for name in ("float32", "int8", "student"):
        (folder / name).mkdir()
    found = {
        PIPELINE: rival(hugging_face_pipeline(teacher, threads), lambda one: str(one["label"])),
        "torch": rival(plain_torch(teacher, threads)),
        "onnx_float32": rival(onnx_float32(teacher, threads, folder / "float32")),
        "onnx_int8": rival(onnx_int8(teacher, threads, folder / "int8")),
        "frozen embeddings": rival(frozen_embeddings(base, threads, *learnt)),
        "model2vec": rival(model2vec(base, threads, *learnt, vectors)),
    }
    if student is not None:
        found["onnx_int8 student"] = rival(onnx_int8(student, threads, folder / "student"))
    if compiled:
        found["torch.compile"] = rival(plain_torch(teacher, threads, compiled=True))
    return found


def student_of(report: Row, artifacts: Mapping[str, Artifact]) -> Artifact | None:
    """The healed student, in torch, of the form that the search tested, else of the last one that has any."""
    order = sorted(report["variants"], key=lambda one: one["name"] == report.get("tested"))
    for one in reversed(order):
        for step in reversed(artifacts[one["artifact"]].card.lineage):
            parent = artifacts.get(step["parent"])
            if parent is not None and parent.card.method == "compress.distill":
                return parent
    return None


def memory(teacher: Artifact, forms: Mapping[str, Artifact], folder: Path, threads: int, texts: Sequence[str]) -> Row:
    """Megabytes of a process that answers these texts, for Penjing's forms and the teacher's rivals."""
    found = {name: peak_mb(name, teacher.folder, threads, texts) for name in (PIPELINE, "torch")}
    exported = {"onnx_float32": folder / "float32" / ONNX_MODEL, "onnx_int8": folder / "int8" / INT8_MODEL}
    found |= {name: peak_mb("onnx", teacher.folder, threads, texts, path) for name, path in exported.items()}
    return found | {name: peak_mb("penjing", form.folder, threads, texts) for name, form in forms.items()}


def answers(subject: Subject, texts: Sequence[str]) -> list[str]:
    """A label for each text, in batches of neighbours in length."""
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    found = [""] * len(texts)
    for first in range(0, len(order), 32):
        places = order[first : first + 32]
        for place, label in zip(places, subject.guess([texts[i] for i in places]), strict=True):
            found[place] = label
    return found


def promised_labels(data: Prepared) -> list[int]:
    """Positions of the labels with enough rows for a promise; all, where none has."""
    kept = [place for place, label in enumerate(data.labels) if data.audit.labels.get(label, 0) >= SMALL]
    return kept or list(range(len(data.labels)))


def task_over(labels: Sequence[str], over: Sequence[int]) -> Task:
    """One label a text, macro-F1 over the labels at these positions."""
    return open_task("classify", {"labels": labels}).with_rows({labels[place]: SMALL for place in over})


def counts_of(task: Task, said: Sequence[str], truth: Sequence[str]) -> Floats:
    """Counts of labels as they were said, (n, K)."""
    sure = {label: tuple(float(label == one) for one in task.scopes) for label in task.scopes}
    return task.counts([Choice(task.scopes, sure[label]) for label in said], truth)


def macro_f1(task: Task) -> Metric:
    """The metric of sums of counts."""
    return lambda sums: task.metrics(sums)["macro_f1"]


def compare(subjects: Mapping[str, Subject], teacher: Sequence[str], data: Prepared, calls: int) -> dict[str, Any]:
    """For each subject its score, the share of the teacher's that it keeps, and its times."""
    task, truth = task_over(data.labels, promised_labels(data)), data.test.labels or ()
    wanted, metric = counts_of(task, teacher, truth), macro_f1(task)
    runs = {name: subject.run for name, subject in subjects.items()}
    times = interleaved(runs, data.test.texts, calls=calls, batch=BATCHES[0], seconds=SECONDS)
    larger = [
        throughput(runs, data.test.texts, calls=5 * batch, batch=batch, seconds=SECONDS / 8) for batch in BATCHES[1:]
    ]
    rows: dict[str, dict[str, Any]] = {}
    for name, subject in subjects.items():
        said = answers(subject, data.test.texts)
        counts = counts_of(task, said, truth)
        kept = paired_ratio(counts, wanted, metric)
        online = times[name]
        rows[name] = {
            "kind": subject.kind,
            "macro_f1": bootstrap(counts, metric).to_json(),
            "kept": kept.to_json(),
            "agreement": round(float(np.mean([one == two for one, two in zip(said, teacher, strict=True)])), 6),
            "timed_texts": online.calls // len(online.windows_mean_ms),
            "p50_ms": online.p50_ms,
            "p99_ms": online.p99_ms,
            "mean_ms": online.mean_ms,
            "online": round(1000 / online.mean_ms, 1),
            "offline": max(1000 / online.mean_ms, online.texts_per_s, *(each[name] for each in larger)),
            "size_mb": None if subject.size_mb is None else round(subject.size_mb, 3),
        }
    base = rows[PIPELINE]
    for row in rows.values():
        row |= {f"times_{kind}": round(row[kind] / base[kind], 2) for kind in ("online", "offline")}
    return rows


def measure(recipe: Path, out: Path, report: Row, vectors: Path, *, calls: int, compiled: bool) -> Row:
    """All forms of a finished run and all rivals, on its test rows."""
    file = load_recipe(recipe)
    data = prepare(file, reader_of(file), Silent())
    threads = file.recipe.threads or cores()
    artifacts = cached(out)
    forms = {one["name"]: artifacts[one["artifact"]] for one in report["variants"]}
    # The first compression of any form names the tuned model that it began with.
    made = next(form for name, form in forms.items() if name != LINEAR)
    teacher = artifacts[made.card.lineage[1]["parent"]]
    base = open_base(file.recipe.base, recipe.parent)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        student = student_of(report, artifacts)
        subjects = rivals(teacher, student, base, data, threads, folder, vectors, compiled) | {
            name: replace(penjing(form, threads), kind="rival" if name == LINEAR else "penjing")
            for name, form in forms.items()
        }
        wanted = labels_of(open_session(teacher, threads=threads).predict(list(data.test.texts)))
        rows = compare(subjects, wanted, data, calls)
        for name, peak in memory(teacher, forms, folder, threads, data.test.texts[:50]).items():
            rows[name]["memory_mb"] = peak
    return {"subjects": rows, "threads": threads, "hardware": hardware(), "test_rows": len(data.test)}


def main() -> int:
    parser = parser_of(__doc__)
    parser.add_argument("--base", choices=("mini", "e5"), default="e5", help="what the teacher is tuned from")
    parser.add_argument("--rows", type=int, default=0, help="rows to learn from; 0: all")
    parser.add_argument("--calls", type=int, default=500, help="single texts timed, in five windows")
    parser.add_argument("--gates", choices=list(GATES), default="claim", help="the promises of the search")
    parser.add_argument("--compile", action="store_true", help="torch.compile too (minutes)")
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    base = base_named(arguments.base, arguments.models)
    failed = 0
    for name in arguments.set or SETS:
        tune = TUNE[arguments.base]
        gates = GATES[arguments.gates]
        key = digest([key_of(name, base, arguments.rows, 0, tune), gates])
        title = f"{name} {arguments.base} rows={arguments.rows or 'all'} gates={arguments.gates}"
        if any(row["key"] == key for row in read_results(arguments.results)):
            print(f"{title}: there already", flush=True)
            continue
        folder = arguments.out / f"speed-{name}-{arguments.base}-{arguments.rows}-{key[:8]}"
        folder.mkdir(parents=True, exist_ok=True)
        recipe = searching(write_recipe(name, base, arguments.rows, 0, arguments.data, folder, tune=tune), gates)
        out, log = folder / "out", folder / "log.txt"
        try:
            code, seconds, report = run_one(recipe, out, log)
        except RuntimeError as error:
            print(f"{title}: FAILED: {error}", flush=True)
            failed += 1
            continue
        row = {"key": key, "set": name, "base": arguments.base, "rows": arguments.rows, "tune": tune, "exit": code}
        row |= {"seconds": round(seconds, 1), "gates": arguments.gates, "promises": gates}
        row |= {name: report[name] for name in ("variants", "sealed", "tested")}
        row["decisions"] = {name: report["decisions"][name] for name in ("automation_rate", "error_among_automated")}
        vectors = arguments.out / f"model2vec-{arguments.base}.npy"
        calls, compiled = arguments.calls, arguments.compile
        row |= measure(recipe, out, report, vectors, calls=calls, compiled=compiled)
        append(arguments.results, row)
        for subject, one in row["subjects"].items():
            print(f"  {subject}: {one['times_online']}x online, kept {one['kept']['value']:.4f}", flush=True)
        shutil.copyfile(out / "report.html", folder / "report.html")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
