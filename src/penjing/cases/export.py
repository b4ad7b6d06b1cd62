"""Decisions as a table for other programs: CSV and workbooks that are safe in a spreadsheet, JSON lines, parquet.

Every row is a decision with its verdict and the caller's own columns. Rows are written as they are read, so that
memory does not grow with their number.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Row

from penjing.cases.rule_reasons import RuleReasons
from penjing.core.pair import split_texts, write_further
from penjing.data.formula_cells import defuse
from penjing.data.parquet import write_parquet
from penjing.data.workbook import open_workbook
from penjing.store.case_data import read_case
from penjing.store.database import Store
from penjing.store.exported import ExportPeriod, exported_rows, kept_names

Format = Literal["csv", "xlsx", "parquet", "jsonl"]
FORMATS: tuple[Format, ...] = ("csv", "xlsx", "parquet", "jsonl")
COLUMNS = (
    "id", "ref", "time", "release", "outcome", "route", "decided_by", "forced", "reason", "drawn", "p", "rules",
    "rule_why", "doubts", "queue", "fields", "text", "other", "verdict", "reviewer", "note", "closed",
)  # fmt: skip
CHINESE_COLUMNS = (
    "编号", "案件号", "时间", "发布包", "结果", "去向", "决定者", "规则指定", "原因", "抽中概率", "概率", "规则",
    "规则的理由", "存疑", "队列", "字段", "文本", "另一文本", "结论", "复核人", "备注", "结案时间",
)  # fmt: skip
_TYPED: dict[str, type] = {"p": float, "drawn": float, "forced": bool}
# More columns that were passed through are written as one column of JSON.
MOST_KEPT_COLUMNS = 100
Values = dict[str, Any]


def export_decisions(
    store: Store,
    file: Path,
    form: Format,
    period: ExportPeriod | None = None,
    unreadable: list[str] | None = None,
    columns: Sequence[str] = COLUMNS,
) -> int:
    """Write the decisions of a period, oldest first; returns how many.

    `rule_why` and `doubts` are as the service answers them, and empty where the release is not there any more.
    csv, xlsx: a cell that a spreadsheet would read as a formula gets an apostrophe; lists and objects are one cell.
    columns: their heading, COLUMNS or CHINESE_COLUMNS; the other formats, which programs read, have COLUMNS.
    jsonl: lists and objects as they are. parquet: needs polars. A record that cannot be read is left out, and its id
    goes to `unreadable`. Raises MissingPackageError, DataError (more than a workbook holds), OSError.
    """
    period, bad = period or ExportPeriod(), unreadable if unreadable is not None else []
    rows = _values(store, period, bad)
    if form == "jsonl":
        return _write_lines(file, rows)
    names = kept_names(store, period, MOST_KEPT_COLUMNS)
    kept = names if len(names) <= MOST_KEPT_COLUMNS else []
    table = _Table(kept, COLUMNS if form == "parquet" else columns, together=bool(names) and not kept)
    if form == "parquet":
        return write_parquet(file, table.header, _TYPED, map(table.plain, rows))
    return _WRITERS[form](file, table.header, map(table.safe, rows))


class _Table:
    """The columns of a table: those of every decision, then the ones that were passed through."""

    def __init__(self, kept: Sequence[str], columns: Sequence[str], *, together: bool) -> None:
        self._kept, self._together = kept, together
        # A name that is one of ours, or differs from it by case only, is marked.
        ours = {name.casefold() for name in (*COLUMNS, *columns)}
        named = [f"keep.{name}" if name.casefold() in ours else name for name in kept]
        self.header = [*columns, *named, *(["keep"] if together else [])]

    def plain(self, values: Values) -> list[Any]:
        """The cells of a decision, p and forced as they are, the others as texts."""
        keep = values.get("keep") or {}
        own = [values[name] if name in _TYPED else _text(values[name]) for name in COLUMNS]
        return [*own, *(_text(keep.get(name)) for name in self._kept), *([_text(keep)] if self._together else [])]

    def safe(self, values: Values) -> list[str]:
        """The same as texts that no spreadsheet reads as formulas."""
        return [defuse(_text(cell)) for cell in self.plain(values)]


def _values(store: Store, period: ExportPeriod, bad: list[str]) -> Iterator[Values]:
    reasons = RuleReasons(store)
    for row in exported_rows(store, period):
        try:
            yield _of(row, reasons)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            bad.append(str(row.id).encode("ascii", "backslashreplace").decode()[:64])


def _of(row: Row[Any], reasons: RuleReasons) -> Values:
    decided, case = json.loads(row.decision), read_case(row)
    parts = reasons.parts(row.release, decided)
    facts, kept = decided["facts"], row.text if row.text is not None else row.held
    text, *further = (None,) if kept is None else split_texts(kept)
    values = {
        "id": row.id,
        "ref": case.ref,
        "time": row.created,
        "release": row.release,
        "outcome": row.outcome,
        "route": row.route,
        "decided_by": decided["decided_by"],
        "forced": bool(decided["forced"]),
        "reason": decided["reason"],
        "drawn": _drawn(decided),
        "p": float(facts["p"]),
        "rules": list(decided.get("fired") or ()),
        "rule_why": parts.get("rule_why"),
        "doubts": parts.get("doubts") or {},
        "queue": decided.get("queue"),
        "fields": facts.get("fields") or {},
        "text": text,
        "other": write_further(further) if further else None,
        "verdict": row.verdict,
        "reviewer": row.reviewer,
        "note": row.note,
        "closed": row.closed,
        "keep": dict(case.keep),
    }
    json.dumps(values, ensure_ascii=False).encode()  # lone surrogates, bytes: changed outside Penjing
    return values


def _text(value: Any) -> str:
    if value is None or value in ([], {}):
        return ""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, Mapping) else str(value)


def _write_lines(file: Path, rows: Iterable[Values]) -> int:
    count = 0
    with file.open("w", encoding="utf-8", newline="\n") as target:
        for values in rows:
            target.write(json.dumps(values, ensure_ascii=False) + "\n")
            count += 1
    return count


def _write_csv(file: Path, header: Sequence[str], rows: Iterable[list[str]]) -> int:
    count = 0
    with file.open("w", encoding="utf-8-sig", newline="") as target:
        writer = csv.writer(target)
        writer.writerow([defuse(name) for name in header])
        for cells in rows:
            writer.writerow(cells)
            count += 1
    return count


def _write_xlsx(file: Path, header: Sequence[str], rows: Iterable[list[str]]) -> int:
    count = 0
    with open_workbook(file) as book:
        book.write([defuse(name) for name in header])
        for cells in rows:
            book.write(cells)
            count += 1
    return count


_WRITERS: dict[str, Callable[[Path, Sequence[str], Iterable[list[str]]], int]] = {
    "csv": _write_csv,
    "xlsx": _write_xlsx,
}


def _drawn(decided: Values) -> float | None:
    """The probability that a person was to look at such a decision, drawn or not; None where it is not recorded."""
    if decided["route"] == "review" and decided["reason"] != "audit":
        return 1.0
    share = decided["facts"].get("audit")
    return None if share is None else float(share["probability"])
