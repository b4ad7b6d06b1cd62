"""Values for docs/measured.md from results with one line for each run: the newest runs, summed up as on the pages.

Each reader takes the folder of results and gives values that the paths in docs/measured.yaml lead into.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from statistics import fmean
from typing import Any

import claim as protocol
import claim_page
import compress_page
import curve as learning
import folds
import pretrain as pretraining
import pretrain_page
import speed_page
import spine_page
from spine import read_results

Values = dict[str, Any]
_TIMES = {"times_online": ".0f", "p50_ms": ".2f", "p99_ms": ".1f"}


@functools.cache
def speed(folder: Path) -> Values:
    """The claim of `search: compress`: each set's form, what it keeps and whether it holds."""
    runs = [row for row in speed_page.newest(read_results(folder / "speed.jsonl")) if row["gates"] == "claim"]
    answers = read_results(folder / "folds.jsonl")
    sets = []
    for row in runs:
        name = speed_page.judged(row)
        if name is None:
            continue
        parts = speed_page.folds_of(row, name, answers)
        pooled = folds.pooled(parts) if parts else None
        subjects = row["subjects"]
        sets.append(
            {
                "set": row["set"],
                "form": name,
                "state": speed_page.state(row, name, answers),
                "test_rows": row["test_rows"],
                "fold_rows": sum(len(part["truth"]) for part in parts) or None,
                "folds_done": len(parts) or None,
                "kept": pooled.value if pooled else subjects[name]["kept"]["value"],
                "lower": speed_page.kept_lower(row, name, answers),
                "linear": subjects["tune.linear"],
                "int8": subjects.get("onnx_int8", {}),
                "processor": speed_page.processor(row),
                "hardware": row["hardware"],
                **{key: subjects[name][key] for key in ("times_online", "p50_ms", "p99_ms", "size_mb")},
            }
        )
    return {
        "sets": sets,
        "held": sum(one["state"] == "held" for one in sets),
        "of": len(runs),
        "wanted": speed_page.WANTED,
        "hardware": "; ".join(dict.fromkeys(row["hardware"] for row in runs)),
    }


@functools.cache
def spine(folder: Path) -> Values:
    """Five sets from file to sealed release, one entry a base."""
    found = spine_page.groups(read_results(folder / "spine.jsonl"))
    bases = []
    for base, rows in dict.fromkeys((base, rows) for _, base, rows in found):
        mine = {name: runs for (name, its, count), runs in found.items() if (its, count) == (base, rows)}
        held = [name for name, runs in mine.items() if all(map(spine_page.meets, runs))]
        rates = [spine_page.mean(mine[name], "decisions", "automation_rate") or 0.0 for name in held]
        bases.append(
            {
                "base": spine_page.BASES[base],
                "key": base,
                "rows": f"{rows:,}" if rows else "all",
                "seeds": max(len(runs) for runs in mine.values()),
                "held": len(held),
                "of": len(mine),
                "strictly": sum(all(spine_page.meets(run, strict=True) for run in runs) for runs in mine.values()),
                "least_automated": min(rates, default=None),
            }
        )
    hardware = dict.fromkeys(run["report"]["speed"]["hardware"] for runs in found.values() for run in runs)
    return {"bases": bases, "sets": len({name for name, *_ in found}), "hardware": "; ".join(hardware)}


@functools.cache
def compress(folder: Path) -> Values:
    """Each compression by itself: means over the seeds, one entry a processor."""
    runs = []
    for rows in compress_page.newest(read_results(folder / "compress.jsonl")).values():
        forms = {}
        for name in dict.fromkeys(name for row in rows for name in row["techniques"]):
            mine = [row["techniques"][name] for row in rows if name in row["techniques"]]
            forms[name] = {key: fmean(one[key] for one in mine) for key in ("size_mb", "p99_ms", "times_faster")}
            forms[name] |= {end: fmean(one["kept"][end] for one in mine) for end in ("value", "low", "high")}
        runs.append(
            {
                "processor": speed_page.processor(rows[0]),
                "set": rows[0]["set"],
                "rows": rows[0]["rows"],
                "test_rows": rows[0]["test_rows"],
                "seeds": len(rows),
                "forms": forms,
                "hardware": rows[0]["hardware"],
            }
        )
    return {"runs": runs, "hardware": "; ".join(dict.fromkeys(run["hardware"] for run in runs))}


@functools.cache
def claim(folder: Path) -> Values:
    """The claim over seven sets by one form: what is kept, covered and how fast, of the sets that have begun."""
    found = claim_page.by_set(read_results(folder / "claim.jsonl"))
    sets: list[Values] = []
    for name, mine in found.items():
        kept, timed = folds.pooled(mine), claim_page.timed_fold(mine)
        times = {} if timed is None else timed["subjects"]["penjing"]
        sets.append(
            {
                "set": name,
                "folds": len(mine),
                "of": protocol.FOLDS,
                "rows": sum(len(row["truth"]) for row in mine),
                "state": claim_page.state(mine),
                "kept": kept.value,
                "lower": kept.lower,
                "covered": claim_page.covered(claim_page.scores(mine)),
                **{key: _known(times.get(key), form) for key, form in _TIMES.items()},
                "processor": "–" if timed is None else speed_page.processor(timed),
            }
        )
    return {
        "sets": sets,
        "held": sum(one["state"] == "held" for one in sets),
        "begun": len(sets),
        "of": len(protocol.SETS),
        "folds": sum(int(one["folds"]) for one in sets),
        "of_folds": len(protocol.SETS) * protocol.FOLDS,
        "wanted": protocol.WANTED,
        "hardware": "; ".join(dict.fromkeys(row["hardware"] for mine in found.values() for row in mine)),
    }


def _known(value: float | None, form: str) -> str:
    """A figure, or a dash where it has not been measured yet."""
    return "–" if value is None else format(value, form)


@functools.cache
def curve(folder: Path) -> Values:
    """Forecasts of what more rows give, and what came, by set."""
    found = json.loads((folder / "curve.json").read_bytes())
    units = found["units"]
    by_set: dict[str, list[Values]] = {}
    for name, one in units.items():
        by_set.setdefault(name.split("/")[0], []).append(one)
    return {
        "of": len(units),
        "held": sum(learning.held(one) for one in units.values()),
        "near": sum(learning.held(one, learning.NEAR) for one in units.values()),
        "hardware": found["machine"],
        "sets": [
            {
                "set": name,
                "of": len(some),
                "held": sum(learning.held(one) for one in some),
                "near": sum(learning.held(one, learning.NEAR) for one in some),
                "said": 100 * fmean(one["gain"] for one in some),
                "came": 100 * fmean(one["came"] for one in some),
            }
            for name, some in by_set.items()
        ],
    }


@functools.cache
def pretrain(folder: Path) -> Values:
    """Bases of a domain beside the base that they began with, and the speed of the training."""
    path = folder / "pretrain.json"
    found = json.loads(path.read_bytes()) if path.is_file() else {}
    domains = pretrain_page.domains(found)
    least = [row["adapt gains"]["mean"] for row in domains]
    return {
        "domains": domains,
        "of": len(domains),
        "of_all": len(pretrain_page.DOMAINS) * len(pretraining.SIZES),
        "better": sum(gain > 0 for gain in least),
        "draws": pretraining.DRAWS,
        "hardware": found.get("hardware", ""),
    }


READERS: dict[str, Callable[[Path], Values]] = {
    "claim.jsonl": claim,
    "curve.json": curve,
    "speed.jsonl": speed,
    "spine.jsonl": spine,
    "compress.jsonl": compress,
    "pretrain.json": pretrain,
}
