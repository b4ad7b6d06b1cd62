"""Runs of `penjing decide` over a file: a row is recorded once, also if the run is interrupted several times."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select, update

from penjing.core.canon import digest
from penjing.store.chain import enter
from penjing.store.database import Store
from penjing.store.records import PreparedRecord, Record, get_record, write_prepared
from penjing.store.tables import decisions, now, run_rows, runs


@dataclass(frozen=True)
class DecideRun:
    """One run over a file; `recorded` is the number of its rows that were recorded when it was opened."""

    id: str
    started: str
    recorded: int


def run_key(release: str, content: str, options: Mapping[str, object]) -> str:
    """The key of a run: the release, the SHA-256 of the file, and the options that change its output."""
    return digest([release, content, dict(options)])


def open_run(store: Store, key: str, file: str, *, anew: bool = False) -> DecideRun:
    """The newest run with this key if it has not finished, else a new one. anew: always a new one."""
    with store.write() as connection:
        if not anew:
            query = select(runs).where(runs.c.key == key).order_by(runs.c.started.desc()).limit(1)
            last = connection.execute(query).first()
            if last is not None and last.finished is None:
                return DecideRun(last.id, last.started, _count(connection, last.id))
        made = DecideRun(secrets.token_hex(16), now(), 0)
        values = {"id": made.id, "key": key, "file": file, "started": made.started, "finished": None}
        connection.execute(insert(runs).values(values))
        enter(connection, "run", [values])
    return made


def unfinished_of(store: Store, file: str, besides: str) -> DecideRun | None:
    """The newest unfinished run with rows over the file at this path, those of one key excepted."""
    query = select(runs).where(runs.c.file == file, runs.c.key != besides).order_by(runs.c.started.desc()).limit(1)
    with store.read() as connection:
        last = connection.execute(query).first()
        if last is None or last.finished is not None:
            return None
        found = DecideRun(last.id, last.started, _count(connection, last.id))
    return found if found.recorded else None


def recorded_rows(store: Store, run: DecideRun, rows: Sequence[int]) -> dict[int, Record]:
    """The rows among these that the run has recorded, with their records."""
    with store.read() as connection:
        known = _decisions(connection, run.id, rows)
    return _records(store, known)


def record_rows(store: Store, run: DecideRun, made: Mapping[int, PreparedRecord]) -> dict[int, Record]:
    """Record the decisions of these rows and mark the rows, in one transaction; returns the record of each row.

    A row that another process recorded meanwhile keeps that record.
    """
    with store.write() as connection:
        known = _decisions(connection, run.id, list(made))
        fresh = {row: one for row, one in made.items() if row not in known}
        if fresh:
            write_prepared(connection, list(fresh.values()))
            # A mark whose decision was deleted from the database is ignored.
            connection.execute(delete(run_rows).where(run_rows.c.run == run.id, run_rows.c.row.in_(list(fresh))))
            marks = [{"run": run.id, "row": row, "decision": one.record.id} for row, one in fresh.items()]
            connection.execute(insert(run_rows), marks)
            enter(connection, "run row", marks)
    return {**{row: one.record for row, one in fresh.items()}, **_records(store, known)}


def count_rows(store: Store, run: DecideRun) -> int:
    """The number of rows of the run that are recorded."""
    with store.read() as connection:
        return _count(connection, run.id)


def finish_run(store: Store, run: DecideRun) -> None:
    """Record that every row was answered. The same command then starts a new run."""
    with store.write() as connection:
        time = now()
        connection.execute(update(runs).where(runs.c.id == run.id).values(finished=time))
        enter(connection, "run end", [{"id": run.id, "finished": time}])


def _count(connection: Connection, run: str) -> int:
    return connection.execute(select(func.count()).where(run_rows.c.run == run)).scalar_one()


def _decisions(connection: Connection, run: str, rows: Sequence[int]) -> dict[int, str]:
    query = (
        select(run_rows.c.row, run_rows.c.decision)
        .join(decisions, decisions.c.id == run_rows.c.decision)
        .where(run_rows.c.run == run, run_rows.c.row.in_(list(rows)))
    )
    return dict(connection.execute(query).tuples().all())


def _records(store: Store, known: Mapping[int, str]) -> dict[int, Record]:
    found = {number: get_record(store, decision) for number, decision in known.items()}
    return {number: record for number, record in found.items() if record is not None}
