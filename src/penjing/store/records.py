"""Decisions as they were made: written once, read by id or in the order of time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select, tuple_

from penjing.core.answers import Choice, Number, UnknownKindError, answer_from_json, answer_to_json
from penjing.core.canon import canonical_json
from penjing.core.errors import DamageError
from penjing.core.formats import NEWER
from penjing.core.nouns import Decision, Prediction
from penjing.store.bulk import insert_rows
from penjing.store.case_data import CaseData, PreparedCase, prepare_case, write_cases
from penjing.store.chain import Entry, enter_entries, entry_of
from penjing.store.database import Store
from penjing.store.tables import decisions, now, reviews
from penjing.store.waiting import PreparedWaiting, WaitingText, prepare_waiting, write_waiting

_PAGE = 500
# Parts of a recorded prediction beside its answer.
_SCOPE = {"far": (int, float), "out_of_scope": (bool,)}
_BESIDE = {"artifact", "too_long", *_SCOPE}


@dataclass(frozen=True)
class Record:
    """A decision with all that a replay needs.

    decision: canonical JSON, byte for byte; text: masked, or None if texts are not kept; prediction: canonical JSON
    of artifact, answer (core/answers.py; its numbers rounded to 1e-6), too_long, and where the release has a scope far
    and out_of_scope; fingerprint: the properties of
    the machine and the engine on which the numbers depend; evidence: the evidence that was shown, or None;
    created: UTC, "2026-01-31T23:59:59.000000Z".
    """

    id: str
    release: str
    created: str
    route: str
    outcome: str
    text: str | None
    decision: str
    prediction: str
    fingerprint: Mapping[str, str]
    evidence: Mapping[str, Any] | None = None

    def decided(self) -> dict[str, Any]:
        """The decision as plain values, as `Decision.to_json` gave them."""
        value: dict[str, Any] = json.loads(self.decision)
        return value

    def predicted(self) -> Prediction:
        """The prediction on which the decision is based."""
        value = json.loads(self.prediction)
        scope = {name: value[name] for name in _SCOPE if name in value}
        return Prediction(value["artifact"], answer_from_json(_answer(value)), value["too_long"], **scope)


def make_record(
    decision: Decision,
    prediction: Prediction,
    text: str | None,
    fingerprint: Mapping[str, str],
    evidence: Mapping[str, Any] | None = None,
) -> Record:
    """The record of a decision made now."""
    predicted = {
        "artifact": prediction.artifact,
        **answer_to_json(prediction.answer),
        "too_long": prediction.too_long,
        **prediction.scope,
    }
    return Record(
        id=decision.id,
        release=decision.release,
        created=now(),
        route=decision.route,
        outcome=decision.outcome,
        text=text,
        decision=canonical_json(decision.to_json()).decode(),
        prediction=canonical_json(predicted).decode(),
        fingerprint=dict(fingerprint),
        evidence=evidence,
    )


@dataclass(frozen=True)
class PreparedRecord:
    """A record with its rows and entries, made before the transaction to keep the transaction short.

    row, review: rows of the tables; review is None if the route opens none. entries: those of the chain.
    waiting: the text that is kept until the verdict, where the record has none; case: the caller's own data.
    """

    record: Record
    row: Mapping[str, Any]
    review: Mapping[str, Any] | None
    entries: tuple[Entry, ...]
    waiting: PreparedWaiting | None = None
    case: PreparedCase | None = None

    def with_case(self, case: CaseData) -> PreparedRecord:
        """The same with the caller's own data."""
        return replace(self, case=prepare_case(self.record.id, self.record.created, case)) if case else self


def prepare_record(record: Record, waiting: WaitingText | None = None) -> PreparedRecord:
    """The rows of a record, with a review if its route opens one, and their entries under new salts.

    waiting: the text of a case for a person, where the record keeps none.
    """
    row, review = _rows(record)
    entries = (entry_of("decision", row), *([] if review is None else [entry_of("review", review)]))
    held = None if waiting is None or review is None else prepare_waiting(record.id, waiting)
    return PreparedRecord(record, row, review, entries, held)


def restore_prepared(
    record: Record, entries: Sequence[Entry], waiting: PreparedWaiting | None = None
) -> PreparedRecord:
    """A prepared record whose entries were made elsewhere."""
    return PreparedRecord(record, *_rows(record), tuple(entries), waiting)


def write_prepared(connection: Connection, prepared: Sequence[PreparedRecord]) -> None:
    """Add prepared records, in the caller's transaction."""
    insert_rows(connection, decisions, [one.row for one in prepared])
    insert_rows(connection, reviews, [one.review for one in prepared if one.review is not None])
    if prepared:
        enter_entries(connection, [entry for one in prepared for entry in one.entries])
    write_waiting(connection, [one.waiting for one in prepared if one.waiting is not None])
    write_cases(connection, [one.case for one in prepared if one.case is not None])


def get_record(store: Store, identity: str) -> Record | None:
    """The record with this id, or None. Raises DamageError if it cannot be read."""
    with store.read() as connection:
        row = connection.execute(select(decisions).where(decisions.c.id == identity)).first()
    return _record(row) if row else None


def scan_records(store: Store, *, release: str | None = None, since: str | None = None) -> Iterator[Record]:
    """All records, oldest first, page by page, so that it needs little memory and holds no lock. Optionally only those
    of one release, or from a time on (UTC, as `Record.created`)."""
    base = select(decisions)
    if release is not None:
        base = base.where(decisions.c.release == release)
    if since is not None:
        base = base.where(decisions.c.created >= since)
    yield from map(_record, _in_order(store, base))


