"""Cases that wait for a person: exported to a CSV that is safe in a spreadsheet, and imported with verdicts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Connection, Row, Select, func, select, update

from penjing.core.alike import first_of_each
from penjing.core.answers import Choice
from penjing.core.canon import digest_file
from penjing.core.errors import DamageError, DataError, RequestError, StoreError, UsageError
from penjing.core.nouns import Release
from penjing.core.task import Task, read_words
from penjing.data.cells import Fault, refuse_unreadable
from penjing.data.fields import Names, match_header, unclear_names
from penjing.data.labels import match_label, nearest_label
from penjing.data.pair_text import shown_pair
from penjing.data.read import Reading, open_table
from penjing.store import audit
from penjing.store.case_data import read_case
from penjing.store.case_file import open_case_file
from penjing.store.chain import enter
from penjing.store.database import Store
from penjing.store.releases import open_recorded
from penjing.store.tables import case_data, decisions, now, reviews, waiting_texts
from penjing.store.verdict_places import AsRecorded, check_places
from penjing.store.waiting import blank_waiting
from penjing.tasks import task_of

COLUMNS = (
    "id", "ref", "time", "release", "queue", "outcome", "p", "reason", "because", "doubts", "rule", "why", "fields",
    "text", "evidence", "labels", "verdict", "reviewer", "note",
)  # fmt: skip
CHINESE_COLUMNS = (
    "编号", "案件号", "时间", "发布包", "队列", "结果", "概率", "原因", "说明", "存疑", "规则", "规则的理由", "字段",
    "文本", "依据", "可选结论", "结论", "复核人", "备注",
)  # fmt: skip
_GIVEN = ("id", "verdict", "reviewer", "note")
_READ = (*_GIVEN, "text")
_IN_CHINESE = dict(zip(COLUMNS, CHINESE_COLUMNS, strict=True))
# The reason is in the record. Searching its text is exact, because quotes inside a value are escaped.
IS_AUDIT = decisions.c.decision.contains('"reason":"audit"')


class Reasons(Protocol):
    """Why a case waits, from the id of the release and the decision."""

    def __call__(self, release: str, decided: Mapping[str, Any]) -> str:
        """The reasons of the rules that decided."""

    def doubts(self, release: str, decided: Mapping[str, Any]) -> str:
        """The parts of the answer that the model left open, each with its reason."""


@dataclass(frozen=True)
class Verdict:
    """The verdict of a person on a case; `row` is the row of the file, `text` what it says that the text is, or ""."""

    row: int
    decision: str
    label: str
    reviewer: str
    note: str
    text: str = ""


@dataclass(frozen=True)
class Imported:
    """The result of an import: verdicts recorded, rows without a verdict, rows whose verdict was recorded before."""

    recorded: int
    blank: int
    repeated: int


def open_labels(store: Store) -> list[str]:
    """The labels that a verdict may name: those of every release with open cases; none if answers are not one label."""
    newest = (
        select(func.max(decisions.c.id))
        .join(reviews, reviews.c.decision == decisions.c.id)
        .where(reviews.c.status == "open")
        .group_by(decisions.c.release)
    )
    query = select(decisions.c.prediction).where(decisions.c.id.in_(newest)).order_by(decisions.c.id)
    with store.read() as connection:
        found = [_described(written) for written in connection.execute(query).scalars()]
    return list(dict.fromkeys(label for kind, labels in found if kind == Choice.kind for label in labels))


def _described(prediction: Any) -> tuple[str, list[str]]:
    """The kind of a recorded answer, with its labels; ("", []) if it cannot be read."""
    try:
        found = json.loads(prediction)
        labels = found.get("labels", [])
        return str(found.get("kind", Choice.kind)), [str(label) for label in labels] if isinstance(labels, list) else []
    except (ValueError, AttributeError, TypeError, RecursionError):
        return "", []


def open_cases(kind: ColumnElement[bool]) -> Select[Any]:
    """The open cases of a kind, oldest first: their decision, the caller's data, and the text that is held for them."""
    return (
        select(
            *(reviews.c.opened, decisions, case_data.c.ref, case_data.c.keep),
            *(waiting_texts.c.text.label("held"), waiting_texts.c.evidence.label("held_evidence")),
        )
        .join(decisions, decisions.c.id == reviews.c.decision)
        .outerjoin(waiting_texts, waiting_texts.c.decision == decisions.c.id)
        .outerjoin(case_data, case_data.c.decision == decisions.c.id)
        .where(reviews.c.status == "open", kind)
        .order_by(reviews.c.opened, reviews.c.decision)
    )


