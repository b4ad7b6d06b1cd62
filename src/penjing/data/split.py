"""Train, validation, calibration and test, cut by a stable hash: stratified by label, never through a group."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from penjing.core.canon import unit_hash
from penjing.core.recipe import PARTS, Data

SHARES: Mapping[str, float] = {"train": 0.60, "validation": 0.12, "calibration": 0.14, "test": 0.14}
# One held-out part for score and certificate. At half the level a proof takes log(0.025) / log(0.05) = 1.23 times the
# rows: 17 % of the rows prove what 14 % prove at the whole level.
SHARED: Mapping[str, float] = {"train": 0.71, "validation": 0.12, "test": 0.17}
HELD_OUT = "held_out"
# Test has the lowest hashes and train the highest, so that added rows move few of the others out of test.
_ORDER = ("test", "calibration", "validation", "train")
_SMALLEST = 5  # rows of a label from which it is in every part


def split(
    keys: Sequence[str],
    labels: Sequence[str],
    missing: Sequence[str],
    seed: int = 0,
    shares: Mapping[str, float] = SHARES,
) -> list[str]:
    """The part of each row: `train` or one of `missing`, in their shares among these.

    Rows with the same key (group, cluster of near duplicates, or the row's own text) go together. Within a label the
    keys are ordered by their hash and cut at its quotas: a row that is added moves only rows next to a cut. A label
    with five rows or more, in enough groups, is in every part. Deterministic in keys, labels and seed, whatever the
    order of the rows.
    """
    parts = [name for name in _ORDER if name == "train" or name in missing]
    members: dict[str, list[int]] = {}
    for position, key in enumerate(keys):
        members.setdefault(key, []).append(position)
    strata: dict[str, list[tuple[float, str]]] = {}
    for key, positions in members.items():
        held = [labels[position] for position in positions]
        label = min(set(held), key=lambda name: (-held.count(name), name))
        strata.setdefault(label, []).append((unit_hash(str(seed), key), key))
    part_of: dict[str, str] = {}
    for stratum in strata.values():
        ordered = [key for _, key in sorted(stratum)]
        part_of |= _cut(ordered, [len(members[key]) for key in ordered], parts, shares)
    return [part_of[key] for key in keys]


def cut_parts(files: str | Mapping[Any, str]) -> tuple[str, ...]:
    """The parts that are cut from one file: `train`, and those that have no file of their own."""
    given: set[str] = set() if isinstance(files, str) else set(files)
    return tuple(name for name in PARTS if name == "train" or name not in given)


def cut_of(data: Data) -> tuple[str, ...]:
    """As `cut_parts`, of the data of a recipe; rows that are calibration and test at once are one part, `held_out`."""
    parts = cut_parts(data.files)
    if data.held_out == "apart":
        return parts
    return (*(name for name in parts if name not in ("calibration", "test")), HELD_OUT)


def labelled_rows(rows: int, part: str, splits: Mapping[str, int], cut: Sequence[str]) -> int:
    """About how many labelled rows give `rows` rows of a part. splits: rows of each part now; cut: as `cut_of`."""
    if HELD_OUT in cut:
        cut = [name for name in cut if name != HELD_OUT] + ["test"]
        part = "test" if part == "calibration" else part
    if part not in cut or not splits.get(part):
        return rows
    return math.ceil(rows * sum(splits.get(name, 0) for name in cut) / splits[part])


def quotas(rows: int, parts: Sequence[str], shares: Mapping[str, float] = SHARES) -> dict[str, int]:
    """How many of a label's rows each part gets; train gets what is left."""
    whole = sum(shares[name] for name in parts)
    least = 1 if rows >= _SMALLEST else 0
    found = {name: max(least, int(rows * shares[name] / whole + 0.5)) for name in parts if name != "train"}
    return {**found, "train": rows - sum(found.values())}


def _cut(
    keys: Sequence[str], sizes: Sequence[int], parts: Sequence[str], shares: Mapping[str, float] = SHARES
) -> dict[str, str]:
    """Put each group into the part in which the middle of its rows falls; then give an empty part a small group."""
    wanted = quotas(sum(sizes), parts, shares)
    bounds, total = [], 0
    for name in parts:
        total += wanted[name]
        bounds.append((total, name))
    placed: dict[str, str] = {}
    before = 0
    for key, size in zip(keys, sizes, strict=True):
        middle = before + size / 2
        placed[key] = next((name for bound, name in bounds if middle < bound), "train")
        before += size
    held = Counter(placed.values())
    for name in parts:
        if wanted[name] and not held[name]:
            spare = [(size, place) for place, size in enumerate(sizes) if held[placed[keys[place]]] > 1]
            if spare:
                key = keys[min(spare)[1]]
                held[placed[key]] -= 1
                held[name] += 1
                placed[key] = name
    return placed
