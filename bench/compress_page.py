"""docs/bench/compress.md, made from bench/results/compress.jsonl.

python bench/compress_page.py [--results FILE] [--out DIR]
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import fmean
from typing import Any

from compress import IDENTITY, RESULTS
from page_files import DOCS
from speed_page import processor
from spine import SETS, read_results
from spine_page import BASES, TITLES

Row = dict[str, Any]
KEPT = 0.99


def newest(rows: list[Row]) -> dict[tuple[str, str, int, str], list[Row]]:
    """The newest run of each seed, by (set, base, rows, hardware), in the order of the sets.

    Processors are kept apart: INT8 is fast with VNNI and slow without, and a mean of both describes neither.
    """
    found: dict[tuple[str, str, int, str], dict[int, Row]] = {}
    for row in rows:
        found.setdefault((row["set"], row["base"], row["rows"], row["hardware"]), {})[row["seed"]] = row
    order = sorted(found, key=lambda key: (SETS.index(key[0]), *key[1:]))
    return {key: [found[key][seed] for seed in sorted(found[key])] for key in order}


def by_technique(runs: list[Row]) -> dict[str, list[Row]]:
    """Each technique's figures, one entry a seed that has it."""
    names = dict.fromkeys(name for run in runs for name in run["techniques"])
    return {name: [run["techniques"][name] for run in runs if name in run["techniques"]] for name in names}


def verdict(runs: list[Row]) -> str:
    """One line: the fastest technique that keeps 99 % of the score in the mean, and whether its interval proves it."""
    found = [
        (fmean(one["times_faster"] for one in mine), name, fmean(one["kept"]["low"] for one in mine))
        for name, mine in by_technique(runs).items()
        if fmean(one["kept"]["value"] for one in mine) >= KEPT
    ]
    if not found:
        return f"**Nothing keeps {100 * KEPT:g} %.**"
    times, name, low = max(found)
    proven = "its interval proves it" if low >= KEPT else f"its interval begins at {100 * low:.1f} %: unproven"
    return f"**Fastest that keeps {100 * KEPT:g} % in the mean**: *{name}*, {times:.2f}×; {proven}."


def table(runs: list[Row]) -> list[str]:
    """A line for each technique, the slowest first behind *identity*: the means over the seeds that have it."""
    found = by_technique(runs)
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
            f"{fmean(one['size_mb'] for one in mine):.1f}",
            f"{fmean(one['p50_ms'] for one in mine):.2f}",
            f"{fmean(one['p99_ms'] for one in mine):.2f}",
            f"{fmean(one['times_faster'] for one in mine):.2f}×",
            str(len(mine)),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def page(rows: list[Row]) -> str:
    """The page in Markdown."""
    lines = [
        "# Each compression by itself",
        "",
        "- Every technique starts from the same tuned model and ends in the engine that serves.",
        f"- A line differs from *{IDENTITY}* (exported, nothing else) by one technique. *Distilled*: healed by "
        "distillation.",
        "- *Kept*: share of the tuned model's macro-F1 on test rows, paired, with its 95 % interval. Several seeds: "
        "the mean of values and of ends.",
        f"- *Faster*: mean time of one text against *{IDENTITY}*, masking included, timed in turn.",
        f"- *{IDENTITY.capitalize()}* and lines without an engine run on OpenVINO on a CPU with VNNI, and on ONNX "
        "Runtime elsewhere. Smaller embeddings and exits run on ONNX Runtime alone.",
        f"- Without VNNI, *{IDENTITY} on ONNX Runtime* is *{IDENTITY}* timed twice: the difference is noise.",
        "- Made by `bench/compress_page.py` from the newest run of each seed and processor (`bench/compress.py`).",
    ]
    for (name, base, count, _), runs in newest(rows).items():
        learnt = f"{count:,} rows" if count else "all rows"
        tested = ", ".join(sorted({f"{run['test_rows']:,}" for run in runs}))
        lines += [
            "",
            f"## {TITLES[name]}, {BASES[base]}, {learnt}, {processor(runs[0])}",
            "",
            f"{tested} test rows, {runs[0]['threads']} threads of {runs[0]['hardware']}.",
            "",
            verdict(runs),
            "",
            "| technique | engine | kept, % | MB | p50 ms | p99 ms | faster | seeds |",
            "|---|---|---|---|---|---|---|---|",
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


if __name__ == "__main__":
    main()