def export_open(
    store: Store,
    file: Path,
    unreadable: list[str] | None = None,
    columns: Sequence[str] = COLUMNS,
    why: Reasons | None = None,
    because: Callable[[str, Mapping[str, Any], Mapping[str, Any] | None, str | None], str] | None = None,
    *,
    workbook: bool = False,
) -> int:
    """Write the open cases, oldest first, as `case_file.py` describes; returns how many.

    Audits are not among them: they are exported blind (`audits.export_blind`).

    columns: the heading, COLUMNS or CHINESE_COLUMNS; `import_verdicts` reads both. why: the reasons of the rules that
    decided and what the model left open, from the id of the release and the decision. because: why the case waits, from
    the same and its evidence.
    If the record of a case cannot be read, its id goes to `unreadable`; the other cases are written.
    """
    with store.read() as connection, open_case_file(file, workbook=workbook) as add:
        add(columns)
        count = 0
        bad = unreadable if unreadable is not None else []
        for row in connection.execute(open_cases(~IS_AUDIT)):
            try:
                add(_cells(row, why, because))
                count += 1
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                bad.append(str(row.id).encode("ascii", "backslashreplace").decode()[:64])
    return count


def _cells(
    row: Row[Any],
    why: Reasons | None,
    because: Callable[[str, Mapping[str, Any], Mapping[str, Any] | None, str | None], str] | None,
) -> list[object]:
    """The cells of an open case, in the order of COLUMNS."""
    decided = json.loads(row.decision)
    facts, rules = decided["facts"], decided.get("fired") or []
    written = row.evidence or row.held_evidence
    evidence = json.loads(written) if written else None
    spans = (evidence or {}).get("spans") or ()
    chosen = [span for span in spans if span.get("kind") == "word"] or spans  # clauses hold the words again
    words = ", ".join(dict.fromkeys(" ".join(str(span["text"]).split()) for span in chosen))
    cells = [row.id, read_case(row).ref or "", row.opened, row.release[:12], decided.get("queue") or "", row.outcome]
    cells += [
        facts.get("p", ""),
        decided["reason"],
        because(row.release, decided, evidence, row.text or row.held) if because else "",
        why.doubts(row.release, decided) if why else "",
    ]
    cells += [", ".join(rules), why(row.release, decided) if why else ""]
    cells += [in_one_cell(facts.get("fields") or {}), shown_pair(row.text or row.held or ""), words]
    return [*cells, labels_in_one_cell(row.prediction), "", "", ""]


def labels_in_one_cell(prediction: str) -> str:
    """The labels that a verdict may name."""
    return ", ".join(_described(prediction)[1])


def in_one_cell(fields: Mapping[str, Any]) -> str:
    """The fields that were given, as `amount: 30000; channel: web`."""
    given = {name: value for name, value in fields.items() if value is not None}
    whole = [name for name, value in given.items() if isinstance(value, float) and value.is_integer()]
    given |= {name: int(given[name]) for name in whole}
    return "; ".join(f"{name}: {value}" for name, value in given.items())


