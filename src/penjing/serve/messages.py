"""The messages between the service and the process of its slow lanes. They are JSON, so no message can run code."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from penjing.cases.record import Answer, Ask
from penjing.cases.replay_record import ReplayAsk
from penjing.core import errors
from penjing.core.errors import PenjingError
from penjing.explain.budget import EvidenceBudget
from penjing.store.chain import Entry
from penjing.store.records import Record, restore_prepared
from penjing.store.waiting import PreparedWaiting


def ask_to_json(ask: Ask) -> dict[str, Any]:
    """Plain values of an ask and its budget; the answer returns how much of the budget was spent."""
    return {
        "text": ask.text,
        "fields": ask.fields,
        "evidence": ask.evidence,
        "decide": ask.decide,
        "index": ask.index,
        "count": ask.count,
        "counterfactual": ask.counterfactual,
        "about": ask.about,
        "budget": None if ask.budget is None else asdict(ask.budget),
    }


def ask_from_json(value: Mapping[str, Any]) -> Ask:
    """The ask of these values."""
    budget = value["budget"]
    return Ask(**{**value, "budget": None if budget is None else EvidenceBudget(**budget)})


def answer_to_json(answer: Answer) -> dict[str, Any]:
    """Plain values of an answer, with the record and the chain entries of its prepared record."""
    made: dict[str, Any] = {"shown": answer.shown, "decided_by": answer.decided_by}
    if answer.record is not None:
        entries = [_entry_to_json(one) for one in answer.record.entries]
        made |= {"record": _record_to_json(answer.record.record), "entries": entries}
        if (held := answer.record.waiting) is not None:
            made["waiting"] = [dict(held.row), _entry_to_json(held.entry)]
    return made


def answer_from_json(value: Mapping[str, Any]) -> Answer:
    """The answer of these values."""
    record = None
    if "record" in value:
        held = value.get("waiting")
        waiting = None if held is None else PreparedWaiting(held[0], _entry_from_json(held[1]))
        entries = [_entry_from_json(one) for one in value["entries"]]
        record = restore_prepared(Record(**value["record"]), entries, waiting)
    return Answer(value["shown"], record, value["decided_by"])


def _entry_to_json(entry: Entry) -> list[str]:
    return [entry.kind, entry.row, entry.digests.hex(), entry.salt.hex()]


def _entry_from_json(value: Sequence[str]) -> Entry:
    kind, row, digests, salt = value
    return Entry(kind, row, bytes.fromhex(digests), bytes.fromhex(salt))


def replay_ask_to_json(ask: ReplayAsk) -> dict[str, Any]:
    """Plain values of a record to be replayed."""
    return {"record": _record_to_json(ask.record), "erased": ask.erased}


def replay_ask_from_json(value: Mapping[str, Any]) -> ReplayAsk:
    """The record to be replayed of these values."""
    return ReplayAsk(Record(**value["record"]), value["erased"])


def _record_to_json(record: Record) -> dict[str, Any]:
    """Plain values of a record."""
    return {name: getattr(record, name) for name in record.__dataclass_fields__}


def error_to_json(error: PenjingError) -> dict[str, Any]:
    """Plain values of an error."""
    return {"kind": type(error).__name__, "what": error.what, "where": error.where, "fix": error.fix}


def error_from_json(value: Mapping[str, Any]) -> PenjingError:
    """The error of these values, of the class of core/errors.py that it had."""
    kind = getattr(errors, value["kind"], None)
    known = kind if isinstance(kind, type) and issubclass(kind, PenjingError) else PenjingError
    return known(value["what"], where=value["where"], fix=value["fix"])


def encode(message: Mapping[str, Any] | Sequence[Any]) -> bytes:
    """A message as ASCII bytes, so that a lone surrogate is kept."""
    return json.dumps(message, separators=(",", ":")).encode("ascii")


def decode(raw: bytes) -> Any:
    """The message of these bytes."""
    return json.loads(raw)
