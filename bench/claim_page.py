"""docs/bench/speed.md, made from bench/results/claim.jsonl: the verdict of the claim, a line a set, and the rivals.

python bench/claim_page.py [--results FILE] [--out DIR]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from claim import FOLDS, RESULTS, SETS, STEPS, TEACHER, WANTED, has_vnni
from folds import pooled
from page_files import write_pages
from speed import counts_of, macro_f1, task_over
from speed_page import NAMES
from spine import read_results
from spine_page import TITLES as SPINE_TITLES

Row = dict[str, Any]
TITLES = {**SPINE_TITLES, "finance": "Financial headlines (Chinese)", "fraud": "Telephone calls by kind (synthetic)"}
NO_TIME = "not timed on a CPU with VNNI"


def by_set(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """The folds of each set by the newest key, in the order of the sets; the times are put into their fold.

    Of a fold with several times those with VNNI are taken.
    """
    found: dict[str, list[Row]] = {}
    for name in SETS:
        mine = [row for row in rows if row["set"] == name]
        mine = [row for row in mine if row["key"] == mine[-1]["key"]]
        folds = sorted((row for row in mine if "fold" in row), key=lambda row: int(row["fold"]))
        timed = sorted((row for row in mine if "timed" in row), key=lambda row: has_vnni(row["hardware"]))
        times = {row["timed"]: row for row in timed}
        if folds:
            found[name] = [row | times.get(row["fold"], {}) for row in folds]
    return found


def scores(folds: Sequence[Row]) -> dict[str, float]:
    """Macro-F1 of teacher, form and word counts over the rows of these folds."""
    labels = folds[0]["labels"]
    task = task_over(labels, folds[0]["over"])
    truth = [labels[place] for row in folds for place in row["truth"]]
    found = {}
    for name in ("teacher", "student", "linear"):
        said = [labels[place] for row in folds for place in row[name]]
        found[name] = float(macro_f1(task)(np.asarray(counts_of(task, said, truth)).sum(axis=0)))
    return found


def missed(folds: Sequence[Row]) -> list[str]:
    """What a set lacks of the claim, in words; nothing if it holds."""
    lacks = []
    if pooled(list(folds)).lower < WANTED["kept"]:
        lacks.append(f"bound of kept below {100 * WANTED['kept']:g} %")
    row = timed_fold(folds)
    if row is None or not has_vnni(row["hardware"]):
        lacks.append(NO_TIME)
    else:
        timed = row["subjects"]["penjing"]
        lacks += [
            f"{what.removesuffix('_ms')} above {WANTED[what]:g} ms"
            for what in ("p50_ms", "p99_ms")
            if timed[what] > WANTED[what]
        ]
        if timed["times_online"] < WANTED["times"]:
            lacks.append(f"below {WANTED['times']:g} times")
    if len(folds) < FOLDS:
        lacks.append(folds_run(folds))
    return lacks


def folds_run(folds: Sequence[Row]) -> str:
    """How many folds have run, in words."""
    return f"{len(folds)} of {FOLDS} folds"


def state(folds: Sequence[Row]) -> str:
    """The verdict on a set in one word: `unproven` where only folds or times are missing."""
    lacks = set(missed(folds))
    if not lacks:
        return "held"
    return "unproven" if lacks <= {NO_TIME, folds_run(folds)} else "broken"


def timed_fold(folds: Sequence[Row]) -> Row | None:
    """The fold with the times of the form and of its rivals; None until fold 0 was timed."""
    return next((row for row in folds if "subjects" in row), None)


def covered(found: dict[str, float]) -> str:
    """The share of the teacher's lead over word counts that the form keeps."""
    gap = found["teacher"] - found["linear"]
    return f"{100 * (found['student'] - found['linear']) / gap:.0f} %" if gap > 0.005 else "no lead"


def line(name: str, folds: Sequence[Row]) -> str:
    """One set in the table."""
    kept, found, times = pooled(list(folds)), scores(folds), "– | – | –"
    if (row := timed_fold(folds)) is not None:
        timed = row["subjects"]["penjing"]
        times = f"{timed['times_online']:.0f} | {timed['p50_ms']:.2f} | {timed['p99_ms']:.1f}"
    rows = sum(len(row["truth"]) for row in folds)
    lacks = missed(folds)
    return (
        f"| {TITLES[name]} | {rows:,} | {found['linear']:.3f} | {found['teacher']:.3f} | {found['student']:.3f} "
        f"| {100 * kept.value:.1f} (≥ {100 * kept.lower:.1f}) | {covered(found)} | {times} "
        f"| {'; '.join(lacks) if lacks else '**held**'} |"
    )


def rivals(subjects: Row) -> list[str]:
    """Everything that answered the same texts in turn, the slowest first."""
    lines = ["| what | macro-F1 | p50 ms | p99 ms | × one at a time | × in batches |", "|---|---|---|---|---|---|"]
    for name, one in sorted(subjects.items(), key=lambda pair: float(pair[1]["online"])):
        title = "**Penjing**" if name == "penjing" else NAMES.get(name, name)
        lines.append(
            f"| {title} | {one['macro_f1']['value']:.3f} | {one['p50_ms']:.2f} | {one['p99_ms']:.1f} "
            f"| {one['times_online']:.1f} | {one['times_offline']:.1f} |"
        )
    return lines


def page(rows: Sequence[Row]) -> str:
    """The page in Markdown."""
    sets = by_set(rows)
    held = sum(not missed(folds) for folds in sets.values())
    steps = ", ".join(f"`{name}`" for step in STEPS for name in step)
    lines = [
        "# How fast, and what is kept",
        "",
        f"The claim: {WANTED['times']:g} times the Hugging Face pipeline of the teacher, one text at a time; "
        f"{100 * WANTED['kept']:g} % of its macro-F1 kept, by the one-sided 95 % bound; p50 {WANTED['p50_ms']:g} ms, "
        f"p99 {WANTED['p99_ms']:g} ms. **Held on {held} of {len(SETS)} sets**, with {sum(map(len, sets.values()))} of "
        f"{len(SETS) * FOLDS} folds run.",
        "",
        f"- Teacher: `{TEACHER}`, tuned. Form: {steps}; the same for all sets, fixed beforehand on another set.",
        f"- Scores: out of fold, {FOLDS} folds. Times: fold 0, 500 texts, all in turn, tokenization included.",
        "- *Covered*: share of the teacher's lead over word counts that the form keeps.",
        "- Protocol and code: `bench/claim.py`. What a search finds for one set: [search](search.md).",
        "",
    ]
    if sets:
        head = (
            "set",
            "rows",
            "word counts",
            "teacher",
            "Penjing",
            "kept, %",
            "covered",
            "× pipeline",
            "p50 ms",
            "p99 ms",
        )
        lines += [f"| {' | '.join(head)} | verdict |", "|---" * (len(head) + 1) + "|"]
        lines += [*(line(name, folds) for name, folds in sets.items()), ""]
    missing = [TITLES[name] for name in SETS if name not in sets]
    if missing:
        lines += [f"Not run yet: {', '.join(missing)}.", ""]
    for name, folds in sets.items():
        if (timed := timed_fold(folds)) is not None:
            lines += [f"## {TITLES[name]}", "", f"{timed['threads']} threads of {timed['hardware']}.", ""]
            lines += [*rivals(timed["subjects"]), ""]
    return "\n".join(lines)


def main() -> None:
    write_pages(__doc__, RESULTS, lambda results: {"speed.md": page(read_results(results))})


if __name__ == "__main__":
    main()
