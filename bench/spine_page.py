"""docs/bench/spine.md and its picture, made from bench/results/spine.jsonl.

python bench/spine_page.py [--results FILE] [--out DIR]
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from statistics import fmean
from typing import Any

from page_files import write_pages
from spine import RESULTS, SETS, SHRINK, TUNE, read_results

Row = dict[str, Any]
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
    """What was sealed, and how often if not always."""
    counts = Counter(
        "TF-IDF" if run["report"]["model"] == LINEAR
        else run["report"]["model"].removeprefix("tune.full + ").replace("compress.", "")
        for run in runs
    )  # fmt: skip
    if len(counts) == 1:
        return str(next(iter(counts)))
    return ", ".join(f"{name} {count} of {len(runs)}" for name, count in sorted(counts.items()))


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
    found = groups(rows)
    hardware = sorted({run["report"]["speed"]["hardware"] for runs in found.values() for run in runs})
    lines = [
        "# Five real sets, from file to sealed release",
        "",
        "Sets on which every run holds every promise (keep 97 % of the encoder, p99 20 ms, 60 MB) and decides at least "
        "half of the cases without a person (error at most 5 %, with 95 % confidence):",
        "",
        *(verdict(found) or ["- No run yet."]),
        "",
        "![macro-F1 of TF-IDF and of each encoder on the five sets](spine.svg)",
        "",
        "- All figures are of the sealed release, on test rows that nothing was chosen on. `make` seals TF-IDF if the "
        "encoder is not proven better, or if no form of the encoder holds the promises.",
        "- *Macro-F1*: with its 95 % interval. Several seeds: the mean of values and of ends.",
        "- *Gain*: encoder less TF-IDF + logistic regression, in points, paired.",
        "- *Kept*: share of the encoder's macro-F1 that the sealed model keeps, paired.",
        "- *Strictly*: where TF-IDF was sealed, it keeps 97 % of the encoder too.",
        f"- Only the top layers are trained ({tuned()}). Of the large base "
        f"{SHRINK['e5'][0]['compress.layers']['keep']} layers are kept where `layers` is in the form.",
        f"- Measured on {'; '.join(hardware) or 'nothing yet'}. Made by `bench/spine_page.py` from the newest run of "
        "each seed (`bench/spine.py`).",
        "",
    ]
    for base, count in dict.fromkeys((base, count) for _, base, count in found):
        lines += [
            f"## {BASES[base]}, {f'{count:,}' if count else 'all'} rows",
            "",
            "| set | sealed | macro-F1 | TF-IDF | gain | kept, % | automated, % | error, % | p99 ms | MB | held |",
            "|---|---|---|---|---|---|---|---|---|---|---|",
            *(line(name, runs) for (name, its, rows_), runs in found.items() if (its, rows_) == (base, count)),
            "",
        ]
    return "\n".join(lines)


def tuned() -> str:
    """How many layers of each base are trained, in words."""
    return ", ".join(f"{BASES[base]}: {tune['layers']}" for base, tune in TUNE.items())


def line(name: str, runs: list[Row]) -> str:
    """A set's line of the table."""
    cells = [
        TITLES[name],
        forms(runs),
        interval(runs, "test", "macro_f1"),
        figure(mean(runs, "baseline", "linear", "macro_f1", "value")),
        gain(runs),
        interval(runs, "teacher", "kept", scale=100, digits=1),
        figure(mean(runs, "decisions", "automation_rate"), 1, 100),
        figure(mean(runs, "decisions", "error_among_automated", "value"), 1, 100),
        figure(mean(runs, "speed", "p99_ms"), 1),
        figure(mean(runs, "size_mb"), 1),
        f"{sum(map(meets, runs))} of {len(runs)}",
    ]
    return f"| {' | '.join(cells)} |"


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
    def made(results: Path) -> dict[str, str]:
        rows = read_results(results)
        return {"spine.md": page(rows), "spine.svg": picture(rows)}

    write_pages(__doc__, RESULTS, made)


if __name__ == "__main__":
    main()
