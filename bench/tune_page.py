"""docs/bench/tune.md, made from bench/results/tune.json and, where they are there, the results beside it.

python bench/tune_page.py [--results FILE] [--out DIR]
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from page_files import write_pages
from tune import HARDENED, KINDS, RESULTS, STRATEGIES

NOT_MEASURED = "not measured"
SETS = {"chnsenticorp": "ChnSentiCorp", "phrasebank": "PhraseBank", "cluener": "CLUENER"}
NOISES = {
    "homophones": "homophones",
    "lookalikes": "look-alikes",
    "spaces": "spaces in words",
    "invisible": "invisible characters",
    "typos": "typing errors",
}
Runs = Mapping[str, Any]


def percent(value: float | None) -> str:
    """A share in per cent."""
    return NOT_MEASURED if value is None else f"{100 * value:.1f}"


def number(run: Mapping[str, Any] | None, key: str, form: str = "g") -> str:
    """A figure of a run."""
    return "" if run is None or key not in run else f"{run[key]:{form}}"


def methods(runs: Runs) -> list[str]:
    """A line for each method: its score on each set, and what it cost on the first one."""
    names = sorted({name.split("/")[2] for name in runs if name.startswith("methods/")})
    head = " | ".join(SETS.values())
    lines = [
        f"| method | {head} | share that learned | processor s | artifact MB | small folder KB |",
        "|---|" + "---|" * (len(SETS) + 4),
    ]

    def best(method: str) -> float:
        return -float((runs.get(f"methods/chnsenticorp/{method}") or {"score": 0})["score"])

    for method in sorted(names, key=best):
        each = {name: runs.get(f"methods/{name}/{method}") for name in SETS}
        first = each["chnsenticorp"]
        scores = " | ".join("–" if run is None else percent(run["score"]) for run in each.values())
        learned = "" if first is None or "learned" not in first else f"{100 * first['learned']:.3g} %"
        cost = f"{learned} | {number(first, 'seconds', '.0f')} | {number(first, 'mb', '.1f')}"
        lines.append(f"| `tune.{method}` | {scores} | {cost} | {number(first, 'adapter_kb', '.0f')} |")
    return lines


def sequence(runs: Runs) -> list[str]:
    """A line for each strategy of continual learning."""
    lines = ["| strategy | right at the end | forgotten |", "|---|---|---|"]
    for strategy in STRATEGIES:
        run = runs.get(f"sequence/banking77/{strategy}")
        cells = (NOT_MEASURED, "") if run is None else (percent(run["right"]), percent(run["forgotten"]))
        lines.append(f"| {strategy} | {cells[0]} | {cells[1]} |")
    return lines


def attack(runs: Runs, name: str) -> list[str]:
    """A line for each training of a set."""
    kinds = KINDS[name]
    head = " | ".join(NOISES[kind] for kind in kinds)
    lines = [f"| trained | as written | {head} |", "|---|---|" + "---|" * len(kinds)]
    for training in HARDENED:
        run = runs.get(f"attack/{name}/{training}")
        cells = [percent(None if run is None else run[key]) for key in ("plain", *kinds)]
        lines.append(f"| {training} | " + " | ".join(cells) + " |")
    return lines


def few(results: Path) -> list[str]:
    """Methods by rows a label: the mean of the draws, with how many."""
    path = results.with_name("few.json")
    if not path.is_file():
        return [f"bench/few.py: {NOT_MEASURED}."]
    runs = json.loads(path.read_text(encoding="utf-8"))["runs"]
    cells: dict[str, dict[str, list[float]]] = {}
    for name, row in runs.items():
        chosen, size, method, _ = name.split("/")
        cells.setdefault(method, {}).setdefault(f"{chosen}/{size}", []).append(row["macro_f1"])
    columns = [f"{name}/{size}" for name in ("chnsenticorp", "phrasebank") for size in (8, 16, 64)]
    titles = [f"{SETS[column.split('/')[0]]}, {column.split('/')[1]} rows" for column in columns]
    lines = ["| method | " + " | ".join(titles) + " |", "|---|" + "---|" * len(columns)]
    for method, found in cells.items():
        lines.append(f"| `tune.{method}` | " + " | ".join(_mean(found.get(column, [])) for column in columns) + " |")
    return lines


def _mean(values: Sequence[float]) -> str:
    if not values:
        return NOT_MEASURED
    spread = f" ({100 * min(values):.1f} – {100 * max(values):.1f})" if len(values) > 1 else " (1 draw)"
    return f"{100 * sum(values) / len(values):.1f}{spread}"


def page(results: Path) -> dict[str, str]:
    """The page from the results."""
    empty: dict[str, Any] = {"runs": {}, "machine": ""}
    runs: dict[str, Any] = json.loads(results.read_text(encoding="utf-8")) if results.is_file() else empty
    found: Runs = runs["runs"]
    text = [
        "# Tuning methods",
        "",
        "Made from bench/results/tune.json by bench/tune_page.py; the protocol is in bench/tune.py. One seed:",
        "differences under two points mean nothing. `penjing/nano`, one thread, on a machine with other work on it:",
        f"{runs['machine']}.",
        "",
        "## Every method on the same rows",
        "",
        "1,000 rows to train; macro-F1 of ChnSentiCorp and PhraseBank, entity F1 of CLUENER, in per cent, on 500 test",
        "rows. Costs are those on ChnSentiCorp. Each method ran four passes with its defaults; `tune.continual` ran",
        "with `lwf: 1`. –: not run, or the method does not serve the task.",
        "",
        *methods(found),
        "",
        "## Few labels",
        "",
        "Macro-F1 in per cent on 500 test rows: the mean of the draws that have run, with the smallest and the largest",
        "(bench/few.py).",
        "",
        *few(results),
        "",
        "## Five groups of labels, one after the other",
        "",
        "BANKING77, in per cent: right answers over all five groups after the last step, and how many points the",
        "first four groups lost after their own step.",
        "",
        *sequence(found),
        "",
        "## Noise before and after training against it",
        "",
        "Macro-F1 in per cent on 500 test rows, as written and with noise at its usual strength.",
    ]
    for name in KINDS:
        text += ["", f"### {SETS[name]}", "", *attack(found, name)]
    text += [
        "",
        "## Elsewhere",
        "",
        "[What to label next, label noise, switches of steadiness](../fitting.md), and ten services on one base",
        "(bench/tenants.py).",
    ]
    return {"tune.md": "\n".join(text) + "\n"}


if __name__ == "__main__":
    write_pages(__doc__, RESULTS, page)
