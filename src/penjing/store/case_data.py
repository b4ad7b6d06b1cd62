"""The caller's own data of a decision: its case number and columns that are passed through; no model or rule sees them.

They are stored beside the decision and are no part of its bytes, so that a replay needs none of them. Both are
personal: an erasure blanks them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, select, tuple_

from penjing.core.canon import canonical_json
from penjing.core.errors import RequestError, UsageError
from penjing.core.nouns import Scalar
from penjing.store.bulk import insert_rows
from penjing.store.chain import Entry, enter_entries, entry_of
from penjing.store.database import Store
from penjing.store.tables import case_data

MOST_REF, MOST_KEPT, MOST_KEPT_CHARACTERS = 200, 20, 2_000
# SQLite takes some thousands of parameters in one statement.
_PAGE = 500


@dataclass(frozen=True)
class CaseData:
    """ref: the case number, None for none; it may be that of several decisions. keep: columns by their names.

    Raises RequestError where they are too long or too many, or have characters that no text may have.
    """

    ref: str | None = None
    keep: Mapping[str, Scalar] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Without spaces around it, as a file gives it: one case has one number at every door.
        object.__setattr__(self, "ref", (self.ref or "").strip() or None)
        if self.ref is not None and len(self.ref) > MOST_REF:
            raise RequestError(
                f"the case number `ref` has {len(self.ref):,} characters; at most {MOST_REF} are kept",
                fix="send the number of the case alone; longer data fits into `keep`",
            )
        if len(self.keep) > MOST_KEPT:
            raise RequestError(
                f"{len(self.keep)} columns to pass through; at most {MOST_KEPT} are kept",
                fix="name those that you need beside the decision",
            )
        size = sum(len(name) + len(str(value)) for name, value in self.keep.items() if value is not None)
        if size > MOST_KEPT_CHARACTERS:
            raise RequestError(
                f"the columns to pass through have {size:,} characters; at most {MOST_KEPT_CHARACTERS:,} are kept",
                fix="leave out the longest of them",
            )
        written = "".join((self.ref or "", *self.keep, *(each for each in self.keep.values() if isinstance(each, str))))
        if not all(math.isfinite(each) for each in self.keep.values() if isinstance(each, float)):
            raise RequestError("`keep` holds a number that is not finite", fix="send it as a text")
        if "\0" in written or any("\ud800" <= letter <= "\udfff" for letter in written):
            raise RequestError("`ref` or `keep` holds a NUL or half a character", fix="send plain text in UTF-8")

    def __bool__(self) -> bool:
        return self.ref is not None or bool(self.keep)

    def to_json(self) -> dict[str, Any]:
        """Plain values: `ref` and `keep`, each only where it was given."""
        return ({} if self.ref is None else {"ref": self.ref}) | ({"keep": dict(self.keep)} if self.keep else {})


@dataclass(frozen=True)
class PreparedCase:
    """A row of the table with its entry of the chain."""

    row: Mapping[str, Any]
    entry: Entry


def prepare_case(decision: str, created: str, case: CaseData) -> PreparedCase:
    """The row and the entry of the caller's data of one decision."""
    keep = canonical_json(dict(case.keep)).decode() if case.keep else None
    row = {"decision": decision, "created": created, "ref": case.ref, "keep": keep}
    return PreparedCase(row, entry_of("case data", row))


def write_cases(connection: Connection, cases: Sequence[PreparedCase]) -> None:
    """Add them, in the transaction that adds their decisions."""
    insert_rows(connection, case_data, [one.row for one in cases])
    if cases:
        enter_entries(connection, [one.entry for one in cases])


def get_cases(store: Store, decisions: Sequence[str]) -> dict[str, CaseData]:
    """The caller's data of those of these decisions that have any; erased data is none."""
    found: dict[str, CaseData] = {}
    with store.read() as connection:
        for start in range(0, len(decisions), _PAGE):
            query = select(case_data).where(case_data.c.decision.in_(decisions[start : start + _PAGE]))
            found |= {row.decision: case for row in connection.execute(query) if (case := read_case(row))}
    return found


def read_case(row: Row[Any]) -> CaseData:
    """The data of a row with the columns `ref` and `keep`; nothing where they were changed outside Penjing."""
    try:
        keep = json.loads(row.keep) if row.keep else {}
        return CaseData(None if row.ref is None else str(row.ref), keep if isinstance(keep, dict) else {})
    except (ValueError, TypeError, RecursionError, RequestError):
        return CaseData()  # `penjing verify` names the row


def decisions_of(store: Store, ref: str, most: int, after: str | None = None) -> list[str]:
    """The ids of at most `most` decisions of a case, oldest first; after: those behind this decision of the same case.

    Raises UsageError if `after` is no decision of this case.
    """
    order = (case_data.c.created, case_data.c.decision)
    query = select(case_data.c.decision).where(case_data.c.ref == ref).order_by(*order).limit(most)
    with store.read() as connection:
        if after is not None:
            place = select(*order).where(case_data.c.decision == after, case_data.c.ref == ref)
            last = connection.execute(place).first()
            if last is None:
                raise UsageError(
                    f"`after` names no decision of this case: {after[:64]!r}",
                    fix="give the `next` of the page before",
                )
            query = query.where(tuple_(*order) > tuple_(last.created, last.decision))
        return list(connection.execute(query).scalars())


def refs_with(store: Store, ref: str) -> list[str]:
    """The ids of all decisions of a case."""
    with store.read() as connection:
        return list(connection.execute(select(case_data.c.decision).where(case_data.c.ref == ref.strip())).scalars())
