"""Audits: automatic decisions that were drawn for a person, with the verdicts, which alone estimate the error.

A case that the model or a rule sent to a person was selected because it is doubtful, so its verdict says nothing of the
automatic decisions. An audit was drawn by chance, and its probability is in its record (`facts.audit`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, func, select

from penjing.data.pair_text import shown_pair
from penjing.store.case_data import read_case
from penjing.store.case_file import open_case_file
from penjing.store.database import Store
from penjing.store.reviews import IS_AUDIT, Reads, in_one_cell, labels_in_one_cell, open_cases
from penjing.store.tables import decisions, reviews

COLUMNS = ("id", "ref", "time", "fields", "text", "labels", "verdict", "reviewer", "note")
CHINESE_COLUMNS = ("编号", "案件号", "时间", "字段", "文本", "可选结论", "结论", "复核人", "备注")


@dataclass(frozen=True)
class AuditedDecision:
    """An automatic decision that a person has judged.

    drawn: the probability with which it was drawn. wrong: whether the verdict is another outcome, as the task counts
    errors. forced: whether a rule set its outcome, which no certificate covers. decided, verdict: as recorded.
    """

    id: str
    release: str
    created: str
    drawn: float
    wrong: bool
    forced: bool
    decided: Mapping[str, Any]
    verdict: str


def closed_audits(store: Store, release: str | None = None) -> Iterator[AuditedDecision]:
    """Every audit with a verdict whose probability is recorded, in the order of the decisions; one for each case.

    Decisions on the same text and fields have one draw, so they are audited together or not at all, and count once.

    release: only those of the releases whose id begins so. One whose record cannot be read is left out; so is an audit
    of a task without labels whose release is not where it was in service, because the task decides what an error is.
    """
    query = (
        select(decisions.c.id, decisions.c.release, decisions.c.created, decisions.c.decision, reviews.c.verdict)
        .join(reviews, reviews.c.decision == decisions.c.id)
        .where(reviews.c.status == "done", IS_AUDIT, *_of(release))
        .order_by(decisions.c.created, decisions.c.id)
    )
    reads, seen = Reads(store), set[tuple[str, float]]()
    with store.read() as connection:
        for row in connection.execute(query):
            try:
                decided = json.loads(row.decision)
                facts = decided["facts"]
                if "audit" not in facts:
                    continue
                wrong = _is_wrong(decided, row.verdict, reads, row.release)
                drawn, forced = float(facts["audit"]["probability"]), bool(decided["forced"])
                case = row.release, float(facts["audit"]["draw"])
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                continue
            if wrong is not None and 0 < drawn <= 1 and case not in seen:
                seen.add(case)
                yield AuditedDecision(row.id, row.release, row.created, drawn, wrong, forced, decided, row.verdict)


def _of(release: str | None) -> list[ColumnElement[bool]]:
    return [decisions.c.release.startswith(release, autoescape=True)] if release else []


def least_share(store: Store, release: str | None = None) -> float | None:
    """The least probability of an audit of any release with decisions, whether or not one was drawn; None: unknown.

    A release audits with one probability, so its newest decision tells it. release: only releases whose id begins so.
    """
    newest = select(func.max(decisions.c.id)).group_by(decisions.c.release)
    if release:
        newest = newest.where(*_of(release))
    query = select(decisions.c.decision).where(decisions.c.id.in_(newest))
    found = []
    with store.read() as connection:
        for written in connection.execute(query).scalars():
            try:
                found.append(float(json.loads(written)["facts"]["audit"]["probability"]))
            except (ValueError, KeyError, TypeError):
                continue
    return min((share for share in found if 0 < share <= 1), default=None)


def _is_wrong(decided: dict[str, object], verdict: str, reads: Reads, release: str) -> bool | None:
    """Whether a verdict makes a decision an error; None if the task is needed and not at hand."""
    facts = decided["facts"]
    if isinstance(facts, dict) and ("label" in facts or decided["forced"]):
        return verdict != decided["outcome"]
    task = reads.task(release)
    if task is None or not isinstance(facts, dict):
        return None
    return any(unit.wrong for unit in task.units(facts, verdict))


def export_blind(
    store: Store,
    file: Path,
    columns: Sequence[str] = COLUMNS,
    unreadable: list[str] | None = None,
    *,
    workbook: bool = False,
) -> int:
    """Write the audits that wait, oldest first, as `case_file.py` describes; returns how many.

    The file has no outcome, probability, reason or rule: who knows what the model said agrees with it more often.
    `import_verdicts` reads it. columns: COLUMNS or CHINESE_COLUMNS. The id of a record that cannot be read goes to
    `unreadable`.
    """
    count = 0
    with store.read() as connection, open_case_file(file, workbook=workbook) as add:
        add(columns)
        for row in connection.execute(open_cases(IS_AUDIT)):
            try:
                fields = json.loads(row.decision)["facts"].get("fields") or {}
                text = shown_pair(row.text or row.held or "")
                cells = [row.id, read_case(row).ref or "", row.opened, in_one_cell(fields), text]
                cells += [labels_in_one_cell(row.prediction), "", "", ""]
                add(cells)
                count += 1
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                if unreadable is not None:
                    unreadable.append(row.id)
    return count


def count_audits(store: Store, release: str | None = None) -> tuple[int, int]:
    """The number of audits that wait for a verdict, and of all audits."""
    query = (
        select(reviews.c.status, func.count())
        .join(decisions, decisions.c.id == reviews.c.decision)
        .where(IS_AUDIT, *_of(release))
        .group_by(reviews.c.status)
    )
    with store.read() as connection:
        found = {status: int(count) for status, count in connection.execute(query)}
    return found.get("open", 0), sum(found.values())
