"""docs/bench/spine.md and its picture, drawn from bench/results/spine.jsonl.

python bench/spine_page.py [--results FILE] [--out DIR]
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from statistics import fmean
from typing import Any

from spine import RESULTS, SETS, SHRINK, TUNE, read_results

Row = dict[str, Any]
DOCS = Path(__file__).resolve().parents[1] / "docs" / "bench"
TITLES = {
    "chnsenticorp": "Chinese reviews (ChnSentiCorp)",
    "medical": "Patients' questions to departments",
    "banking77": "Bank intents (BANKING77)",
    "phrasebank": "Financial news (PhraseBank)",
    "sms": "SMS spam",
}
BASES = {"mini": "penjing/mini", "e5": "multilingual-e5-small"}
COLOURS = {"linear": "#8a8f98", "mini": "#2f7d4f", "e5": "#3566b8"}
KEEP, LINEAR = 0.97, "tune.linear"
_LABEL, _WIDE, _ROW, _GAP = 290, 900, 22, 16


def groups(rows: list[Row]) -> dict[tuple[str, str, int], list[Row]]:
    """Runs by (set, base, rows to learn from), in the order of the page; the newest run of a seed counts."""
    found: dict[tuple[str, str, int], dict[int, Row]] = {}
    for row in rows:
        found.setdefault((row["set"], row["base"], row["rows"]), {})[row["seed"]] = row
    order = sorted(found, key=lambda key: (SETS.index(key[0]), list(BASES).index(key[1]), key[2]))
    return {key: [found[key][seed] for seed in sorted(found[key])] for key in order}


def mean(runs: list[Row], *path: str) -> float | None:
    """Mean over the runs of a number deep in their reports; None where no run has it."""
    values = []
    for run in runs:
        here: Any = run["report"]
        for key in path:
            here = here.get(key) if isinstance(here, dict) else None
        if here is not None:
            values.append(float(here))
    return fmean(values) if values else None


def figure(value: float | None, digits: int = 3, scale: float = 1.0, unit: str = "") -> str:
    """A number for a cell, or a dash."""
    return "–" if value is None else f"{value * scale:.{digits}f}{unit}"


def interval(runs: list[Row], *path: str, scale: float = 1.0, digits: int = 3) -> str:
    """`value [low, high]`: of one run its own 95 % interval, of several the mean of each end."""
    value, low, high = (mean(runs, *path, end) for end in ("value", "low", "high"))
    if value is None:
        return "–"
    return f"{figure(value, digits, scale)} [{figure(low, digits, scale)}, {figure(high, digits, scale)}]"


def gain(runs: list[Row]) -> str:
    """The encoder's macro-F1 less that of TF-IDF, in points, with the mean of the paired intervals' ends.

    Where TF-IDF was sealed, of the encoder before compression; else of the encoder as sealed.
    """
    ends: dict[str, list[float]] = {"value": [], "low": [], "high": []}
    for run in runs:
        report = run["report"]
        if report["model"] == LINEAR:
            found = report["teacher"].get("difference")
            turned = found and {"value": -found["value"], "low": -found["high"], "high": -found["low"]}
        else:
            turned = report["baseline"]["linear"].get("difference")
        if not turned:
            return "–"
        for end, values in ends.items():
            values.append(100 * turned[end])
    value, low, high = (fmean(values) for values in ends.values())
    return f"{value:+.1f} [{low:+.1f}, {high:+.1f}]"


def forms(runs: list[Row]) -> str:
    """What was sealed, with how often, and how often TF-IDF was held to its own score."""
    counts = Counter(
        "TF-IDF" if run["report"]["model"] == LINEAR
        else run["report"]["model"].removeprefix("tune.full + ").replace("compress.", "")
        for run in runs
    )  # fmt: skip
    own = sum(run["report"]["fell_back"] for run in runs)
    told = ", ".join(f"{name} {count} of {len(runs)}" for name, count in sorted(counts.items()))
    return told + (f", held to its own score in {own}" if own else "")


def spread(runs: list[Row]) -> str:
    """Lowest and highest macro-F1 over the seeds."""
    values = [run["report"]["test"]["macro_f1"]["value"] for run in runs]
    return f"{min(values):.3f}–{max(values):.3f}" if len(values) > 1 else "one seed"


def gates(runs: list[Row]) -> str:
    """Each gate with how often it was held, broken or unproven."""
    states: dict[str, list[str]] = {}
    for run in runs:
        for gate in run["report"]["gates"]:
            states.setdefault(gate["name"], []).append(gate["state"])
    parts = []
    for name, all_of in states.items():
        counts = ", ".join(
            f"{state} {all_of.count(state)}×" if len(all_of) > 1 else state
            for state in ("held", "unproven", "broken") if state in all_of
        )  # fmt: skip
        parts.append(f"{name}: {counts}")
    return "; ".join(parts)


def meets(run: Row, *, strict: bool = False) -> bool:
    """Whether a run held `keep`, latency and size and decides at least half by itself under 5 % error.

    Where TF-IDF was sealed its gate `keep` looks at TF-IDF itself. strict: there it must keep that share of the encoder
    too, by the lower end of the two-sided 95 % interval.
    """
    report = run["report"]
    states = {gate["name"]: gate["state"] for gate in report["gates"]}
    held = states.items() >= {"keep": "held", "p99_ms": "held", "size_mb": "held"}.items()
    kept = not (strict and report["fell_back"]) or report["teacher"]["kept"]["low"] >= KEEP
    return bool(held and kept and report["decisions"]["certified"] and report["decisions"]["automation_rate"] >= 0.5)


def verdict(found: dict[tuple[str, str, int], list[Row]]) -> list[str]:
    """For each base and number of rows, on how many sets every run meets it all, a line each."""
    lines = []
    for base, count in dict.fromkeys((base, count) for _, base, count in found):
        mine = {name: runs for (name, its, rows), runs in found.items() if (its, rows) == (base, count)}
        good = [TITLES[name] for name, runs in mine.items() if all(map(meets, runs))]
        strict = sum(all(meets(run, strict=True) for run in runs) for runs in mine.values())
        title = f"{BASES[base]}, {f'{count:,}' if count else 'all'} rows"
        names = f": {', '.join(good)}" if good else ""
        lines.append(f"- {title}: {len(good)} of {len(mine)} sets, {strict} of them strictly{names}")
    return lines


def page(rows: list[Row]) -> str:
    """The page in Markdown."""
    lines = [
        "# Five real sets, from file to sealed release",
        "",
        "`penjing make` on five public sets, each with the shipped base `penjing/mini` and with a base three times "
        "its depth. Every figure is of the sealed release itself, through the code that serves, on test rows that "
        "nothing was chosen on. Drawn by `bench/spine_page.py` from `bench/results/spine.jsonl`; run by "
        "`bench/spine.py`, which trains the top layers only, over activations that are computed once: "
        + "; ".join(
            f"{BASES[base]}: the top {tune['layers']}, "
            + (
                "one learning rate"
                if len(tune["learning_rate"]) == 1
                else f"the best of {len(tune['learning_rate'])} rates"
            )
            for base, tune in TUNE.items()
        )
        + ". Twelve layers take more than 20 ms on a CPU without INT8 instructions: of the large base "
        + f"{SHRINK['e5'][0]['compress.layers']['keep']} are left, which the tuned model heals by distillation "
        + "(where the table says `layers`; the other runs of it were made before that).",
        "",
        "![macro-F1 of TF-IDF and of each encoder on the five sets](spine.svg)",
        "",
        "## Score",
        "",
        "Macro-F1 on test rows with its 95 % bootstrap interval; of several seeds, the mean of values and of ends. "
        "*Sealed*: of the model that `make` sealed; beside the base, which one that was. *Encoder*: of the fine-tuned "
        "model before compression. *Encoder against TF-IDF*: paired difference, in points, to TF-IDF + logistic "
        "regression on the same rows. *Kept*: share of the encoder's score that the sealed model keeps, paired.",
        "",
        "| set | base | learnt from | sealed | over seeds | TF-IDF | encoder | encoder against TF-IDF | kept, % |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    found = groups(rows)
    for (name, base, count), runs in found.items():
        learnt = f"{count:,}" if count else f"{round(mean(runs, 'data', 'splits', 'train') or 0):,} (all)"
        lines.append(
            f"| {TITLES[name]} | {BASES[base]} ({forms(runs)}) | {learnt} | {interval(runs, 'test', 'macro_f1')} | "
            f"{spread(runs)} | {figure(mean(runs, 'baseline', 'linear', 'macro_f1', 'value'))} | "
            f"{figure(mean(runs, 'teacher', 'macro_f1', 'value'))} | {gain(runs)} | "
            f"{interval(runs, 'teacher', 'kept', scale=100, digits=1)} |"
        )
    apart = {key: runs for key, runs in found.items() if mean(runs, "test", "apart", "value") is not None}
    if apart:
        lines += [
            "",
            "On the test rows whose text, or nearly, occurs in no other file (`make` takes the others out of train):",
            "",
        ]
        lines += [
            f"- {TITLES[key[0]]}, {BASES[key[1]]}: {interval(runs, 'test', 'apart')}" for key, runs in apart.items()
        ]
    lines += [
        "",
        "## Decisions and promises",
        "",
        "*Automated*: share of test cases decided without a person under the certificate (error among them at most "
        "5 % with 95 % confidence; everything goes to a person where that cannot be certified). Gates: keep 97 % of "
        "the teacher, p99 20 ms, 60 MB. Latency: one text, in process, from masking to outcome. *All*: the runs that "
        "held every promise and automate at least half; *strictly*: and where TF-IDF was sealed and held to its own "
        "score, it keeps 97 % of the encoder too (lower end of the interval above). The sets on which every run did:",
        "",
        *verdict(found),
        "",
        "| set | base | learnt from | automated, % | error in them, % | p50 ms | p99 ms | threads | MB | gates | all |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for (name, base, count), runs in found.items():
        threads = ", ".join(sorted({str(run["report"]["speed"]["threads"]) for run in runs}))
        cells = [
            TITLES[name],
            BASES[base],
            f"{count:,}" if count else "all",
            figure(mean(runs, "decisions", "automation_rate"), 1, 100),
            figure(mean(runs, "decisions", "error_among_automated", "value"), 1, 100),
            figure(mean(runs, "speed", "p50_ms"), 1),
            figure(mean(runs, "speed", "p99_ms"), 1),
            threads,
            figure(mean(runs, "size_mb"), 1),
            gates(runs),
            f"{sum(map(meets, runs))} of {len(runs)}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        "## What was refused",
        "",
        "Before anything is sealed, each form is held to the promises on validation rows. Of each set's first run:",
        "",
    ]
    for (name, base, _), runs in found.items():
        refused = [one for one in runs[0]["report"]["variants"] if one.get("because")]
        told = "; ".join(f"`{one['name']}`: {one['because']}" for one in refused) or "nothing"
        lines.append(f"- {TITLES[name]}, {BASES[base]}: {told}")
    hardware = sorted({run["report"]["speed"]["hardware"] for runs in found.values() for run in runs})
    lines += ["", "Measured on: " + "; ".join(hardware) + "." if hardware else "No run yet.", ""]
    return "\n".join(lines)


def picture(rows: list[Row]) -> str:
    """One SVG: for each set and base a dot and its interval for TF-IDF and for the encoder, on the same test rows."""
    found = groups(rows)
    bars: list[tuple[str, str, str, dict[str, float]]] = []
    for (name, base, count), runs in found.items():
        learnt = f", {count:,} rows" if count else ", all rows"
        for kind, label, path in (
            ("linear", "TF-IDF" + learnt, ("baseline", "linear", "macro_f1")),
            (base, BASES[base] + learnt, ("teacher", "macro_f1")),
        ):
            bars.append((name, kind, label, {end: mean(runs, *path, end) or 0.0 for end in ("value", "low", "high")}))
    low = min((ends["low"] for *_, ends in bars), default=0.5)
    left = max(0.0, int(low * 20) / 20)

    def x(value: float) -> float:
        return _LABEL + (value - left) / (1 - left) * (_WIDE - _LABEL - 60)

    parts, y, last = [], 34, ""
    for name, kind, label, ends in bars:
        if name != last:
            y += _GAP if last else 0
            parts.append(f'<text x="8" y="{y}" font-weight="600">{TITLES[name]}</text>')
            y, last = y + _ROW, name
        middle = y - 4
        parts.append(
            f'<text x="20" y="{y}">{label}</text>'
            f'<line x1="{x(ends["low"]):.1f}" x2="{x(ends["high"]):.1f}" y1="{middle}" y2="{middle}" '
            f'stroke="{COLOURS[kind]}" stroke-width="3" opacity="0.45"/>'
            f'<circle cx="{x(ends["value"]):.1f}" cy="{middle}" r="5" fill="{COLOURS[kind]}"/>'
            f'<text x="{x(ends["high"]) + 8:.1f}" y="{y}" fill="{COLOURS[kind]}">{ends["value"]:.3f}</text>'
        )
        y += _ROW
    ticks = [left + step * 0.05 for step in range(round((1 - left) / 0.05) + 1)]
    ticks = ticks if len(ticks) <= 8 else ticks[:: -(-len(ticks) // 8)]
    grid = "".join(
        f'<line x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="20" y2="{y}" stroke="#d8dbe0"/>'
        f'<text x="{x(tick):.1f}" y="{y + 16}" text-anchor="middle" fill="#6b7078">{tick:.2f}</text>'
        for tick in ticks
    )
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE} {y + 28}" font-family="system-ui, sans-serif" '
        f'font-size="13" fill="#24282e"><rect width="{_WIDE}" height="{y + 28}" fill="#ffffff"/>'
        f'<text x="{_LABEL}" y="14" fill="#6b7078">macro-F1 on test rows, 95 % interval; encoders before compression'
        "</text>"
    )
    return head + grid + "".join(parts) + "</svg>\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--out", type=Path, default=DOCS)
    arguments = parser.parse_args()
    rows = read_results(arguments.results)
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "spine.md").write_text(page(rows), encoding="utf-8")
    (arguments.out / "spine.svg").write_text(picture(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
