"""docs/bench/compress.md, drawn from bench/results/compress.jsonl.

python bench/compress_page.py [--results FILE] [--out DIR]
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import fmean
from typing import Any

from compress import IDENTITY, RESULTS
from speed_page import picture, processor
from spine import SETS, read_results
from spine_page import BASES, DOCS, TITLES

Row = dict[str, Any]
# What was published for the like of it: (words that begin our name, share kept, where). Other models, other sets: a
# hint of what to expect, no comparison.
PUBLISHED = (
    ("INT8", "99.1 %", "dynamic INT8 of BERT-base, Intel Neural Compressor"),
    ("half the neurons", "−0.76 points", "DynaBERT, ¾ width and INT8, TNEWS, PaddleNLP"),
    ("cascade", "about 100 %", "TangoBERT, Mamou et al., 2022"),
    ("exit", "about 99 %", "DeeBERT, Xin et al., 2020"),
    ("static", "96 %", "Model2Vec against bge-base, mean of its own benchmark"),
)
_LAYERS = ("97.1 %", "RBT3, 3 of 12 layers, ChnSentiCorp, HFL")


def published(name: str) -> str:
    """What was published for a technique of this name, or a dash."""
    if "layer" in name and "distilled" in name:
        return f"{_LAYERS[0]} ({_LAYERS[1]})"
    return next((f"{kept} ({where})" for word, kept, where in PUBLISHED if name.startswith(word)), "–")


def newest(rows: list[Row]) -> dict[tuple[str, str, int, str], list[Row]]:
    """The newest run of each seed, by (set, base, rows, hardware), in the order of the sets.

    Machines stand apart: INT8 is fast on one with VNNI and not on another, and a mean of both is true of neither.
    """
    found: dict[tuple[str, str, int, str], dict[int, Row]] = {}
    for row in rows:
        found.setdefault((row["set"], row["base"], row["rows"], row["hardware"]), {})[row["seed"]] = row
    order = sorted(found, key=lambda key: (SETS.index(key[0]), *key[1:]))
    return {key: [found[key][seed] for seed in sorted(found[key])] for key in order}


def table(runs: list[Row]) -> list[str]:
    """A line for each technique, the slowest first behind *identity*: the means over the seeds that have it."""
    found = {
        name: [run["techniques"][name] for run in runs if name in run["techniques"]]
        for name in dict.fromkeys(name for run in runs for name in run["techniques"])
    }
    order = sorted(found, key=lambda name: (name != IDENTITY, fmean(one["times_faster"] for one in found[name])))
    lines = []
    for name in order:
        mine = found[name]
        ends = (fmean(one["kept"][end] for one in mine) for end in ("value", "low", "high"))
        kept, low, high = (f"{100 * end:.1f}" for end in ends)
        cells = [
            name,
            # Runs from before the engine was recorded do not say.
            mine[-1].get("engine", ""),
            f"{kept} [{low}, {high}]",
            published(name),
            f"{fmean(one['size_mb'] for one in mine):.1f}",
            f"{fmean(one['p50_ms'] for one in mine):.2f}",
            f"{fmean(one['p99_ms'] for one in mine):.2f}",
            f"{fmean(one['times_faster'] for one in mine):.2f}×",
            str(len(mine)),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def picture_name(run: Row) -> str:
    """The file of a run's picture."""
    machine = processor(run).replace(" ", "-").lower()
    return f"compress-{run['set']}-{run['base']}-{run['rows'] or 'all'}-{machine}.svg"


def page(rows: list[Row]) -> str:
    """The page in Markdown."""
    lines = [
        "# Each compression by itself",
        "",
        "Every technique starts from the same tuned model and ends in the engine that serves, so that a row differs "
        f"from *{IDENTITY}* (exported, nothing else) by one technique, healed by distillation where its name says so. "
        "Kept: share of the tuned model's macro-F1 on test rows, paired, with its 95 % interval (of several seeds, the "
        "mean of values and of ends). Faster: mean time of one text, masking included, against *identity*, timed in "
        "turn. Published: what was reported for the like of it, on other models and sets. *Identity* and what names no "
        "engine run on the faster one, OpenVINO on a CPU with VNNI and ONNX Runtime elsewhere; smaller embeddings and "
        "exits run on ONNX Runtime alone, exits in INT8, so that with VNNI theirs is a change of engine too. "
        "Without VNNI *identity on ONNX Runtime* is *identity* timed twice: what it differs by is noise. Drawn by "
        "`bench/compress_page.py` from `bench/results/compress.jsonl`; run by `bench/compress.py`.",
    ]
    for (name, base, count, _), runs in newest(rows).items():
        learnt = f"{count:,} rows" if count else "all rows"
        tested = ", ".join(sorted({f"{run['test_rows']:,}" for run in runs}))
        lines += [
            "",
            f"## {TITLES[name]}, {BASES[base]}, {learnt}, {processor(runs[0])}",
            "",
            f"Tested on {tested} rows, {runs[0]['threads']} threads, {runs[0]['hardware']}. The picture is of the "
            "last seed; a line joins the forms that no other beats in both.",
            "",
            f"![score over time, {name}]({picture_name(runs[0])})",
            "",
            "| technique | engine | kept, % | published | MB | p50 ms | p99 ms | faster | seeds |",
            "|---|---|---|---|---|---|---|---|---|",
            *table(runs),
        ]
    return "\n".join([*lines, ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--out", type=Path, default=DOCS)
    arguments = parser.parse_args()
    rows = read_results(arguments.results)
    (arguments.out / "compress.md").write_text(page(rows), encoding="utf-8")
    for runs in newest(rows).values():
        forms = {name: one | {"kind": "penjing"} for name, one in runs[-1]["techniques"].items()}
        (arguments.out / picture_name(runs[0])).write_text(picture({"subjects": forms}), encoding="utf-8")


if __name__ == "__main__":
    main()