def import_verdicts(store: Store, file: Path, reading: Reading | None = None) -> Imported:
    """Import a file of `export_open` whose column `verdict` was filled in: all rows or none.

    It may be a workbook, or have another encoding or other delimiters, as spreadsheets save it.

    Raises DataError that lists the faulty rows: an unknown id, an outcome that the release does not have, places beyond
    the text of the case, a case that already has another verdict, two verdicts for one case.
    """
    blank = 0
    given: dict[str, Verdict] = {}
    faults: list[str] = []
    unread: list[Fault] = []
    for verdict in _read(file, reading, unread):
        if not verdict.label:
            blank += 1
        elif verdict.decision in given and given[verdict.decision].label != verdict.label:
            faults.append(f"row {verdict.row}: a second verdict for the case {verdict.decision[:64]}")
        else:
            given[verdict.decision] = verdict
    faults += [f"row {fault.row}: {fault.what}" for fault in unread]
    repeated, blanked = 0, False
    reads = Reads(store)
    with store.write() as connection:
        for written in given.values():
            verdict, fault, known = _check(connection, written, reads)
            if fault:
                faults.append(f"row {verdict.row}: {fault}")
            elif known:
                repeated += 1
            else:
                _close(connection, verdict)
        if faults:
            raise DataError(_listed(faults), where=str(file), fix="correct these rows and import the file again")
        recorded = len(given) - repeated
        if recorded:
            blanked = blank_waiting(connection, list(given))
            detail = {"file": digest_file(file), "recorded": recorded}
            audit.append(connection, "reviews imported", detail)
    if blanked:
        with suppress(StoreError):  # another program reads the database: its log is emptied later
            store.compact()
    return Imported(recorded, blank, repeated)


def verdicts(store: Store) -> Iterator[tuple[str, str]]:
    """(masked text, outcome of the verdict) of every closed case whose text was kept, as training data."""
    query = (
        select(decisions.c.text, reviews.c.verdict)
        .join(decisions, decisions.c.id == reviews.c.decision)
        .where(reviews.c.status == "done", decisions.c.text.is_not(None))
        .order_by(reviews.c.closed, reviews.c.decision)
    )
    with store.read() as connection:
        rows = connection.execute(query).all()
    yield from ((row.text, row.verdict) for row in rows)


def _read(file: Path, reading: Reading | None, faults: list[Fault]) -> Iterator[Verdict]:
    opened = open_table(file, reading, ("id", "verdict"), exported=True)
    for number, row in opened.rows(faults):
        names = _names(tuple(row))
        if names.unclear:
            what, fix = unclear_names(names.unclear)
            raise DataError(what, where=str(file), fix=fix)
        missing = [name for name in ("id", "verdict") if name not in names.found]
        if missing:
            listed = ", ".join(f"`{name[:60]}`" for name in list(row)[:20])
            raise DataError(
                f"the column `{missing[0]}` is missing; the columns are {listed}",
                where=str(file),
                fix="`penjing review export FILE` writes the columns " + ", ".join(COLUMNS),
            )
        if odd := refuse_unreadable(row, [names.found[name] for name in _GIVEN if name in names.found], number):
            faults.append(odd)
            continue
        cells = {name: row.get(names.found.get(name, ""), "").strip() for name in _READ}
        yield Verdict(number, cells["id"], cells["verdict"], cells["reviewer"], cells["note"], cells["text"])


def _names(header: tuple[str, ...]) -> Names:
    """The columns that are read, by their English names, else by their Chinese ones."""
    english, chinese = match_header(_READ, header), match_header(tuple(_IN_CHINESE[name] for name in _READ), header)
    found, unclear = dict(english.found), dict(english.unclear)
    for name in english.absent:
        written = _IN_CHINESE[name]
        found |= {name: chinese.found[written]} if written in chinese.found else {}
        unclear |= {written: chinese.unclear[written]} if written in chinese.unclear else {}
    return Names(found, unclear, tuple(name for name in _READ if name not in found))


