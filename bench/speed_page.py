"""docs/bench/search.md, made from bench/results/speed.jsonl and folds.jsonl: one line of verdict and one table a set.

python bench/speed_page.py [--results FILE] [--out DIR]
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import folds
from page_files import write_pages
from speed import PIPELINE, RESULTS
from spine import SETS, read_results
from spine_page import BASES, TITLES

Row = dict[str, Any]
NAMES = {
    PIPELINE: "Hugging Face pipeline, teacher",
    "torch": "torch, teacher",
    "torch.compile": "torch.compile, teacher",
    "onnx_float32": "ONNX Runtime float32, teacher",
    "onnx_int8": "ONNX Runtime dynamic INT8, teacher",
    "onnx_int8 student": "ONNX Runtime dynamic INT8, healed student",
    "model2vec": "Model2Vec + logistic regression",
    "frozen embeddings": "frozen embeddings + logistic regression",
    "tune.linear": "TF-IDF + logistic regression",
}
WANTED = {"times": 50.0, "kept": 0.99, "p50_ms": 0.25, "p99_ms": 5.0}
# A search tries the same cascade with several exits; the table shows the one that was picked.
CASCADE = "static, then "


def newest(rows: list[Row]) -> list[Row]:
    """The newest run of each set, base, number of rows and kind of promises, in the order of the sets."""
    found = {(row["set"], row["base"], row["rows"], row["gates"]): row for row in rows}
    return [found[key] for key in sorted(found, key=lambda key: (SETS.index(key[0]), *key[1:]))]


def picked(row: Row) -> str | None:
    """The form that the search sealed by validation rows alone; None if nothing was sealed."""
    return next((one["name"] for one in row["variants"] if one["state"] == "sealed"), None)


def judged(row: Row) -> str | None:
    """The form that the claim is about: the sealed one, else the one that the search's own test refused."""
    name: str | None = picked(row) or row.get("tested")
    return name


def folds_of(row: Row, name: str, answers: list[Row]) -> list[Row]:
    """The newest run of `bench/folds.py` on this set and form, one row a fold, as far as it has come."""
    same = [one for one in answers if all(one[part] == row[part] for part in ("set", "base", "rows"))]
    same = [one for one in same if one["form"] == name]
    return list({one["fold"]: one for one in same if one["key"] == same[-1]["key"]}.values())


def whole(parts: list[Row]) -> bool:
    """Whether no fold is missing."""
    return bool(parts) and len(parts) == parts[0]["folds"]


def kept_words(row: Row, name: str, answers: list[Row]) -> str:
    """What a form keeps, its bound, and the rows that this was measured on."""
    kept, parts = row["subjects"][name]["kept"], folds_of(row, name, answers)
    if not parts:
        return f"keeps {100 * kept['value']:.1f} % (≥ {100 * kept['lower']:.2f} %) on {row['test_rows']:,} test rows"
    rows, count = sum(len(part["truth"]) for part in parts), parts[0]["folds"]
    over = f"all {rows:,} rows in {count} folds" if whole(parts) else f"{rows:,} rows, {len(parts)} of {count} folds"
    pooled = folds.pooled(parts)
    return f"keeps {100 * pooled.value:.1f} % (≥ {100 * pooled.lower:.2f} %) on {over}"


def missed(row: Row, name: str, answers: list[Row]) -> list[str]:
    """What a form lacks of the claim, in words; nothing if the claim holds."""
    one = row["subjects"][name]
    times = [what for what in ("p50_ms", "p99_ms") if one[what] > WANTED[what]]
    lacks = [f"{what.removesuffix('_ms')} above {WANTED[what]:g} ms" for what in times]
    if one["times_online"] < WANTED["times"]:
        lacks.append(f"below {WANTED['times']:g} times")
    if kept_lower(row, name, answers) < WANTED["kept"]:
        lacks.append(f"bound of kept below {100 * WANTED['kept']:g} %")
    if not picked(row):
        lacks.append("the search's own test refused it")
    return lacks


def kept_lower(row: Row, name: str, answers: list[Row]) -> float:
    """The one-sided 95 % bound of what a form keeps: over all folds where they ran, else over the test rows.

    While folds are missing, the lower bound of the two.
    """
    parts, tested = folds_of(row, name, answers), float(row["subjects"][name]["kept"]["lower"])
    if not parts:
        return tested
    pooled = folds.pooled(parts).lower
    return pooled if whole(parts) else min(pooled, tested)


def state(row: Row, name: str, answers: list[Row]) -> str:
    """`held`; `unproven` if the bound of kept alone is below what was asked; else `broken`."""
    lacks = missed(row, name, answers)
    parts = folds_of(row, name, answers)
    value = folds.pooled(parts).value if parts else row["subjects"][name]["kept"]["value"]
    if len(lacks) == 1 and kept_lower(row, name, answers) < WANTED["kept"] <= value:
        return "unproven"
    return "broken" if lacks else "held"


