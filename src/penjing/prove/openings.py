"""The ledger of calibration rows: each time that they were opened, for which promise, and at which level.

A certificate errs with probability delta if its rows were opened for it alone. Who opens the same rows again for other
rules, another model or another limit, and keeps what passes, errs more often. So every further promise on rows that
were opened before is tested at half the level of the one before it: delta, delta / 2, delta / 4, ... By Bonferroni's
inequality all promises that ever were tested on the rows hold together with a confidence above 1 - 2 delta. The same
promise on the same rows costs nothing: its test gives the same again. If at least half of the rows are new, those alone
are opened, at delta.

The ledger is a file beside the recipe. A line is on the disk before the rows are looked at, so that a run that is
killed in between has opened them too.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from penjing.core.errors import DamageError
from penjing.core.folder import sync

LEDGER = "openings.jsonl"
_FORMAT = 1


@dataclass(frozen=True)
class Opening:
    """Calibration rows opened for a promise.

    promise: hash of everything that was fixed before (model, policy, thresholds to test, limits). rows: the hashes of
    the rows. delta: the level of its test. time: when, as ISO 8601 in UTC. about: what a person recognises the promise
    by: its limits, its model and its rules; empty in ledgers of earlier versions.
    """

    promise: str
    rows: frozenset[str]
    delta: float
    time: str = ""
    about: Mapping[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class OpeningPlan:
    """How a promise will be tested.

    places: positions of the rows to use. delta: the level of the test. earlier: the other tests that were made on some
    of these rows before. fresh: whether rows that were opened before are left out. known: whether this promise was
    tested on these rows before.
    """

    places: tuple[int, ...]
    delta: float
    earlier: tuple[Opening, ...] = ()
    fresh: bool = False
    known: bool = False


def read_openings(path: Path) -> list[Opening]:
    """Every opening in a ledger, in order; none if there is no file. Raises DamageError (a line that is no opening)."""
    return _read(path.read_bytes() if path.is_file() else b"", path)[0]


def _read(raw: bytes, path: Path) -> tuple[list[Opening], int]:
    """The openings in a ledger, and the length of its whole lines.

    A last line that a power cut left half written has no end; its rows were not looked at, so it does not count.
    """
    found: list[Opening] = []
    length = 0
    for number, line in enumerate(raw.splitlines(keepends=True), start=1):
        opening = _opening(line)
        if opening is not None:
            found.append(opening)
            length += len(line)
        elif line.endswith(b"\n"):
            raise DamageError(
                "this line of the ledger of calibration rows cannot be read",
                where=f"{path}:{number}",
                fix="restore the file from a backup; without it nobody knows how often the rows were opened",
            )
    return found, length


def _opening(line: bytes) -> Opening | None:
    """The opening that a line holds, or None."""
    try:
        values = json.loads(line)
        delta = float(values["delta"])
        if values["format"] != _FORMAT or not 0 < delta < 1:
            return None
        rows, about = frozenset(str(values["rows"]).split()), values.get("about", {})
        about = about if isinstance(about, dict) else {}
        return Opening(str(values["promise"]), rows, delta, str(values["time"]), about)
    except (ValueError, KeyError, TypeError):
        return None


def plan(
    openings: Sequence[Opening], rows: Sequence[str], promise: str, delta: float, *, whole: bool = False
) -> OpeningPlan:
    """How `promise` may be tested on calibration rows with these hashes.

    whole: new rows are not taken alone, because those that were opened before are of another kind.
    """
    for number, one in enumerate(openings):
        if one.promise == promise:
            before = _new_test(openings[:number], rows, delta, whole)
            if one.rows == {rows[place] for place in before.places}:
                return replace(before, delta=one.delta, known=True)
    return _new_test(openings, rows, delta, whole)


def _new_test(openings: Sequence[Opening], rows: Sequence[str], delta: float, whole: bool) -> OpeningPlan:
    """How a test that was not made yet may be made: on new rows alone where they are half or more, else at a price."""
    opened = frozenset().union(*(one.rows for one in openings))
    fresh = tuple(place for place, identity in enumerate(rows) if identity not in opened)
    if len(fresh) == len(rows) or (2 * len(fresh) >= len(rows) and not whole):
        return OpeningPlan(fresh, delta, fresh=len(fresh) < len(rows))
    # More rows for the same promise are another test of it: the first may have been the reason for asking again.
    tests = {(one.promise, one.rows): one for one in openings if not one.rows.isdisjoint(rows)}
    return OpeningPlan(tuple(range(len(rows))), delta / 2 ** len(tests), tuple(tests.values()))


def open_planned(path: Path, rows: Sequence[str], asked: Opening, *, whole: bool = False) -> OpeningPlan:
    """Plan the test of a promise on rows with these hashes, and enter it in the ledger unless it is there.

    asked: the promise, its level if the rows were never opened, and the time; without rows. whole: as of `plan`. Nobody
    else plans or enters meanwhile, and the entry is on the disk when this returns. Raises DamageError, OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        openings, length = _read(path.read_bytes(), path)
        found = plan(openings, rows, asked.promise, asked.delta, whole=whole)
        if not found.known:
            taken = frozenset(rows[place] for place in found.places)
            _append(descriptor, length, replace(asked, rows=taken, delta=found.delta))
    finally:
        os.close(descriptor)
    sync(path.parent)
    return found


def _append(descriptor: int, length: int, opening: Opening) -> None:
    """Write an opening behind the whole lines of an open ledger."""
    values = {
        "format": _FORMAT,
        "time": opening.time,
        "promise": opening.promise,
        "delta": opening.delta,
        "rows": " ".join(sorted(opening.rows)),
        **({"about": dict(opening.about)} if opening.about else {}),
    }
    line = json.dumps(values, sort_keys=True).encode() + b"\n"
    whole = length == 0 or os.pread(descriptor, 1, length - 1) == b"\n"
    os.ftruncate(descriptor, length)
    os.pwrite(descriptor, line if whole else b"\n" + line, length)
    os.fsync(descriptor)
