"""Rules file (CSV) -> RuleTable: every unknown name, label and type is refused with its row and column."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

from penjing.core.errors import RequestError, RuleError
from penjing.core.options import nearest
from penjing.data.clean import clean
from penjing.data.fields import match_names
from penjing.data.fold import fold_name
from penjing.decide.first.cells import contains_word, parse_cell
from penjing.decide.first.check import Finding, check
from penjing.decide.first.foreign import refuse_foreign
from penjing.decide.first.table import Condition, Rule, RuleTable
from penjing.decide.schema import FactSchema, Kind

MAX_RULES = 1_000
MAX_BYTES = 2_000_000
_SHOWN = 10  # faults of one file that are shown
_MARKS = (",", ";", "\t", "|")
_NAMED = re.compile(r"sep=(\W)", re.IGNORECASE)
_HEADINGS = {"name", "label", "p", "text", "then", "why"}
_REVIEW_WORDS = {"review", "人工", "转人工", "人工处理", "人工审核", "复核", "审核"}


def load_rules(path: Path, schema: FactSchema, *, sealed: bool = False) -> RuleTable:
    """Read and check a rules file: UTF-8, GB18030 or UTF-16 with a mark; commas, semicolons or tabs.

    sealed: the rules of a release, in which cells of another syntax keep the meaning that was proven, and whose logic
    was checked when they were sealed: a later check that finds more does not refuse them.
    Raises RuleError: FILE:ROW:COLUMN of an unknown name or value, or the rows that contradict or can never fire.
    Warnings and gaps are found by `check.check`.
    """
    if sealed:
        return read_rules(path, schema, sealed=True)
    table, faults, _ = examine_rules(path, schema)
    if table is None or faults:
        raise join_faults(faults)
    return table


def examine_rules(path: Path, schema: FactSchema) -> tuple[RuleTable | None, list[RuleError], list[Finding]]:
    """The table (None if a cell cannot be read), every fault of cells and of logic, and the findings of `check`."""
    faults: list[RuleError] = []
    try:
        table = read_rules(path, schema, faults)
        if faults:
            return None, faults, []
        findings = check(table)
    except RuleError as error:
        return None, [*faults, error], []
    errors = [RuleError(each.what, where=each.where, fix=each.fix) for each in findings if each.level == "error"]
    return table, errors, findings


def join_faults(faults: Sequence[RuleError]) -> RuleError:
    """One error for all faults of a file: the first in full, and one line for each other."""
    first, others = faults[0], faults[1:_SHOWN]
    more = "".join(f"\n  {each.where}: {each.what} ({each.fix})" for each in others)
    if len(faults) > _SHOWN:
        more += f"\n  and {len(faults) - _SHOWN} more"
    return RuleError(first.what + more, where=first.where, fix=first.fix)


def read_rules(
    path: Path, schema: FactSchema, faults: list[RuleError] | None = None, *, sealed: bool = False
) -> RuleTable:
    """The table, with its logic not checked yet. If `faults` is given, wrong rows are added to it and skipped."""
    raw, lines = _lines(path)
    top = next(place for place, line in enumerate(lines) if line) if not lines[0] else 0
    columns = _columns(path, [cell.strip() for cell in lines[top]], schema, faults)
    rules: list[Rule] = []
    for number, line in enumerate(lines[top + 1 :], start=top + 2):
        if any(cell.strip() for cell in line):
            wrong: list[RuleError] = []
            rule = _rule((path, number), line, columns, schema, wrong, sealed=sealed)
            if wrong and faults is None:
                raise wrong[0]
            if faults is not None:
                faults += wrong
            if rule is not None:
                rules.append(rule)
    if len(rules) > MAX_RULES:
        fix = "join rows with `in a|b`, or split the service"
        raise RuleError(f"{len(rules):,} rules; at most {MAX_RULES:,} can be checked", where=str(path), fix=fix)
    seen: dict[str, int] = {}
    for rule in rules:
        if rule.name in seen:
            what = f"two rules have the name {rule.name[:80]!r}: rows {seen[rule.name]} and {rule.row}"
            raise RuleError(what, where=f"{path}:{rule.row}:1", fix="give each rule a name of its own")
        seen[rule.name] = rule.row
    return RuleTable(path=str(path), schema=schema, rules=tuple(rules), raw=raw)


def _lines(path: Path) -> tuple[bytes, list[list[str]]]:
    try:
        raw = path.read_bytes()
    except (FileNotFoundError, IsADirectoryError):
        fix = "`penjing init` writes a rules.csv to begin with"
        raise RuleError("no such rules file", where=str(path), fix=fix) from None
    if len(raw) > MAX_BYTES:
        raise RuleError(f"the file has {len(raw):,} bytes; at most {MAX_BYTES:,}", where=str(path))
    if raw.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise RuleError("this is a workbook", where=str(path), fix="save the sheet with the rules as CSV UTF-8")
    text = _decode(raw, path)
    if "\0" in text:
        raise RuleError("there is a NUL character in the file", where=str(path), fix="save it again as CSV UTF-8")
    delimiter, named = _delimiter(text)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter))
    except csv.Error as error:
        raise RuleError(f"not valid CSV: {error}", where=str(path), fix="save the sheet again as CSV UTF-8") from None
    if named:
        lines[:1] = [[]]  # the line that names the delimiter; row numbers do not change
    if not any(any(cell.strip() for cell in line) for line in lines):
        raise RuleError("the file is empty", where=str(path), fix="begin with the line `name,label,p,text,then,why`")
    return raw, lines


def _delimiter(text: str) -> tuple[str, bool]:
    """The delimiter, and whether a first line `sep=;` names it. It is the one with which the heading is recognised.

    In countries that write 0,5 spreadsheets use semicolons; `Unicode text` uses tabs.
    """
    first, _, rest = text.partition("\n")
    if found := _NAMED.fullmatch(first.strip()):
        return found[1], True
    heading = first if first.strip() else next((line for line in rest.splitlines() if line.strip()), "")
    counts = {mark: sum(fold_name(cell.strip(' "')) in _HEADINGS for cell in heading.split(mark)) for mark in _MARKS}
    return max(_MARKS, key=lambda mark: counts[mark]), False


def _decode(raw: bytes, path: Path) -> str:
    encodings = ("utf-16",) if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise RuleError("the file is neither UTF-8 nor GB18030", where=str(path), fix="save it as CSV UTF-8")


def _columns(
    path: Path, header: list[str], schema: FactSchema, faults: list[RuleError] | None
) -> list[tuple[str, Kind | None]]:
    """Name of each column with its kind; None for name, then, why, an empty heading, and one in `faults`."""
    kinds = schema.kinds()
    words = ("name", "then", "why")
    near = {given: name for name, given in match_names((*words, *kinds), header).found.items()}
    header = [near.get(name, name) for name in header]
    columns: list[tuple[str, Kind | None]] = []
    for number, name in enumerate(header, start=1):
        where = f"{path}:1:{number}"
        if name and name not in kinds and name not in words:
            hint = nearest(name, [*words, *kinds])
            if len(header) == 1 and any(mark in name for mark in "，；、"):
                hint = "separate the columns by commas: save the sheet as CSV UTF-8"
            if fold_name(name) == "label":
                hint = "the answers of this task are no labels: write `value`" if "value" in kinds else hint
            elif "did you mean" not in hint and "commas" not in hint:
                hint = f"declare it under `data:` in the recipe, `fields: {{{name[:40]}: str}}`; {hint}"
            error = RuleError(f"unknown column `{name[:80]}`", where=where, fix=hint)
            if faults is None or len(header) == 1:
                raise error
            faults.append(error)
        # Two columns `text` are two phrases that must both occur; any other name twice is a mistake.
        if name and name != "text" and name in header[: number - 1]:
            raise RuleError(f"the column `{name}` occurs twice", where=where, fix="join the two columns")
        columns.append((name, kinds.get(name)))
    for needed in ("name", "then"):
        if needed not in header:
            fix = f"add it; the present heading is: {', '.join(header)}"
            raise RuleError(f"the column `{needed}` is missing", where=f"{path}:1:1", fix=fix)
    return columns


def _rule(
    place: tuple[Path, int],
    line: list[str],
    columns: list[tuple[str, Kind | None]],
    schema: FactSchema,
    faults: list[RuleError],
    *,
    sealed: bool,
) -> Rule | None:
    """The row at `place` (file and row); None where a cell is wrong: every wrong one is added to `faults`."""
    path, row = place
    special: dict[str, tuple[str, int]] = {}
    conditions: list[Condition] = []
    for number, cell in enumerate(line, start=1):
        where = f"{path}:{row}:{number}"
        name, kind = columns[number - 1] if number <= len(columns) else ("", None)
        try:
            if not name:
                _refuse_headless(cell, where)
            elif kind is None:
                special[name] = (_clean(cell, where), number)
            else:
                if not sealed:
                    refuse_foreign(cell, name, kind, schema, where)
                if (test := parse_cell(cell, name, kind, schema, where)) is not None:
                    conditions.append(Condition(fact=name, test=test, written=cell.strip()))
        except RuleError as error:
            faults.append(error)
    rule, number = special.get("name", ("", 1))
    if not rule:
        fix = "name it: the name is in every trace"
        faults.append(RuleError("the rule has no name", where=f"{path}:{row}:{number}", fix=fix))
    then, number = special.get("then", ("", 1))
    outcome = None
    try:
        outcome = _then(then, f"{path}:{row}:{number} (column `then`)", schema)
    except RuleError as error:
        faults.append(error)
    if faults:
        return None
    return Rule(name=rule, row=row, conditions=tuple(conditions), outcome=outcome, why=special.get("why", ("", 0))[0])


def _refuse_headless(cell: str, where: str) -> None:
    if cell.strip():
        fix = "give the column a heading; a cell with a comma in it needs quotes"
        raise RuleError(f"the cell {cell.strip()[:40]!r} has no heading", where=where, fix=fix)


def _clean(cell: str, where: str) -> str:
    try:
        return clean(cell)
    except RequestError as error:
        raise RuleError(error.what, where=where, fix=error.fix) from None


def _then(written: str, where: str, schema: FactSchema) -> str | None:
    word, label = contains_word(written) if written else ("", "")
    if word == "review" and not label.strip():
        return None
    if word != "outcome" or not label.strip():
        fix = f"write `review` or `outcome {'LABEL' if schema.labels else 'VALUE'}`"
        if written.strip().lower() in _REVIEW_WORDS:
            fix = "write `review`"
        elif meant := schema.outcome(re.sub(r"^outcome\s*[:=：＝]\s*", "", written)):
            fix = f"write `outcome {meant}`"
        what = f"a rule cannot lead to {written[:80]!r}" if written else "nothing follows"
        raise RuleError(what, where=where, fix=fix)
    found = schema.outcome(label.strip())
    if found is None:
        noun = "label" if schema.labels else "outcome"
        raise RuleError(f"unknown {noun} {label.strip()[:80]!r}", where=where, fix=schema.nearest_outcome(label))
    return found
