"""Recorded decisions as the service answers them: one by its id, or those of a case, page by page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from penjing.cases.record import without_draw
from penjing.cases.rule_reasons import RuleReasons
from penjing.core.errors import UsageError
from penjing.core.whole_number import whole_number
from penjing.serve.errors import AnswerError
from penjing.store.case_data import CaseData, decisions_of, get_cases
from penjing.store.database import Store
from penjing.store.erasure import erased_at
from penjing.store.records import Record, get_record, unreadable
from penjing.store.waiting import get_waiting

MOST_LISTED, LISTED = 100, 50
_KNOWN = ("ref", "limit", "after")


@dataclass(frozen=True)
class CasePage:
    """At most `most` decisions of a case, oldest first; after: those behind this decision."""

    ref: str
    most: int = LISTED
    after: str | None = None


def read_page(query: Mapping[str, str], names: Sequence[str]) -> CasePage:
    """The page that a query names; names: every name in it, in order. Raises AnswerError 422."""
    fix = f"the query has {', '.join(_KNOWN)}"
    for name in names:
        if name not in _KNOWN:
            raise AnswerError(422, "bad_request", f"`{name[:40]}` is unknown in a query", fix)
        if names.count(name) > 1:
            raise AnswerError(422, "bad_request", f"`{name}` is given twice", fix)
    ref, limit = query.get("ref", ""), query.get("limit", str(LISTED))
    if not ref:
        raise AnswerError(422, "bad_request", "the query names no case", "for example /v1/decisions?ref=C-1042")
    if (most := whole_number(limit, 1, MOST_LISTED)) is None:
        raise AnswerError(422, "bad_request", "`limit` is no number of decisions", f"give 1 to {MOST_LISTED}")
    return CasePage(ref, most, query.get("after") or None)


def look_up(store: Store, reasons: RuleReasons, asks: Sequence[str | CasePage]) -> list[Any]:
    """The record of each id (None: unknown); of a page the answer (None: `after` is no decision of the case)."""
    return [get_record(store, ask) if isinstance(ask, str) else _page(store, reasons, ask) for ask in asks]


def describe(store: Store, reasons: RuleReasons, record: Record, case: CaseData | None = None) -> dict[str, Any]:
    """A recorded decision with its masked text, its evidence, and the caller's own data (None: it is read here).

    It has the parts that the answer to its request had (`policy_parts`). What it drew for an audit is not shown.
    """
    case = get_cases(store, [record.id]).get(record.id, CaseData()) if case is None else case
    answer = case.to_json() | without_draw(record.decided())
    try:
        answer |= reasons.parts(record.release, answer)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise unreadable(record.id, error) from None
    answer |= {"created": record.created, "text": record.text, "evidence": record.evidence}
    if record.text is not None:
        return answer
    if (held := get_waiting(store, record.id)) is not None:
        return answer | {"text": held.text, "evidence": held.evidence}
    erased = erased_at(store, record.id)
    return answer if erased is None else answer | {"erased": erased}


def _page(store: Store, reasons: RuleReasons, page: CasePage) -> dict[str, Any] | None:
    try:
        ids = decisions_of(store, page.ref, page.most + 1, page.after)
    except UsageError:
        return None
    cases = get_cases(store, ids)
    records = [record for identity in ids[: page.most] if (record := get_record(store, identity)) is not None]
    items = [describe(store, reasons, record, cases.get(record.id, CaseData())) for record in records]
    return {"items": items, "next": ids[page.most - 1] if len(ids) > page.most else None}
