"""A rules file of the second edition -> RuleTable: every fault of it at once, each with its row and column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from penjing.core.errors import RequestError, RuleError
from penjing.data.clean import clean
from penjing.data.dates import parse_date
from penjing.data.fields import parse_number
from penjing.data.fold import fold_name
from penjing.decide.cells import parse_cell
from penjing.decide.clock import local_span
from penjing.decide.condition import Condition, Rule, Then
from penjing.decide.ends import parse_then
from penjing.decide.foreign import refuse_foreign
from penjing.decide.grid import read_grid
from penjing.decide.headings import hint_of
from penjing.decide.keywords import COLUMNS, FACTS, column_of, special_of
from penjing.decide.schema import FactSchema, Kind
from penjing.decide.table import RuleTable, in_order
from penjing.decide.wordlists import Lists

MAX_RULES = 10_000
MAX_BYTES = 10_000_000
MAX_NAME = 200  # characters of a name, an owner
MAX_WHY = 2_000
MAX_PRIORITY = 1_000_000
SHOWN = 200  # faults of one file in one message
_UNKNOWN = "\0"  # a column whose heading is a fault of its own


def read_rules(path: Path, schema: FactSchema, *, sealed: bool = False) -> RuleTable:
    """The table, with its logic not checked yet.

    sealed: the rules of a release, in which a cell that looks like another syntax keeps the meaning that was proven.
    Raises RuleError for the first fault, with a line for each other one.
    """
    faults: list[RuleError] = []
    table = parse_rules(path, schema, faults, sealed=sealed)
    if faults:
        raise join_faults(faults)
    return table


def join_faults(faults: Sequence[RuleError]) -> RuleError:
    """One error for all faults of a file: each with its place and its fix, in the order of the file."""
    shown = faults[:SHOWN]
    if len(shown) == 1:
        return shown[0]
    last, more = shown[-1], len(faults) - len(shown)
    lines = [str(each) for each in shown[:-1]] + ([str(last)] if more else [f"{last.where}: {last.what}"])
    fix = last.fix
    if more:
        lines.append(f"{more:,} more faults are not shown")
        fix = "`penjing rules check --json` lists them all"
    text = "\n".join(lines)
    return RuleError(text.removeprefix(f"{shown[0].where}: "), where=shown[0].where, fix=fix)


def parse_rules(path: Path, schema: FactSchema, faults: list[RuleError], *, sealed: bool = False) -> RuleTable:
    """The table of the rows that can be read; what is wrong in the others is added to `faults`.

    Raises RuleError where nothing can be read: no file, no heading.
    """
    kinds = schema.kinds()
    grid = read_grid(path, _headings(kinds), MAX_BYTES, sealed=sealed)
    top = next(place for place, line in enumerate(grid.lines) if any(cell.strip() for cell in line))
    columns = _columns(path, top + 1, grid.lines[top:], schema, faults)
    reader = _Rows(path, columns, schema, Lists(path, schema, sealed=sealed), sealed, grid.mark)
    rules: list[Rule] = []
    for number, line in enumerate(grid.lines[top + 1 :], start=top + 2):
        if any(cell.strip() for cell in line):
            rule = reader.read(number, line, faults)
            rules += [] if rule is None else [rule]
            if len(rules) > MAX_RULES:
                fix = "join rows with `in a|b`, or move words into a list: `in @NAME`"
                raise RuleError(f"more than {MAX_RULES:,} rules", where=f"{path}:{number}:1", fix=fix)
    names: dict[str, int] = {}
    for rule in rules:
        if rule.name in names:
            what = f"two rules have the name {rule.name[:80]!r}: rows {names[rule.name]} and {rule.row}"
            fix = "give each rule a name of its own"
            faults.append(RuleError(what, where=f"{path}:{rule.row}:1", fix=fix))
        names.setdefault(rule.name, rule.row)
    named = tuple(name for name in columns if name)
    lists = dict(sorted(reader.lists.used.items()))
    return RuleTable(str(path), schema, in_order(tuple(rules)), lists, grid.raw, named)


def _headings(kinds: dict[str, Kind]) -> set[str]:
    forms = [form for words in (*COLUMNS.values(), *FACTS.values()) for form in (*words.en, *words.zh)]
    return {fold_name(name) for name in (*forms, *kinds)}


def _columns(
    path: Path, row: int, lines: Sequence[Sequence[str]], schema: FactSchema, faults: list[RuleError]
) -> list[str]:
    """The column that each heading means; "" for an empty heading, _UNKNOWN for one in `faults`. lines: from it on."""
    header, kinds = lines[0], schema.kinds()
    for name in schema.fields:
        if name.startswith("p.") and name.removeprefix("p.") in schema.labels:
            what = f"the field `{name}` has the name of a fact: the probability of a label"
            raise RuleError(what, where=str(path), fix="give the field another name in the recipe")
    columns: list[str] = []
    for number, cell in enumerate(header, start=1):
        where, written = f"{path}:{row}:{number}", cell.strip().lstrip("\ufeff")
        column = column_of(written, kinds) if written else ""
        if column is None:
            cells = [line[number - 1] for line in lines[1:] if len(line) >= number]
            fix = hint_of(written, header, cells, schema)
            error = RuleError(f"unknown column `{written[:80]}`", where=where, fix=fix)
            if len(header) == 1:
                raise error
            faults.append(error)
        elif special_of(column, kinds) and column in columns:
            raise RuleError(f"the column `{column}` occurs twice", where=where, fix="join the two columns")
        columns.append(_UNKNOWN if column is None else column)
    for needed in ("name", "then"):
        if needed not in {special_of(column, kinds) for column in columns}:
            fix = f"add it; the present heading is: {', '.join(cell.strip() for cell in header)[:200]}"
            raise RuleError(f"the column `{needed}` is missing", where=f"{path}:{row}:1", fix=fix)
    return columns


@dataclass
class _Rows:
    """The reader of the rows of one file."""

    path: Path
    columns: Sequence[str]
    schema: FactSchema
    lists: Lists
    sealed: bool
    mark: str
    kinds: dict[str, Kind] = field(init=False)

    def __post_init__(self) -> None:
        self.kinds = self.schema.kinds()

    def read(self, row: int, line: Sequence[str], faults: list[RuleError]) -> Rule | None:
        """One row; None where a cell is wrong: every wrong one is added to `faults`."""
        if self.mark and (surplus := self._surplus(row, line)):
            faults.append(surplus)
            return None
        return self._read(row, line, faults, sealed=self.sealed)

    def _read(self, row: int, line: Sequence[str], faults: list[RuleError], *, sealed: bool) -> Rule | None:
        wrong: list[RuleError] = []
        special: dict[str, str] = {}
        conditions: list[Condition] = []
        for number, cell in enumerate(line, start=1):
            column = self.columns[number - 1] if number <= len(self.columns) else ""
            if column == _UNKNOWN:
                continue
            try:
                if not column:
                    self._refuse_headless(cell, self._at(row, number))
                elif name := special_of(column, self.kinds):
                    special[name] = _clean(cell, self._at(row, number))
                else:
                    conditions += self._condition(cell, column, self._at(row, number), sealed=sealed)
            except RuleError as error:
                wrong.append(error)
        rule = self._rule(row, conditions, special, wrong)
        faults += wrong
        return rule

    def _surplus(self, row: int, line: Sequence[str]) -> RuleError | None:
        """A row with more cells than headings: a cell with the mark in it has no quotes. Its cells are shifted."""
        filled = max((number for number, cell in enumerate(line, start=1) if cell.strip()), default=0)
        over, mark = filled - len(self.columns), "tab" if self.mark == "\t" else self.mark
        if over <= 0:
            return None
        what = f"the row has {filled} cells, and the heading {len(self.columns)}: `{mark}` in a cell divides the cell"
        joined = [self._joined(line[:filled], place, over) for place in range(len(self.columns))]
        right = [place for place, each in enumerate(joined) if self._fits(row, each)]
        if len(right) != 1:
            fix = f"put each cell with `{mark}` in it into double quotes, or give the column a heading"
            return RuleError(what, where=self._at(row, len(self.columns) + 1), fix=fix)
        cell = joined[right[0]][right[0]].strip()[:80]
        return RuleError(what, where=self._at(row, right[0] + 1), fix=f'put the cell into double quotes: `"{cell}"`')

    def _joined(self, line: Sequence[str], place: int, over: int) -> list[str]:
        return [*line[:place], self.mark.join(line[place : place + over + 1]), *line[place + over + 1 :]]

    def _fits(self, row: int, line: Sequence[str]) -> bool:
        wrong: list[RuleError] = []
        self._read(row, line, wrong, sealed=True)
        return not wrong

    def _condition(self, cell: str, fact: str, where: str, *, sealed: bool) -> list[Condition]:
        kind = self.kinds[fact]
        if not sealed:
            _refuse_invisible(cell, f"{where} (column `{fact}`)")
            refuse_foreign(cell, fact, kind, self.schema, where)
        test = parse_cell(cell, fact, kind, self.schema, self.lists, where)
        return [] if test is None else [Condition(fact, test, cell.strip())]

    def _rule(
        self, row: int, conditions: list[Condition], special: dict[str, str], wrong: list[RuleError]
    ) -> Rule | None:
        then, priority = Then("review"), 0
        dates: tuple[int | None, int | None] = (None, None)
        try:
            self._check_name(row, special)
        except RuleError as error:
            wrong.append(error)
        try:
            then = parse_then(special.get("then", ""), self.schema, self._of(row, "then"))
        except RuleError as error:
            wrong.append(error)
        try:
            priority = _priority(special.get("priority", ""), self._of(row, "priority"))
        except RuleError as error:
            wrong.append(error)
        try:
            dates = self._dates(row, special)
        except RuleError as error:
            wrong.append(error)
        if wrong:
            return None
        return Rule(
            name=special["name"],
            row=row,
            conditions=tuple(conditions),
            then=then,
            why=special.get("why", ""),
            priority=priority,
            owner=special.get("owner", ""),
            valid_from=dates[0],
            valid_to=dates[1],
        )

    def _check_name(self, row: int, special: dict[str, str]) -> None:
        if not special.get("name"):
            fix = "name it: the name is in every trace"
            raise RuleError("the rule has no name", where=self._of(row, "name", column=False), fix=fix)
        for column, most in (("name", MAX_NAME), ("owner", MAX_NAME), ("why", MAX_WHY)):
            if len(special.get(column, "")) > most:
                what = f"`{column}` has {len(special[column]):,} characters; at most {most:,}"
                raise RuleError(what, where=self._of(row, column, column=False), fix="shorten it")

    def _dates(self, row: int, special: dict[str, str]) -> tuple[int | None, int | None]:
        bounds: list[int | None] = []
        for place, column in enumerate(("valid_from", "valid_to")):
            written = special.get(column, "")
            found = parse_date(written) if written else None
            if written and found is None:
                fix = "write the day as `2026-01-05`, or a time as `2026-01-05T12:00`"
                raise RuleError(f"{written[:40]!r} is not a date", where=self._of(row, column), fix=fix)
            bounds.append(None if found is None else local_span(found, self.schema.zone)[place])
        first, last = bounds
        if first is not None and last is not None and first > last:
            what = "the rule ends before it begins"
            raise RuleError(what, where=self._of(row, "valid_to"), fix="correct one of the two dates")
        return first, last

    def _at(self, row: int, number: int) -> str:
        return f"{self.path}:{row}:{number}"

    def _of(self, row: int, name: str, *, column: bool = True) -> str:
        special = [special_of(each, self.kinds) for each in self.columns]
        number = special.index(name) + 1 if name in special else 1
        return f"{self._at(row, number)} (column `{name}`)" if column else self._at(row, number)

    def _refuse_headless(self, cell: str, where: str) -> None:
        if cell.strip():
            fix = "give the column a heading; a cell with a comma in it needs quotes"
            raise RuleError(f"the cell {cell.strip()[:40]!r} has no heading", where=where, fix=fix)


def _refuse_invisible(cell: str, where: str) -> None:
    """Raise RuleError for a cell that only looks empty: its row would never hold."""
    if cell.strip() and not _clean(cell, where).strip():
        shown = ", ".join(f"U+{ord(each):04X}" for each in dict.fromkeys(cell.strip()))
        raise RuleError(f"the cell looks empty, and holds {shown[:60]}", where=where, fix="empty the cell")


def _priority(written: str, where: str) -> int:
    number = parse_number(written) if written else None
    if written and (number is None or number != number.to_integral_value() or abs(number) > MAX_PRIORITY):
        fix = f"write a whole number, at most {MAX_PRIORITY:,}: larger ones decide first, an empty cell is 0"
        raise RuleError(f"{written[:40]!r} is no priority", where=where, fix=fix)
    return 0 if number is None else int(number)


def _clean(cell: str, where: str) -> str:
    try:
        return clean(cell)
    except RequestError as error:
        raise RuleError(error.what, where=where, fix=error.fix) from None
