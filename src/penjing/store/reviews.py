"""Cases that wait for a person: out to a CSV that a spreadsheet opens safely, and back with verdicts."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select, update

from penjing.core.canon import digest_file
from penjing.core.errors import DataError
from penjing.data.read import read_rows
from penjing.store import audit
from penjing.store.chain import enter
from penjing.store.database import Store
from penjing.store.tables import decisions, now, reviews

COLUMNS = ("id", "time", "release", "outcome", "p", "reason", "text", "verdict", "reviewer", "note")
# A spreadsheet runs a cell that begins with one of these as a formula (OWASP, "CSV Injection", 2021).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_SHOWN_FAULTS = 20


@dataclass(frozen=True)
class Verdict:
    """What a person said of a case; `row` is the row of the file."""

    row: int
    decision: str
    label: str
    reviewer: str
    note: str


@dataclass(frozen=True)
class Imported:
    """What an import did: verdicts recorded, rows still without one, rows whose verdict was there already."""

    recorded: int
    blank: int
    repeated: int


def count_open(store: Store) -> int:
    """How many cases wait."""
    with store.read() as connection:
        return connection.execute(select(func.count()).where(reviews.c.status == "open")).scalar_one()


def export_open(store: Store, file: Path) -> int:
    """Write the open cases, oldest first, as CSV (UTF-8 with BOM, so that Excel reads Chinese); returns how many."""
    query = (
        select(reviews.c.opened, decisions)
        .join(decisions, decisions.c.id == reviews.c.decision)
        .where(reviews.c.status == "open")
        .order_by(reviews.c.opened, reviews.c.decision)
    )
    with store.read() as connection, file.open("w", encoding="utf-8-sig", newline="") as target:
        writer = csv.writer(target)
        writer.writerow(COLUMNS)
        count = 0
        for row in connection.execute(query):
            decided = json.loads(row.decision)
            cells = [row.id, row.opened, row.release[:12], row.outcome, decided["facts"].get("p", "")]
            cells += [decided["reason"], row.text or "", "", "", ""]
            writer.writerow([defuse(str(cell)) for cell in cells])
            count += 1
    return count


def import_verdicts(store: Store, file: Path) -> Imported:
    """Read a file that `export_open` wrote, with the column `verdict` filled in: all rows or none.

    Raises DataError that lists the faulty rows: an unknown id, a label that the release does not have, a case with
    another verdict already, two verdicts for one case.
    """
    blank = 0
    given: dict[str, Verdict] = {}
    faults: list[str] = []
    for verdict in _read(file):
        if not verdict.label:
            blank += 1
        elif verdict.decision in given and given[verdict.decision].label != verdict.label:
            faults.append(f"row {verdict.row}: a second verdict for the case {verdict.decision[:64]}")
        else:
            given[verdict.decision] = verdict
    repeated = 0
    with store.write() as connection:
        for verdict in given.values():
            fault, known = _check(connection, verdict)
            if fault:
                faults.append(f"row {verdict.row}: {fault}")
            elif known:
                repeated += 1
            else:
                _close(connection, verdict)
        if faults:
            raise DataError(_listed(faults), where=str(file), fix="correct these rows and import the file again")
        recorded = len(given) - repeated
        if recorded:
            detail = {"file": digest_file(file), "recorded": recorded}
            audit.append(connection, "reviews imported", detail)
    return Imported(recorded, blank, repeated)


def verdicts(store: Store) -> Iterator[tuple[str, str]]:
    """(masked text, label that a person gave) of every closed case whose text was kept: training data."""
    query = (
        select(decisions.c.text, reviews.c.verdict)
        .join(decisions, decisions.c.id == reviews.c.decision)
        .where(reviews.c.status == "done", decisions.c.text.is_not(None))
        .order_by(reviews.c.closed, reviews.c.decision)
    )
    with store.read() as connection:
        rows = connection.execute(query).all()
    yield from ((row.text, row.verdict) for row in rows)


def defuse(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: an apostrophe goes before a leading = + - @ tab or return."""
    return "'" + cell if cell.startswith(_FORMULA) else cell


def _plain(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell


def _read(file: Path) -> Iterator[Verdict]:
    for number, row in read_rows(file):
        missing = [name for name in ("id", "verdict") if name not in row]
        if missing:
            raise DataError(
                f"the column `{missing[0]}` is missing",
                where=str(file),
                fix="`penjing review export FILE` writes the columns " + ", ".join(COLUMNS),
            )
        cells = {name: _plain((row.get(name) or "").strip()) for name in ("id", "verdict", "reviewer", "note")}
        yield Verdict(number, cells["id"], cells["verdict"], cells["reviewer"], cells["note"])


def _check(connection: Connection, verdict: Verdict) -> tuple[str | None, bool]:
    """(fault or None, whether this very verdict is there already)."""
    query = (
        select(reviews.c.status, reviews.c.verdict, decisions.c.prediction, decisions.c.outcome)
        .join(decisions, decisions.c.id == reviews.c.decision)
        .where(reviews.c.decision == verdict.decision)
    )
    row = connection.execute(query).first()
    if row is None:
        return f"no case {verdict.decision[:64]!r} was ever sent to review", False
    labels: list[Any] = json.loads(row.prediction)["labels"]
    if verdict.label not in {*labels, row.outcome}:
        known = ", ".join(map(str, labels[:20]))
        return f"{verdict.label[:64]!r} is not a label of this release; it has {known}", False
    if row.status == "done" and row.verdict != verdict.label:
        return f"the case {verdict.decision} was closed before as {row.verdict!r}", False
    return None, row.status == "done"


def _close(connection: Connection, verdict: Verdict) -> None:
    values = {"status": "done", "closed": now(), "verdict": verdict.label}
    values |= {"reviewer": verdict.reviewer, "note": verdict.note}
    connection.execute(update(reviews).where(reviews.c.decision == verdict.decision).values(**values))
    enter(connection, "verdict", [{"decision": verdict.decision, **values}])


def _listed(faults: list[str]) -> str:
    more = f"\n  and {len(faults) - _SHOWN_FAULTS} more" if len(faults) > _SHOWN_FAULTS else ""
    return "nothing was imported:\n  " + "\n  ".join(faults[:_SHOWN_FAULTS]) + more
