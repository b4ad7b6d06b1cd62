"""Erases a person's data: blanks the personal parts of a decision and their salts. The chain stays valid."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from penjing.core.canon import canonical_json
from penjing.core.errors import DataError, StoreDamageError
from penjing.store import audit
from penjing.store.chain import enter
from penjing.store.database import Store
from penjing.store.opening import ERASED_PARTS
from penjing.store.parts import split_fields
from penjing.store.tables import case_data, decisions, erasures, now, reviews, waiting_texts
from penjing.store.waiting import blank_salts

# The columns that are erased; `ERASED_PARTS` are those of databases without data of the caller.
PARTS = f"{ERASED_PARTS} ref keep"
_ERASED_KINDS = ("decision", "verdict", "case data", "waiting text")
_PAGE = 500
_SHOWN = 20


@dataclass(frozen=True)
class Erasable:
    """A decision that can be erased; `erased` is the time of an earlier erasure, or None."""

    id: str
    created: str
    erased: str | None


def find_erasable(store: Store, ids: Sequence[str]) -> list[Erasable]:
    """The decisions with these ids, in that order, each once. Raises DataError that lists the unknown ones."""
    found: dict[str, Erasable] = {}
    wanted = list(dict.fromkeys(ids))
    query = select(decisions.c.id, decisions.c.created, erasures.c.time)
    query = query.outerjoin(erasures, erasures.c.decision == decisions.c.id)
    with store.read() as connection:
        for start in range(0, len(wanted), _PAGE):
            page = query.where(decisions.c.id.in_(wanted[start : start + _PAGE]))
            for row in connection.execute(page):
                found[row[0]] = Erasable(*row)
    unknown = [identity for identity in wanted if identity not in found]
    if unknown:
        more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
        raise DataError(
            f"no decision has the id {', '.join(f'`{identity[:64]}`' for identity in unknown[:_SHOWN])}{more}",
            where=store.url,
            fix="nothing was erased; correct these ids, and give the command again",
        )
    return [found[identity] for identity in wanted]


def ids_with_fields(store: Store, wanted: Mapping[str, str]) -> list[str]:
    """The ids of the decisions whose declared fields have these values. Fields are recorded masked."""
    found = []
    for identity, decision in _decided(store):
        try:
            fields = json.loads(decision)["facts"]["fields"]
        except (KeyError, TypeError, ValueError, RecursionError):
            continue  # a changed record; `penjing verify` reports it
        if isinstance(fields, dict) and all(
            name in fields and _written(fields[name]) == value for name, value in wanted.items()
        ):
            found.append(identity)
    return found


def erase_decisions(store: Store, ids: Collection[str]) -> str:
    """Blank text, evidence, declared fields and the caller's data of decisions, and who reviewed them, for good.

    The outcome and the probabilities stay. A digest without its salt reveals nothing about the erased value. A decision
    cannot be replayed from its text any more. All decisions are erased or none; an entry of the audit chain has their
    number. Returns the recorded time. Raises DataError for an unknown id, and StoreError if the log still holds the
    texts (`Store.compact`).
    """
    find_erasable(store, list(ids))
    wanted, time = set(ids), now()
    with store.write() as connection:
        for identity in ids:
            written = connection.execute(select(decisions.c.decision).where(decisions.c.id == identity)).scalar()
            if not isinstance(written, str):
                raise StoreDamageError(
                    f"the decision {identity[:64]} cannot be read, so nothing was erased",
                    where=store.url,
                    fix="`penjing verify` says what was changed outside Penjing",
                )
            values = {"text": None, "evidence": None, "decision": split_fields(written)[0]}
            connection.execute(update(decisions).where(decisions.c.id == identity).values(**values))
            connection.execute(update(reviews).where(reviews.c.decision == identity).values(reviewer=None, note=None))
            connection.execute(update(case_data).where(case_data.c.decision == identity).values(ref=None, keep=None))
            held = update(waiting_texts).where(waiting_texts.c.decision == identity)
            connection.execute(held.values(text=None, evidence=None))
        blank_salts(connection, wanted, _ERASED_KINDS)
        _note(connection, wanted, time)
        audit.append(connection, "erased", {"decisions": len(wanted), "parts": PARTS})
    store.compact()
    return time


def erased_at(store: Store, identity: str) -> str | None:
    """When the text of a decision was erased, or None."""
    with store.read() as connection:
        return connection.execute(select(erasures.c.time).where(erasures.c.decision == identity)).scalar()


def _decided(store: Store) -> Iterator[tuple[str, str]]:
    query = select(decisions.c.id, decisions.c.decision).order_by(decisions.c.id).limit(_PAGE)
    page = query
    while True:
        with store.read() as connection:
            rows = connection.execute(page).all()
        yield from ((row[0], row[1]) for row in rows)
        if len(rows) < _PAGE:
            return
        page = query.where(decisions.c.id > rows[-1][0])


def _written(value: object) -> str:
    return value if isinstance(value, str) else canonical_json(value).decode()


def _note(connection: Connection, wanted: set[str], time: str) -> None:
    """Record the time; for a decision that was erased before, the first time stays."""
    known = set(connection.execute(select(erasures.c.decision)).scalars())
    rows = [{"decision": identity, "time": time, "parts": PARTS} for identity in sorted(wanted - known)]
    if rows:
        connection.execute(insert(erasures), rows)
        enter(connection, "erasure", rows)
