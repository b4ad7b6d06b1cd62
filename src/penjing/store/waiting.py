"""Texts of cases that wait for a person, where the release keeps no texts: kept until the verdict, then blanked.

The record of such a decision has no text, before and after. Its masked text is in a table of its own, with an entry in
the chain. After the verdict the text is blanked with its salt, as an erasure does; the chain still verifies.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from penjing.core.canon import canonical_json
from penjing.store.bulk import insert_rows
from penjing.store.chain import Entry, enter_entries, entry_of
from penjing.store.database import Store
from penjing.store.parts import KINDS, erase_salts
from penjing.store.tables import chain, waiting_texts

_PAGE = 500
_KIND = KINDS["waiting text"]


@dataclass(frozen=True)
class WaitingText:
    """The masked text of a waiting case, and the evidence that was shown (None: none)."""

    text: str
    evidence: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class PreparedWaiting:
    """A row of the table with its entry of the chain."""

    row: Mapping[str, Any]
    entry: Entry


def prepare_waiting(decision: str, waiting: WaitingText) -> PreparedWaiting:
    """The row and the entry of one text."""
    row = waiting_row(decision, waiting)
    return PreparedWaiting(row, entry_of(_KIND.name, row))


def waiting_row(decision: str, waiting: WaitingText) -> dict[str, Any]:
    """The row of one text."""
    evidence = None if waiting.evidence is None else canonical_json(dict(waiting.evidence)).decode()
    return {"decision": decision, "text": waiting.text, "evidence": evidence}


def write_waiting(connection: Connection, texts: Sequence[PreparedWaiting]) -> None:
    """Add them, in the transaction that adds their decisions."""
    insert_rows(connection, waiting_texts, [one.row for one in texts])
    if texts:
        enter_entries(connection, [one.entry for one in texts])


def get_waiting(store: Store, decision: str) -> WaitingText | None:
    """The text of a case that waits; None if its record has the text, or if the verdict was given."""
    with store.read() as connection:
        row = connection.execute(select(waiting_texts).where(waiting_texts.c.decision == decision)).first()
    if row is None or not isinstance(row.text, str):
        return None
    try:
        return WaitingText(row.text, json.loads(row.evidence) if row.evidence else None)
    except (ValueError, TypeError, RecursionError):
        return WaitingText(row.text)  # `penjing verify` names the row


def blank_waiting(connection: Connection, decisions: Collection[str]) -> bool:
    """Blank the texts of these decisions with their salts, in the caller's transaction; whether there were any."""
    wanted, held = list(decisions), set[str]()
    for start in range(0, len(wanted), _PAGE):
        page = waiting_texts.c.decision.in_(wanted[start : start + _PAGE])
        held |= set(connection.execute(select(waiting_texts.c.decision).where(page)).scalars())
        connection.execute(update(waiting_texts).where(page).values(text=None, evidence=None))
    if held:
        blank_salts(connection, held, (_KIND.name,))
    return bool(held)


def blank_salts(connection: Connection, wanted: Collection[str], kinds: Sequence[str]) -> None:
    """Blank the salts of the personal parts of these rows. It reads the chain once, which has no index on rows."""
    query = select(chain.c.writer, chain.c.number, chain.c.kind, chain.c.row, chain.c.salt)
    query = query.where(chain.c.kind.in_(kinds)).execution_options(yield_per=_PAGE)
    changed = [
        {"of": entry.writer, "at": entry.number, "left": erase_salts(kind, entry.salt, kind.personal)}
        for entry in connection.execute(query)
        if entry.row in wanted and entry.salt is not None
        for kind in (KINDS[entry.kind],)
    ]
    if changed:
        place = (chain.c.writer == bindparam("of"), chain.c.number == bindparam("at"))
        connection.execute(update(chain).where(*place).values(salt=bindparam("left")), changed)
