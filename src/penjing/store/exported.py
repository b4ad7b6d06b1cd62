"""Decisions with all that is recorded beside them, row by row in the order of time, for an export."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, select, tuple_

from penjing.store.case_data import read_case
from penjing.store.database import Store
from penjing.store.tables import case_data, decisions, reviews, waiting_texts

_PAGE = 1000


@dataclass(frozen=True)
class ExportPeriod:
    """Which decisions: from `since` on, before `until` (UTC, as they are recorded), of one release; None: all."""

    since: str | None = None
    until: str | None = None
    release: str | None = None


def exported_rows(store: Store, period: ExportPeriod) -> Iterator[Row[Any]]:
    """The columns of `decisions`, with `ref`, `keep`, `held` (the text of a waiting case), `status`, `verdict`,
    `reviewer`, `note` and `closed`. It reads page by page, so that it needs little memory and holds no lock."""
    order = (decisions.c.created, decisions.c.id)
    query = select(
        decisions, case_data.c.ref, case_data.c.keep, waiting_texts.c.text.label("held"),
        reviews.c.status, reviews.c.verdict, reviews.c.reviewer, reviews.c.note, reviews.c.closed,
    )  # fmt: skip
    query = query.select_from(decisions)
    for table in (case_data, waiting_texts, reviews):
        query = query.outerjoin(table, table.c.decision == decisions.c.id)
    base = _within(query, period).order_by(*order).limit(_PAGE)
    page = base
    while True:
        with store.read() as connection:
            rows = connection.execute(page).all()
        yield from rows
        if len(rows) < _PAGE:
            return
        page = base.where(tuple_(*order) > tuple_(rows[-1].created, rows[-1].id))


def kept_names(store: Store, period: ExportPeriod, most: int) -> list[str]:
    """The names of the columns that callers had passed through: those of the oldest decision first, then new ones.

    Those of one decision are sorted. It stops behind `most` names.
    """
    names: dict[str, None] = {}
    base = (
        select(case_data).join(decisions, decisions.c.id == case_data.c.decision).where(case_data.c.keep.is_not(None))
    )
    order = (case_data.c.created, case_data.c.decision)
    base = _within(base, period).order_by(*order).limit(_PAGE)
    page = base
    while True:
        with store.read() as connection:
            rows = connection.execute(page).all()
        for row in rows:
            names |= dict.fromkeys(read_case(row).keep)
        if len(rows) < _PAGE or len(names) > most:
            return list(names)
        page = base.where(tuple_(*order) > tuple_(rows[-1].created, rows[-1].decision))


def _within(query: Select[Any], period: ExportPeriod) -> Select[Any]:
    if period.since is not None:
        query = query.where(decisions.c.created >= period.since)
    if period.until is not None:
        query = query.where(decisions.c.created < period.until)
    return (
        query
        if period.release is None
        else query.where(decisions.c.release.startswith(period.release, autoescape=True))
    )
