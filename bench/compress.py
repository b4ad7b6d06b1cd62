"""Each compression by itself: what it keeps of the tuned model, how large it is, and how long a text takes.

    python bench/compress.py --data DIR --out DIR [--models DIR] [--set NAME ...] [--base mini|e5] [--rows N]
                             [--seeds 0,1] [--only NAME ...]

Every technique starts from the same tuned model and ends in the engine that serves. So a row differs from the first
(*identity*: only exported) by one technique, healed by distillation if its name says so. Some techniques run only on
ONNX Runtime; they have an identity of their own. All forms of a seed are timed in turn (A B A B ...) on
the same texts; scores are on test rows. Appends a line a seed to
bench/results/compress.jsonl; a seed that is already there is skipped.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from penjing.core.canon import digest
from penjing.core.machine import cores, hardware
from penjing.core.nouns import Artifact, Inputs, Silent
from penjing.core.recipe import load_recipe
from penjing.data.prepare import Prepared, prepare
from penjing.make.cache import Cache
from penjing.make.plan import build_plan, single_step
from penjing.measure.evaluate import bootstrap, paired_ratio
from penjing.measure.latency import interleaved
from penjing.model.base import depth_of, open_base
from penjing.runtime.open import open_session
from penjing.tasks import reader_of
from speed import answers, counts_of, labels_of, macro_f1, penjing, promised_labels, task_over
from spine import SETS, TUNE, append, base_named, key_of, parser_of, read_results, write_recipe

RESULTS = Path(__file__).resolve().parent / "results" / "compress.jsonl"
IDENTITY = "identity"
# As long as all forms of a seed may take in turn.
SECONDS = 180.0
_EXPORT: tuple[str, dict[str, Any]] = ("compress.export", {})
_PACKED: tuple[str, dict[str, Any]] = ("compress.export", {"packed": True})
_HEAL: tuple[str, dict[str, Any]] = ("compress.distill", {})
Chain = list[tuple[str, dict[str, Any]]]


def techniques(layers: int) -> dict[str, Chain]:
    """Every technique's steps behind the tuned model, by name."""
    half = max(1, layers // 2)
    fewer = ("compress.layers", {"keep": half})
    left = "1 layer" if half == 1 else f"{half} layers"
    return {
        IDENTITY: [_EXPORT],
        # What runs on ONNX Runtime alone is to be held against these, where `auto` is another engine.
        "identity on ONNX Runtime": [("compress.export", {"engine": "onnx"})],
        "INT8 on ONNX Runtime": [("compress.int8", {"engine": "onnx"})],
        "INT8": [("compress.int8", {})],
        "embeddings in 8 bits": [("compress.embeddings", {"bits": 8})],
        "embeddings in 4 bits": [("compress.embeddings", {"bits": 4})],
        "INT8, embeddings in 4 bits": [("compress.embeddings", {"bits": 4}), ("compress.int8", {"engine": "onnx"})],
        left: [fewer, _EXPORT],
        f"{left}, distilled": [fewer, _HEAL, _EXPORT],
        f"{left}, distilled, relations": [fewer, ("compress.distill", {"relations": 1.0}), _EXPORT],
        f"{left}, distilled, hidden states": [fewer, ("compress.distill", {"hidden": 1.0}), _EXPORT],
        f"{left}, distilled, words replaced": [fewer, ("compress.distill", {"copies": 0, "replaced": 1}), _EXPORT],
        "half the neurons": [("compress.width", {"keep": 0.5}), _EXPORT],
        "half the neurons, distilled": [("compress.width", {"keep": 0.5}), _HEAL, _EXPORT],
        "half the heads": [("compress.heads", {"keep": 0.5}), _EXPORT],
        "half the heads, distilled": [("compress.heads", {"keep": 0.5}), _HEAL, _EXPORT],
        "packed": [_PACKED],
        "half the weights zero": [("compress.magnitude", {"sparsity": 0.5}), _PACKED],
        "half the weights zero, distilled": [("compress.magnitude", {"sparsity": 0.5}), _HEAL, _PACKED],
        "vocabulary": [("compress.vocabulary", {}), _EXPORT],
        "exit": [("compress.exit", {})],
        "static": [("compress.static", {})],
        "static, words replaced": [("compress.static", {"copies": 0, "replaced": 2})],
        "cascade: static, then identity": [_EXPORT, ("compress.cascade", {})],
        "INT8, n-grams": [("compress.int8", {}), ("compress.ngrams", {})],
        "penjing/nano, distilled": [("compress.student", {"base": "penjing/nano"}), _HEAL, _EXPORT],
    }


def make(recipe: Path, out: Path, only: list[str] | None) -> tuple[Prepared, Artifact, dict[str, Artifact], int]:
    """The data, the tuned model, what each technique made of it, and the threads; every step cached in `out`."""
    file = load_recipe(recipe)
    data, threads = prepare(file, reader_of(file), Silent()), file.recipe.threads or cores()
    cache = Cache(out / "cache", file.recipe.seed, threads, Silent(), lambda: False)

    def step(one: Any, parent: Artifact, teacher: Artifact | None) -> Artifact:
        teachers = {"tuned": teacher} if teacher else {}
        smaller = open_base(one.options.base, recipe.parent) if one.name == "compress.student" else None
        inputs = Inputs(parent, data.train, data.validation, teachers, data.language, data.unlabelled, base=smaller)
        return cache.run(one, inputs).artifact

    teacher = step(build_plan(file)[0], open_base(file.recipe.base, recipe.parent), None)
    found = {}
    for name, chain in techniques(depth_of(teacher)).items():
        if only and name != IDENTITY and not any(part in name for part in only):
            continue
        made = teacher
        for method, options in chain:
            made = step(single_step(method, dict(options)), made, teacher)
        found[name] = made
        print(f"  {name}: made", flush=True)
    return data, teacher, found, threads


def measure(data: Prepared, teacher: Artifact, made: dict[str, Artifact], threads: int) -> dict[str, Any]:
    """Score, share kept, size and times of every form."""
    task, truth, texts = task_over(data.labels, promised_labels(data)), data.test.labels or (), list(data.test.texts)
    wanted = counts_of(task, labels_of(open_session(teacher, threads=threads).predict(texts)), truth)
    metric = macro_f1(task)
    subjects = {name: penjing(artifact, threads) for name, artifact in made.items()}
    times = interleaved({name: subject.run for name, subject in subjects.items()}, texts, calls=500, seconds=SECONDS)
    rows = {}
    for name, subject in subjects.items():
        counts = counts_of(task, answers(subject, texts), truth)
        rows[name] = {
            "macro_f1": bootstrap(counts, metric).to_json(),
            "kept": paired_ratio(counts, wanted, metric).to_json(),
            "engine": made[name].card.notes.get("engine", made[name].card.form),
            "size_mb": round(subject.size_mb or 0.0, 3),
            "p50_ms": times[name].p50_ms,
            "p99_ms": times[name].p99_ms,
            "mean_ms": times[name].mean_ms,
            "texts_per_s": times[name].texts_per_s,
            "times_faster": round(times[IDENTITY].mean_ms / times[name].mean_ms, 3),
            "notes": {key: made[name].card.notes[key] for key in ("exit_share",) if key in made[name].card.notes},
        }
    return rows


def main() -> int:
    parser = parser_of(__doc__)
    parser.add_argument("--base", choices=("mini", "e5"), default="mini", help="what the model is tuned from")
    parser.add_argument("--rows", type=int, default=2000, help="rows to learn from; 0: all")
    parser.add_argument("--seeds", default="0", help="seeds, with commas")
    parser.add_argument("--only", action="append", help="a word of a technique's name, may be repeated; default: all")
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    base = base_named(arguments.base, arguments.models)
    for seed in [int(each) for each in arguments.seeds.split(",")]:
        for name in arguments.set or SETS:
            tune = TUNE[arguments.base]
            every = techniques(depth_of(open_base(base, arguments.out)))
            key = digest([key_of(name, base, arguments.rows, seed, tune), arguments.only or [], every])
            title = f"{name} {arguments.base} rows={arguments.rows or 'all'} seed={seed}"
            if any(row["key"] == key for row in read_results(arguments.results)):
                print(f"{title}: there already", flush=True)
                continue
            print(title, flush=True)
            folder = arguments.out / f"compress-{name}-{arguments.base}-{arguments.rows}-{seed}"
            folder.mkdir(parents=True, exist_ok=True)
            recipe = write_recipe(name, base, arguments.rows, seed, arguments.data, folder, tune=tune)
            data, teacher, made, threads = make(recipe, folder / "out", arguments.only)
            row = {"key": key, "set": name, "base": arguments.base, "rows": arguments.rows, "seed": seed}
            row |= {"techniques": measure(data, teacher, made, threads), "threads": threads, "hardware": hardware()}
            append(arguments.results, row | {"test_rows": len(data.test), "train_rows": len(data.train)})
            for technique, one in row["techniques"].items():
                kept, times = one["kept"]["value"], one["times_faster"]
                print(f"  {technique}: kept {kept:.4f}, {one['size_mb']:.1f} MB, {times:.2f}x", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
