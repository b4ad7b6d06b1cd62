"""docs/bench/speed.md and a picture a set, drawn from bench/results/speed.jsonl and folds.jsonl.

python bench/speed_page.py [--results FILE] [--out DIR]
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import folds
from speed import PIPELINE, RESULTS
from spine import SETS, read_results
from spine_page import BASES, DOCS, TITLES

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
PEAK = RESULTS.with_name("peak.json")
WANTED = {"times": 50.0, "kept": 0.99, "p50_ms": 0.25, "p99_ms": 5.0}
# In runs that do not say how many texts they timed.
FEW_TIMED = 100
_WIDE, _HIGH, _LEFT, _RIGHT, _TOP, _BOTTOM = 860, 420, 70, 20, 36, 50
_LINE = 18


def newest(rows: list[Row]) -> list[Row]:
    """The newest run of each set and base, in the order of the sets."""
    found = {(row["set"], row["base"], row["rows"], row["gates"]): row for row in rows}
    return [found[key] for key in sorted(found, key=lambda key: (SETS.index(key[0]), *key[1:]))]


def picked(row: Row) -> str | None:
    """The form that the search sealed, which saw validation rows alone; None where nothing was sealed."""
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


def over_folds(parts: list[Row]) -> str:
    """Over what the folds have answered, in words, and what is kept there."""
    count, rows = parts[0]["folds"], sum(len(part["truth"]) for part in parts)
    over = f"each of {count} folds, over all" if whole(parts) else f"{len(parts)} of {count} folds, over their"
    return f"made anew for {over} {rows:,} rows {folds.told(folds.pooled(parts))}"


def claim(row: Row, answers: list[Row]) -> str:
    """What became of the claim on one set: of the form that was picked on validation rows, judged on test rows.

    answers: what `bench/folds.py` wrote; where it ran on that form, what is kept is judged over all its folds, and
    while some are missing by the lower of both bounds.
    """
    name = judged(row)
    title = f"{TITLES[row['set']]}, {BASES[row['base']]}, {processor(row)}"
    if name is None:
        best = fastest(row)
        seen = (
            f"; looking at the test rows, *{best[0]}* is {best[1]['times_online']:.1f}× and keeps them" if best else ""
        )
        return f"- {title}: the search sealed nothing{seen}: not held."
    one, parts = row["subjects"][name], folds_of(row, name, answers)
    told = f" (≥ {100 * one['kept']['lower']:.1f} %) of {row['test_rows']:,} test rows"
    if parts:
        told += f"; {over_folds(parts)}"
    lacks = missed(row, name, answers)
    held = "**held**" if whole(parts) else "**held**, on test rows alone"
    verdict = f"not held ({'; '.join(lacks)})" if lacks else held
    return (
        f"- {title}: *{NAMES.get(name, name)}* was picked; it is {one['times_online']:.1f}× the pipeline online and "
        f"{one['times_offline']:.1f}× offline and keeps {100 * one['kept']['value']:.1f} %{told}: {verdict}."
    )


def missed(row: Row, name: str, answers: list[Row]) -> list[str]:
    """What a form lacks of the claim, in words; nothing where it holds."""
    one = row["subjects"][name]
    lacks = [
        f"{what.removesuffix('_ms')} {one[what]:.3g} ms against {WANTED[what]:g}"
        for what in ("p50_ms", "p99_ms")
        if one[what] > WANTED[what]
    ]
    if one["times_online"] < WANTED["times"]:
        lacks.append(f"{one['times_online']:.1f}× against {WANTED['times']:g}×")
    lower = kept_lower(row, name, answers)
    if lower < WANTED["kept"]:
        lacks.append(f"kept is proven to {100 * lower:.2f} % only")
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


def summary(runs: list[Row], answers: list[Row]) -> str:
    """How many sets hold each part of the claim, in a sentence."""
    forms = [(row, judged(row)) for row in runs if row["gates"] == "claim"]
    known = [(row, name) for row, name in forms if name is not None]
    held = sum(not missed(row, name, answers) for row, name in known)
    keep = [
        row["subjects"][name]["times_online"] for row, name in known if kept_lower(row, name, answers) >= WANTED["kept"]
    ]
    return (
        f"In all it is held on {held} of {len(forms)} sets (wanted: 3 of 5). Sets with 99 % kept by the bound and at "
        f"least 15 times the pipeline: {sum(times >= 15 for times in keep)} (wanted: 5); at least 100 times: "
        f"{sum(times >= 100 for times in keep)} (wanted: 1)."
    )


def processor(row: Row) -> str:
    """What INT8 depends on: whether the processor that a run was on multiplies it."""
    return "CPU with VNNI" if "vnni" in row["hardware"] else "CPU without VNNI"


def tuned(row: Row) -> str:
    """Which layers of the teacher were tuned, and at how many learning rates, where its run says so."""
    if "tune" not in row:
        return ""
    rates = len(row["tune"]["learning_rate"])
    return f", its top {row['tune']['layers']} layers tuned at {rates} learning rate{'s' if rates > 1 else ''}"


def asked(row: Row) -> str:
    """What a search under the promises of the claim was to keep of time; nothing under others."""
    if row["gates"] != "claim":
        return ""
    # Before each run wrote its promises down, that of the claim on p50 was 0.5 ms.
    promises = row.get("promises", {"p50_ms": 0.5})
    told = [f"{name} {promises[f'{name}_ms']:g} ms" for name in ("p50", "mean") if f"{name}_ms" in promises]
    told += [f"{promises['times_faster']:g} times the pipeline"] if "times_faster" in promises else []
    return f" and asked for {', '.join(told)}"


def earlier(row: Row, rows: list[Row]) -> list[str]:
    """A line below the claim on a set where it was run before: each older run's form and figures, the oldest first."""
    key = ("set", "base", "rows", "gates")
    found = []
    for old in rows:
        name = judged(old)
        if old is row or name is None or any(old[part] != row[part] for part in key):
            continue
        one = old["subjects"][name]
        found.append(
            f"*{NAMES.get(name, name)}*, {one['times_online']:.1f}×, at least {100 * one['kept']['lower']:.1f} % kept, "
            f"p50 {one['p50_ms']:.3g} ms, {processor(old)}"
        )
    return [f"  - Runs before this one, by the code of their day: {'; '.join(found)}."] if found else []