def ids_of(store: Store, release: str) -> Iterator[str]:
    """The ids of the decisions of a release, oldest first, page by page. Unreadable records do not stop it."""
    base = select(decisions.c.created, decisions.c.id).where(decisions.c.release == release)
    yield from (row.id for row in _in_order(store, base))


def _in_order(store: Store, query: Select[Any]) -> Iterator[Row[Any]]:
    """The rows of a query over decisions, oldest first, each page in a transaction of its own."""
    order = (decisions.c.created, decisions.c.id)
    first = page = query.order_by(*order).limit(_PAGE)
    while True:
        with store.read() as connection:
            rows = connection.execute(page).all()
        yield from rows
        if len(rows) < _PAGE:
            return
        page = first.where(tuple_(*order) > tuple_(rows[-1].created, rows[-1].id))


def count_records(store: Store) -> dict[str, int]:
    """How many decisions there are by route: {"automatic": n, "review": n}."""
    with store.read() as connection:
        rows = connection.execute(select(decisions.c.route, func.count()).group_by(decisions.c.route)).all()
    return {"automatic": 0, "review": 0} | {row[0]: row[1] for row in rows}


def releases_of(store: Store) -> dict[str, int]:
    """The ids of the releases that decided, each with the number of its decisions."""
    with store.read() as connection:
        query = select(decisions.c.release, func.count()).group_by(decisions.c.release).order_by(decisions.c.release)
        return {row[0]: row[1] for row in connection.execute(query)}


def _rows(record: Record) -> tuple[dict[str, Any], dict[str, Any] | None]:
    row = {
        "id": record.id,
        "release": record.release,
        "created": record.created,
        "route": record.route,
        "outcome": record.outcome,
        "text": record.text,
        "decision": record.decision,
        "prediction": record.prediction,
        "fingerprint": canonical_json(dict(record.fingerprint)).decode(),
        "evidence": None if record.evidence is None else canonical_json(dict(record.evidence)).decode(),
    }
    opens = record.route == "review"
    return row, {"decision": record.id, "status": "open", "opened": record.created} if opens else None


def _record(row: Row[Any]) -> Record:
    """The record of a row. Raises DamageError that names the record if a part cannot be read."""
    try:
        record = Record(
            id=_text(row.id),
            release=_text(row.release),
            created=_text(row.created),
            route=_text(row.route),
            outcome=_text(row.outcome),
            text=None if row.text is None else _text(row.text),
            decision=_text(row.decision),
            prediction=_text(row.prediction),
            fingerprint=_object(row.fingerprint),
            evidence=None if row.evidence is None else _object(row.evidence),
        )
        _check(record)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise unreadable(str(row.id), error) from None
    return record


def unreadable(identity: str, error: Exception) -> DamageError:
    """The error for a record that was changed outside Penjing, or has an answer of a kind that is not known here."""
    shown_id = identity.encode("ascii", "backslashreplace").decode()[:64]
    if isinstance(error, UnknownKindError):
        return DamageError(
            f"the record {shown_id} holds an answer that this version of penjing cannot read: {error}", fix=NEWER
        )
    return DamageError(
        f"the record {shown_id} cannot be read: it was changed outside Penjing ({type(error).__name__})",
        fix="`penjing verify` says what was changed; compare the database with a backup",
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    value.encode()  # bytes that are not UTF-8 were read as lone surrogates
    return value


def _object(written: Any) -> dict[str, Any]:
    value = json.loads(_text(written), parse_constant=_no_number)
    if not isinstance(value, dict):
        raise TypeError("no object")
    canonical_json(value)  # lone surrogates that were written as escapes
    return value


def _no_number(name: str) -> float:
    raise ValueError(name)


def _check(record: Record) -> None:
    """Raise if a part does not have the form that replays and answers need."""
    facts = _object(record.decision)["facts"]
    found = _object(record.prediction)
    whole = (
        isinstance(facts, dict)
        and isinstance(facts["p"], int | float)
        and isinstance(found["artifact"], str)
        and isinstance(found["too_long"], bool)
        and ("far" in found) == ("out_of_scope" in found)
        and all(type(found[name]) in types for name, types in _SCOPE.items() if name in found)
        and _is_whole(found)
        and all(isinstance(value, str) for value in record.fingerprint.values())
    )
    if not whole:
        raise ValueError("another form")


def _answer(prediction: Mapping[str, Any]) -> dict[str, Any]:
    """The answer alone of a recorded prediction."""
    return {name: part for name, part in prediction.items() if name not in _BESIDE}


def _is_whole(prediction: Mapping[str, Any]) -> bool:
    """Whether a recorded answer has the form of its kind. Raises as `answer_from_json`."""
    written = _answer(prediction)
    answer = answer_from_json(written)
    if answer_to_json(answer) != written:
        return False
    if isinstance(answer, Number):
        return all(type(value) in {int, float} for value in astuple(answer))
    if not isinstance(answer, Choice):
        return True
    return (
        isinstance(written["labels"], list)
        and isinstance(written["probabilities"], list)
        and len(answer.labels) > 0
        and all(isinstance(label, str) for label in answer.labels)
        and all(type(p) in {int, float} for p in answer.probabilities)
    )
