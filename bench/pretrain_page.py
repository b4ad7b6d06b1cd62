"""docs/bench/pretrain.md, made from bench/results/pretrain.json: a table for each part of the bench that has run.

python bench/pretrain_page.py [--results FILE] [--out DIR]
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

from page_files import write_pages
from pretrain import DRAWS, KILLS, OBJECTIVES, RESULTS, SIZES

Values = dict[str, Any]
NANO, WORDS = "penjing/nano", "word counts"
BASES = {WORDS: WORDS, NANO: f"`{NANO}`", "adapt": "adapted (mlm)", "distil": "adapted (distilled)"}
DOMAINS = {"medical": "Patients' questions", "reviews": "Reviews of deliveries"}
PROBES = {
    "chnsenticorp": "Chinese reviews",
    "thucnews": "THUCNews titles",
    "banking77": "BANKING77",
    "phrasebank": "PhraseBank",
}


def domains(found: Mapping[str, Any]) -> list[Values]:
    """Mean accuracy of each base, and by how much a base of the domain is better: one entry a domain and size."""
    units: Mapping[str, list[float]] = found.get("adapt", {})
    rows: list[Values] = []
    for domain in DOMAINS:
        for size in SIZES:
            scores = {base: units.get(f"{domain}: {base}, {size} rows") for base in BASES}
            if all(scores.values()):
                rows.append({"domain": domain, "rows": size} | compared(scores))
    return rows


def compared(scores: Mapping[str, list[float] | None]) -> Values:
    """Means, and the differences to `penjing/nano` draw by draw: mean, least, largest."""
    known = {base: values for base, values in scores.items() if values}
    row: Values = {base.removeprefix("penjing/"): fmean(values) for base, values in known.items()}
    for base in ("adapt", "distil"):
        gains = [one - other for one, other in zip(known[base], known[NANO], strict=True)]
        row[f"{base} gains"] = {"mean": fmean(gains), "least": min(gains), "largest": max(gains)}
    return row


def adapted(found: Mapping[str, Any]) -> list[str]:
    """Does a base of the domain pay?"""
    rows = domains(found)
    if not rows:
        return []
    head = ["texts", "labelled rows", *BASES.values(), "adapted less nano", "distilled less nano"]
    lines = ["## A base of the domain", "", f"Accuracy, mean of {DRAWS} draws; in brackets the least and the largest."]
    lines += ["", f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for row in rows:
        scores = " | ".join(f"{row[base.removeprefix('penjing/')]:.3f}" for base in BASES)
        gains = " | ".join(
            f"{row[name]['mean']:+.3f} ({row[name]['least']:+.3f} to {row[name]['largest']:+.3f})"
            for name in ("adapt gains", "distil gains")
        )
        lines.append(f"| {DOMAINS[row['domain']]} | {row['rows']:,} | {scores} | {gains} |")
    took = [
        f"{DOMAINS[domain].lower()} {BASES[base]} {found['adapt'][f'{domain}: {base}, seconds']:,} s"
        for domain in DOMAINS
        for base in ("adapt", "distil")
        if f"{domain}: {base}, seconds" in found["adapt"]
    ]
    return [*lines, "", f"Processor time of the training, beside other work on the machine: {'; '.join(took)}.", ""]


def objectives(found: Mapping[str, Any]) -> list[str]:
    """What the states of each objective are worth."""
    units: Mapping[str, Values] = found.get("objectives", {})
    if not units:
        return []
    head = ["objective", *PROBES.values(), "mean", "processor s"]
    lines = [
        "## Objectives",
        "",
        "A tiny network from scratch, 2M tokens each. Accuracy of a logistic regression on its ",
    ]
    lines[-1] += "mean states, 500 rows."
    lines += ["", f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for name in (name for name in OBJECTIVES if name in units):
        one = [float(units[name][probe]) for probe in PROBES]
        scores = " | ".join(f"{score:.3f}" for score in one)
        lines.append(f"| {name} | {scores} | {fmean(one):.3f} | {units[name]['seconds']:,} |")
    return [*lines, ""]


def speeds(found: Mapping[str, Any]) -> Values | None:
    """Mean tokens a second of Penjing and of the Trainer, and their ratio turn by turn; None before all turns ran."""
    units: Mapping[str, float] = found.get("speed", {})
    if len(units) < 4:
        return None
    ours, theirs = ([units[f"{name}, turn {turn}"] for turn in range(2)] for name in ("penjing", "Trainer"))
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    return {"penjing": fmean(ours), "trainer": fmean(theirs), "least": min(ratios), "largest": max(ratios)}


def page(found: Mapping[str, Any]) -> str:
    """The page in Markdown."""
    once = "Each part ran once. *Adapted (mlm)* of patients' questions ran again after its head was mended."
    lines = ["# Pre-training", "", "Protocol and code: `bench/pretrain.py`.", "", once, ""]
    lines += adapted(found) + objectives(found)
    if speed := speeds(found):
        ratio = f"{speed['least']:.2f} to {speed['largest']:.2f} times as many"
        lines += ["## Speed", "", f"Penjing trains on {speed['penjing']:,.0f} tokens a second, the Trainer of "]
        lines[-1] += f"transformers on {speed['trainer']:,.0f}: {ratio}, in turn on the same network and texts."
        lines.append("")
    if kills := found.get("killed", {}).get("ten times"):
        same = "the same" if kills["same id"] else "NOT the same"
        lines += [
            "## Kills",
            "",
            f"A training was killed {kills['kills']} times of {KILLS}. It ended with {same} bits as an unbroken one.",
            "",
        ]
    seen = {row["domain"] for row in domains(found)}
    missing = (
        ["adapt"] if not seen else [f"adapt: {title.lower()}" for name, title in DOMAINS.items() if name not in seen]
    )
    missing += [name for name in ("objectives", "speed", "killed") if name not in found]
    if missing:
        lines += [f"Not run yet: {', '.join(missing)}.", ""]
    if "hardware" in found:
        lines += [f"Machine: {found['hardware']}.", ""]
    return "\n".join(lines)


def main() -> None:
    def made(results: Path) -> dict[str, str]:
        return {"pretrain.md": page(json.loads(results.read_bytes()) if results.is_file() else {})}

    write_pages(__doc__, RESULTS, made)


if __name__ == "__main__":
    main()