def everyday(row: Row) -> str:
    """What the search sealed under the promises that the spine's recipes make, in a sentence."""
    name = picked(row)
    title = f"{TITLES[row['set']]}, {BASES[row['base']]}"
    if name is None:
        return f"- {title}: nothing held them all."
    one, decisions = row["subjects"][name], row["decisions"]
    return (
        f"- {title}: *{NAMES.get(name, name)}*, {one['size_mb']:.1f} MB, p99 {one['p99_ms']:.1f} ms, "
        f"{one['times_online']:.1f}× the pipeline online, keeps {100 * one['kept']['value']:.1f} % "
        f"(at least {100 * one['kept']['lower']:.1f} %), decides {100 * decisions['automation_rate']:.0f} % by itself."
    )


def fastest(row: Row) -> tuple[str, Row] | None:
    """Penjing's form with the most texts a second online of those whose value on the test rows keeps 99 %."""
    good = [
        (name, one)
        for name, one in row["subjects"].items()
        if one["kind"] == "penjing" and one["kept"]["value"] >= WANTED["kept"]
    ]
    return max(good, key=lambda pair: pair[1]["online"], default=None)


def timed(row: Row) -> int:
    """So many texts were timed one at a time, five times each, by every form in turn."""
    found: int = next(iter(row["subjects"].values())).get("timed_texts", FEW_TIMED)
    return found


