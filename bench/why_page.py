"""The tables of docs/why.md and docs/zh/why.md: figures from bench/results/why.json, words from docs/why.yaml."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from ruamel.yaml import YAML

HERE = Path(__file__).resolve().parent
RESULTS, TEMPLATE = HERE / "results" / "why.json", HERE.parent / "docs" / "why.yaml"
# What an hour of one core costs, and a million tokens: examples that a reader replaces by their own.
CORE_HOUR, MILLION_TOKENS = 0.05, 0.5
ANSWERS = {True: "answered", False: "silent", None: "untried"}
Values = Mapping[str, Any]


def text(part: str, language: str, path: Path = RESULTS) -> str:
    """One table: `errors`, `service` or `repeat`; a part that has not run says so."""
    found: Values = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    words: Values = YAML(typ="safe").load(TEMPLATE.read_text(encoding="utf-8"))[language]
    lines = DRAW[part](found, words) if part in found else [words["missing"]]
    return "\n".join([*lines, ""])


def thresholds(found: Values, words: Values) -> list[str]:
    """How often a threshold broke its promise, a line for each set and number of rows."""
    lines = [words["errors"], "|---" * 6 + "|"]
    for one in found["errors"]:
        cells = [
            f"{one[kind]['broken']['rate']:.1%} | {one[kind]['automation']:.0%}" for kind in ("usual", "certified")
        ]
        lines.append(f"| {words['sets'][one['set']]} | {one['calibration']:,} | {' | '.join(cells)} |")
    return lines


def services(found: Values, words: Values) -> list[str]:
    """Both services under the same load; a second run beside the first, where there is one."""
    lines = [words["service"].format(price=CORE_HOUR), "|---" * 6 + "|"]
    runs = found["service"]
    lines += [_served(words[name], runs[name]) for name in ("rival", "penjing")]
    if again := found.get("service, second run"):
        lines += [_served(f"{words[name]}{words['idle']}", again[name]) for name in ("rival", "penjing")]
    millions = runs["tokens_a_text"] + runs["prompt_tokens"]
    hours = fmean(turn["core_hours_per_million"] for turn in runs["penjing"])
    said = words["tokens"].format(
        tokens=f"{runs['tokens_a_text']:.0f}",
        prompt=runs["prompt_tokens"],
        millions=f"{millions:.0f}",
        yi=f"{millions / 100:.2f}",
        price=MILLION_TOKENS,
        cost=f"{millions * MILLION_TOKENS:.0f}",
        ours=f"{hours * CORE_HOUR:.3f}",
    )
    return [*lines, "", words["machine"].format(machine=found["machine"]), "", said]


def _served(name: str, turns: Sequence[Values]) -> str:
    """A line: the mean of the turns, and the largest p99."""
    hours = fmean(turn["core_hours_per_million"] for turn in turns)
    p50, p99 = fmean(turn["p50_ms"] for turn in turns), max(turn["p99_ms"] for turn in turns)
    errors = sum(turn["errors"] for turn in turns)
    return f"| {name} | {p50:.1f} | {p99:.1f} | {errors} | {hours:.2f} | {hours * CORE_HOUR:.3f} |"


def repeats(found: Values, words: Values) -> list[str]:
    """Repeatability, replay, and an answer without a network."""
    one = found["repeat"]
    return [
        words["repeat"].format(
            texts=one["texts"],
            rival=one["rival"],
            penjing=one["penjing"],
            replayed=one["replay"]["replayed"],
            same=one["replay"]["same"],
            a=words[ANSWERS[one["offline"]["rival"]]],
            b=words[ANSWERS[one["offline"]["penjing"]]],
        )
    ]


DRAW: Mapping[str, Callable[[Values, Values], list[str]]] = {
    "errors": thresholds,
    "service": services,
    "repeat": repeats,
}
