"""Erasing a person's data: the personal parts of a decision are blanked with their salts, and the chain still holds."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from penjing.core.errors import UsageError
from penjing.store.chain import enter
from penjing.store.database import Store
from penjing.store.parts import KINDS, Kind, erase_salts, split_fields
from penjing.store.tables import chain, decisions, reviews


def erase_decision(store: Store, identity: str) -> None:
    """Blank text, evidence and declared fields of a decision, and reviewer and note of its verdict, for good.

    What was decided stays, with the probabilities. A digest without its salt tells nothing of what was erased. The
    decision cannot be replayed from its facts any more. Raises UsageError for an unknown id.
    """
    with store.write() as connection:
        row = connection.execute(select(decisions.c.decision).where(decisions.c.id == identity)).first()
        if row is None:
            raise UsageError(f"no decision has the id `{identity[:64]}`", where=store.url, fix="give the id of one")
        values = {"text": None, "evidence": None, "decision": split_fields(row.decision)[0]}
        connection.execute(update(decisions).where(decisions.c.id == identity).values(**values))
        connection.execute(update(reviews).where(reviews.c.decision == identity).values(reviewer=None, note=None))
        for kind in (KINDS["decision"], KINDS["verdict"]):
            _erase(connection, kind, identity)
        enter(connection, "erased", [{"row": identity, "parts": "text fields evidence reviewer note"}])


def _erase(connection: Connection, kind: Kind, identity: str) -> None:
    entries = connection.execute(
        select(chain.c.writer, chain.c.number, chain.c.salt).where(chain.c.kind == kind.name, chain.c.row == identity)
    ).all()
    for entry in entries:
        place = (chain.c.writer == entry.writer, chain.c.number == entry.number)
        connection.execute(update(chain).where(*place).values(salt=erase_salts(kind, entry.salt, kind.personal)))