def table(row: Row) -> list[str]:
    """One set's rivals and forms, the slowest first."""
    lines = [
        "| what | macro-F1 | kept, % | p50 ms | p99 ms | texts/s online | × | texts/s offline | × | MB | memory, MB |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, one in sorted(row["subjects"].items(), key=lambda pair: pair[1]["online"]):
        score, kept = one["macro_f1"], one["kept"]
        size = "–" if one["size_mb"] is None else f"{one['size_mb']:.1f}"
        memory = f"{one['memory_mb']:,.0f}" if "memory_mb" in one else "–"
        title = f"**{name}**" if one["kind"] == "penjing" and name not in NAMES else NAMES.get(name, name)
        lines.append(
            f"| {title} | {score['value']:.3f} [{score['low']:.3f}, {score['high']:.3f}] "
            f"| {100 * kept['value']:.1f} (≥ {100 * kept['lower']:.1f}) | {one['p50_ms']:.3f} | {one['p99_ms']:.2f} "
            f"| {one['online']:,.0f} | {one['times_online']:.1f} | {one['offline']:,.0f} | {one['times_offline']:.1f} "
            f"| {size} | {memory} |"
        )
    return lines


def compiled(rows: list[Row]) -> list[str]:
    """What `torch.compile` came to in the newest run that had it, in a sentence: it is asked for with --compile."""
    having = [row for row in rows if "torch.compile" in row["subjects"]]
    if not having:
        return []
    row = having[-1]
    one = row["subjects"]["torch.compile"]
    return [
        "",
        f"{NAMES['torch.compile']}, ran on {TITLES[row['set']]} alone, {processor(row)}: "
        f"{one['times_online']:.2f}× the pipeline online, {one['times_offline']:.2f}× offline, "
        f"p50 {one['p50_ms']:.1f} ms (an older run of that set).",
    ]


def peak_table(peak: Row) -> list[str]:
    """What share of the machine's matrix peak each engine reaches on a full batch of the encoder."""
    giga = peak["billions_per_s"]
    return [
        "## How near to the machine's peak",
        "",
        f"multilingual-e5-small at batch {peak['batch']} × {peak['tokens']} tokens, {peak['threads']} threads of "
        f"{peak['hardware']}, against square matrix products measured in the same run (`bench/peak.py`): float32 "
        f"{giga['peak float32']:,.0f} billion operations a second, INT8 {giga['peak INT8']:,.0f}.",
        "",
        "| engine | billion operations/s | share of its peak, % |",
        "|---|---|---|",
        *(f"| {name} | {giga[name]:,.0f} | {100 * share:.0f} |" for name, share in peak["share_of_peak"].items()),
        "",
    ]


def page(rows: list[Row], peak: Row | None = None, answers: list[Row] | None = None) -> str:
    """The page in Markdown; `peak` is what `bench/peak.py` wrote, `answers` what `bench/folds.py` did."""
    runs = newest(rows)
    lines = [
        "# How fast, and what is kept",
        "",
        "`penjing make` with `search: compress` on real sets, and every form that it tried beside what other teams "
        "would run, all of them in turn on the same test texts with the same threads, tokenization included. *Kept* is "
        "the share of the fine-tuned teacher's macro-F1 on the test rows, paired, with its one-sided 95 % bound. "
        "*Online* is one text at a time (mean), *offline* each one's best of batches of 1, 8, 32 and 128; × is against "
        "the Hugging Face pipeline of the teacher in the same setting. MB is the model's folder, memory the peak of a "
        "process of its own that answers fifty texts. A text of more than the recipe's `max_tokens` is read to "
        "its end by Penjing's encoders, in windows, and cut off there by the rivals, which read less and have less to "
        "do (ChnSentiCorp: 13 % of the texts are longer than 128). Bold: forms of the model by Penjing. Drawn by "
        "`bench/speed_page.py` from `bench/results/speed.jsonl`, run by `bench/speed.py`; one seed. Of a set that was "
        "run twice the newer run is shown, and both stand in that file. A search's own promises on time are of a "
        "whole decision, rules included, and stand with each set; the claim's are of the model's answer. OpenVINO INT8 "
        "of the teacher is *all layers, INT8* on a CPU with VNNI; without it that form is ONNX Runtime's, and "
        "OpenVINO's was not timed.",
        *compiled(rows),
        "",
        "The claim to earn: 50× online at 99 % kept (by the bound), p50 under 0.25 ms, p99 under 5 ms. Where "
        "`bench/folds.py` ran on the form, the bound is over all rows of the set, each answered by a teacher and a "
        "form that had not seen it; while folds are missing, it is the lower of theirs and the test rows'. It came to:",
        "",
        *(
            [
                line
                for row in runs
                if row["gates"] == "claim"
                for line in (claim(row, answers or []), *earlier(row, rows))
            ]
            or ["- Not run yet."]
        ),
        "",
        summary(runs, answers or []),
        "",
        "And under everyday promises (keep 97 %, p99 20 ms, 60 MB) the search sealed:",
        "",
        *([everyday(row) for row in runs if row["gates"] == "spine"] or ["- Not run yet."]),
        "",
    ]
    for row in runs:
        learnt = f"{row['rows']:,} rows" if row["rows"] else "all rows"
        lines += [
            f"## {TITLES[row['set']]}, promises of the {row['gates']}",
            "",
            f"Teacher: {BASES[row['base']]}{tuned(row)}, {learnt}; {row['test_rows']:,} test rows, "
            f"{timed(row):,} of them timed; {row['threads']} threads of {row['hardware']}. Sealed by the search, which "
            "saw validation rows alone"
            f"{asked(row)}: {picked(row) or 'nothing'}.",
            "",
            f"![score over time, {row['set']}]({picture_name(row)})",
            "",
            *table(row),
            "",
        ]
        for name in dict.fromkeys(one["form"] for one in answers or [] if row["gates"] == "claim"):
            if parts := folds_of(row, name, answers or []):
                many = len(parts[0]["labels"]) > folds.MANY
                shown = "The labels that lose most" if many else "Label by label"
                lines += [f"*{NAMES.get(name, name)}*, {over_folds(parts)}. {shown}:", ""]
                lines += [*folds.by_label(parts), ""]
    return "\n".join(lines + (peak_table(peak) if peak else []))


def picture_name(row: Row) -> str:
    """The file of a set's picture."""
    rows = f"-{row['rows']}" if row["rows"] else ""
    return f"speed-{row['set']}-{row['base']}{rows}-{row['gates']}.svg"


def picture(row: Row) -> str:
    """Score on test rows over the mean time of a text, both with what others run; a line joins Penjing's front.

    The dots are numbered, the fastest first, and named below.
    """
    subjects = row["subjects"]
    times = [one["mean_ms"] for one in subjects.values()]
    left, right = min(times) / 1.7, max(times) * 1.7
    low: float = min(one["macro_f1"]["low"] for one in subjects.values())
    high: float = max(one["macro_f1"]["high"] for one in subjects.values())
    low, high = max(0.0, low - 0.02), min(1.0, high + 0.02)

    def x(value: float) -> float:
        return _LEFT + math.log(value / left) / math.log(right / left) * (_WIDE - _LEFT - _RIGHT)

    def y(value: float) -> float:
        return _HIGH - _BOTTOM - (value - low) / (high - low) * (_HIGH - _BOTTOM - _TOP)

    parts = []
    for power in range(math.ceil(math.log10(left)), math.floor(math.log10(right)) + 1):
        at = x(10.0**power)
        parts.append(f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{_TOP}" y2="{_HIGH - _BOTTOM}" stroke="#e3e6ea"/>')
        parts.append(
            f'<text x="{at:.1f}" y="{_HIGH - _BOTTOM + 18}" text-anchor="middle" fill="#6b7078">{10.0**power:g}</text>'
        )
    for step in range(6):
        value = low + (high - low) * step / 5
        parts.append(
            f'<text x="{_LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end" fill="#6b7078">{value:.3f}</text>'
        )
        parts.append(
            f'<line x1="{_LEFT}" x2="{_WIDE - _RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#e3e6ea"/>'
        )
    best: list[Row] = []
    for one in sorted((one for one in subjects.values() if one["kind"] == "penjing"), key=lambda one: one["mean_ms"]):
        if not best or one["macro_f1"]["value"] > best[-1]["macro_f1"]["value"]:
            best.append(one)
    line = " ".join(f"{x(one['mean_ms']):.1f},{y(one['macro_f1']['value']):.1f}" for one in best)
    parts.append(f'<polyline points="{line}" fill="none" stroke="#2f7d4f" stroke-width="2" opacity="0.5"/>')
    named = sorted(subjects.items(), key=lambda pair: float(pair[1]["mean_ms"]))
    lines = math.ceil(len(named) / 2)
    taken: list[tuple[float, float]] = []
    for place, (key, one) in enumerate(named):
        name = escape(NAMES.get(key, key))
        colour = "#2f7d4f" if one["kind"] == "penjing" else "#8a8f98"
        at, score = x(one["mean_ms"]), one["macro_f1"]
        level = y(score["high"]) - 5
        while any(abs(at - other) < 17 and abs(level - height) < 13 for other, height in taken):
            level -= 1
        taken.append((at, level))
        column, line_number = divmod(place, lines)
        aside, below = _LEFT + column * (_WIDE - _LEFT) / 2, _HIGH + 14 + _LINE * line_number
        parts.append(
            f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{y(score["low"]):.1f}" y2="{y(score["high"]):.1f}" '
            f'stroke="{colour}" opacity="0.3" stroke-width="2"/>'
            f'<circle cx="{at:.1f}" cy="{y(score["value"]):.1f}" r="5" fill="{colour}"><title>{name}: '
            f"{one['mean_ms']:.3f} ms, {score['value']:.3f}</title></circle>"
            f'<text x="{at:.1f}" y="{level:.1f}" text-anchor="middle" fill="{colour}">{place + 1}</text>'
            f'<text x="{aside:.1f}" y="{below}" fill="{colour}">{place + 1}: {name}</text>'
        )
    # Numbers that had to stack up may stand above the picture.
    top = min([0.0, *(height - 14 for _, height in taken)])
    whole = _HIGH + _LINE * lines + 8 - top
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 {top:.0f} {_WIDE} {whole:.0f}" '
        f'font-family="system-ui, sans-serif" font-size="12.5">'
        f'<rect y="{top:.0f}" width="{_WIDE}" height="{whole:.0f}" fill="#ffffff"/>'
        f'<text x="{_LEFT}" y="14" fill="#24282e">macro-F1 on test rows, 95 % interval; green: Penjing, grey: others'
        f'</text><text x="{(_WIDE + _LEFT) / 2}" y="{_HIGH - 10}" text-anchor="middle" fill="#24282e">'
        f"mean milliseconds of one text (further left is faster)</text>{''.join(parts)}</svg>\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--out", type=Path, default=DOCS)
    arguments = parser.parse_args()
    rows = read_results(arguments.results)
    peak = json.loads(PEAK.read_bytes()) if PEAK.is_file() else None
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "speed.md").write_text(page(rows, peak, read_results(folds.RESULTS)), encoding="utf-8")
    for row in newest(rows):
        (arguments.out / picture_name(row)).write_text(picture(row), encoding="utf-8")


if __name__ == "__main__":
    main()