def _check(connection: Connection, verdict: Verdict, reads: Reads) -> tuple[Verdict, str | None, bool]:
    """(the verdict as the release writes its outcomes, fault or None, whether the same verdict was recorded before)."""
    query = (
        select(
            *(reviews.c.status, reviews.c.verdict, decisions.c.prediction, decisions.c.outcome, decisions.c.release),
            *(decisions.c.text, waiting_texts.c.text.label("held")),
        )
        .join(decisions, decisions.c.id == reviews.c.decision)
        .outerjoin(waiting_texts, waiting_texts.c.decision == decisions.c.id)
        .where(reviews.c.decision == verdict.decision)
    )
    row = connection.execute(query).first()
    if row is None:
        return verdict, f"no case {verdict.decision[:64]!r} was ever sent to review", False
    try:
        label = _canonical(verdict, row, reads)
    except (RequestError, DataError) as error:
        return verdict, error.what, False
    verdict = replace(verdict, label=label)
    if row.status == "done" and row.verdict != verdict.label:
        return verdict, f"the case {verdict.decision} was closed before as {row.verdict!r}", False
    return verdict, None, row.status == "done"


def _canonical(verdict: Verdict, row: Any, reads: Reads) -> str:
    """A verdict as the release writes its outcomes. Raises RequestError or DataError with a complete `what`."""
    written = verdict.label
    kind, labels = _described(row.prediction)
    if kind == Choice.kind:
        labels = list(dict.fromkeys((*labels, row.outcome)))
    if not kind or (kind == Choice.kind and len(labels) < 2):
        raise DataError("its record cannot be read: `penjing verify` says what was changed outside Penjing")
    if kind == Choice.kind:
        # The record names the labels; the folder of the release is needed only for other words.
        label = written if written in labels else match_label(written, labels, reads.of(row.release))
        if label is None:
            known, near = ", ".join(labels[:20]), nearest_label(written, labels)
            what = f"{written[:64]!r} is not a label of this release"
            if near.startswith("did you mean"):  # else it lists the labels
                what = f"{written[:64]!r} is not a label of this release ({near})"
            raise DataError(f"{what}; it has {known}")
        return label
    task = reads.task(row.release)
    if task is None:
        raise DataError(
            f"the release {row.release[:12]} is needed to read this verdict, but it is not where it was in service: "
            "put its folder back there"
        )
    text = row.text or row.held
    try:
        read = task.read(read_words(task, written.strip(), reads.of(row.release)), AsRecorded(text) if text else None)
    except DataError as error:
        fix = f" ({error.fix})" if error.fix else ""
        raise DataError(f"{written[:64]!r} is no answer of this release: {error.what}{fix}") from None
    if text and verdict.text and read != row.outcome and written.lstrip().startswith(("[", "{")):
        check_places(task, read, text, verdict.text)
    return read


class Reads:
    """The reading of verdicts by release, from the folder of the release if it is still there."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, Release | None] = {}

    def of(self, release: str) -> Mapping[str, str]:
        """The words that this release reads as its labels."""
        found = self._open(release)
        return found.info.labels_read_as if found else {}

    def task(self, release: str) -> Task | None:
        """The task of this release."""
        found = self._open(release)
        return task_of(found.artifact.card) if found else None

    def _open(self, release: str) -> Release | None:
        if release not in self._known:
            try:
                self._known[release] = open_recorded(self._store, release)
            except (UsageError, DamageError):
                self._known[release] = None
        return self._known[release]


def _close(connection: Connection, verdict: Verdict) -> None:
    values = {"status": "done", "closed": now(), "verdict": verdict.label}
    values |= {"reviewer": verdict.reviewer, "note": verdict.note}
    connection.execute(update(reviews).where(reviews.c.decision == verdict.decision).values(**values))
    enter(connection, "verdict", [{"decision": verdict.decision, **values}])


def _listed(faults: list[str]) -> str:
    return "\n  ".join(["nothing was imported:", *first_of_each(faults)])