def verdict(row: Row, answers: list[Row]) -> str:
    """One line on a set: the form that was picked on validation rows, judged on other rows.

    answers: what `bench/folds.py` wrote. If it ran on that form, what is kept is judged over all its folds; while some
    are missing, by the lower of both bounds.
    """
    name = judged(row)
    if name is None:
        return "**Broken**: the search sealed nothing."
    one = row["subjects"][name]
    figures = (
        f"*{NAMES.get(name, name)}* is {one['times_online']:.1f} times as fast as the pipeline, "
        f"{kept_words(row, name, answers)}, p50 {one['p50_ms']:.2f} ms, p99 {one['p99_ms']:.1f} ms"
    )
    if row["gates"] != "claim":
        return f"**Sealed**: {figures}, {one['size_mb']:.1f} MB."
    lacks = missed(row, name, answers)
    missing = f" Missed: {'; '.join(lacks)}." if lacks else ""
    return f"**{state(row, name, answers).capitalize()}**: {figures}.{missing}"


def processor(row: Row) -> str:
    """What INT8 depends on: whether the processor of a run multiplies it."""
    return "CPU with VNNI" if "vnni" in row["hardware"] else "CPU without VNNI"


def shown(row: Row) -> list[tuple[str, Row]]:
    """The rivals, the form that was judged, and each form that is no cascade; the slowest first."""
    mine = judged(row)
    some = [pair for pair in row["subjects"].items() if pair[0] == mine or not pair[0].startswith(CASCADE)]
    return sorted(some, key=lambda pair: float(pair[1]["online"]))


def table(row: Row) -> list[str]:
    """One set's rivals and forms, the slowest first; bold: the form that was judged."""
    lines = [
        "| what | macro-F1 | kept, % | at least, % | p50 ms | p99 ms | × one at a time | × in batches | MB |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, one in shown(row):
        size = "–" if one["size_mb"] is None else f"{one['size_mb']:.1f}"
        title = NAMES.get(name, f"Penjing: {name}")
        lines.append(
            f"| {f'**{title}**' if name == judged(row) else title} | {one['macro_f1']['value']:.3f} "
            f"| {100 * one['kept']['value']:.1f} | {100 * one['kept']['lower']:.1f} | {one['p50_ms']:.2f} "
            f"| {one['p99_ms']:.1f} | {one['times_online']:.1f} | {one['times_offline']:.1f} | {size} |"
        )
    return lines


def page(rows: list[Row], answers: list[Row] | None = None) -> str:
    """The page in Markdown; `answers` is what `bench/folds.py` wrote."""
    runs = newest(rows)
    claims = [row for row in runs if row["gates"] == "claim"]
    states = [state(row, name, answers or []) for row in claims if (name := judged(row))]
    lines = [
        "# What a search for the smallest form finds",
        "",
        f"The promises: {WANTED['times']:g} times the Hugging Face pipeline of the teacher, one text at a time; "
        f"{100 * WANTED['kept']:g} % of its macro-F1 kept, by the bound; p50 {WANTED['p50_ms']:g} ms, p99 "
        f"{WANTED['p99_ms']:g} ms. **Held on {states.count('held')} of {len(claims)} sets.** "
        "One form for all sets, out of fold: [speed](speed.md).",
        "",
        "- `penjing make` with `search: compress` picks a form on validation rows. It is judged on other rows.",
        "- *Kept*: share of the teacher's macro-F1, paired, with its one-sided 95 % bound. In the tables it is of the "
        "test rows. Where `bench/folds.py` ran, the verdict is of all its folds.",
        "- All forms and rivals answer the same texts in turn, with the same threads. Tokenization is included.",
        "- *In batches*: each one's best of batches of 1, 8, 32 and 128.",
        "- Longer texts than `max_tokens`: Penjing's encoders read all of them, the rivals read the beginning.",
        "- One seed a set. Made by `bench/speed_page.py` from the newest run of each set (`bench/speed.py`).",
        "",
    ]
    for row in runs:
        learnt = f", {row['rows']:,} rows" if row["rows"] else ", all rows"
        kind = "" if row["gates"] == "claim" else ", other promises (keep 97 %, p99 20 ms, 60 MB)"
        lines += [
            f"## {TITLES[row['set']]}{'' if row['gates'] == 'claim' else ', ' + BASES[row['base']]}",
            "",
            verdict(row, answers or []),
            "",
            f"Teacher: {BASES[row['base']]}{learnt}{kind}. {row['threads']} threads of {row['hardware']}.",
            "",
            *table(row),
            "",
        ]
    return "\n".join(lines)


def main() -> None:
    def made(results: Path) -> dict[str, str]:
        return {"search.md": page(read_results(results), read_results(folds.RESULTS))}

    write_pages(__doc__, RESULTS, made)


if __name__ == "__main__":
    main()
