"""Cases that rules decide alone, without a model: which row decides, what was expected, which rows never decide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from penjing.core.errors import PenjingError, RequestError, RuleError, UsageError
from penjing.data.dates import parse_date
from penjing.data.fields import FieldError, match_names, parse_field
from penjing.data.fold import fold_name
from penjing.data.labels import match_label, nearest_label
from penjing.data.mask import open_masking
from penjing.decide.condition import Rule, Then
from penjing.decide.ends import parse_then, write_then
from penjing.decide.keywords import column_of
from penjing.decide.match import Match, Matcher
from penjing.decide.rules import join_faults
from penjing.decide.schema import OUT_OF_SCOPE, FactSchema, Kind
from penjing.decide.table import RuleTable

# Columns of a file of cases beside facts.
ROLES: Mapping[str, tuple[str, ...]] = {
    "expected": ("expected", "预期", "期望"),
    "rule": ("rule", "规则"),
    "time": ("time", "时间"),
}
NO_RULE = ("-", "none", "无")
OF_COLUMN = "give it a column of that name, with what the model would say"
OF_OPTION = "add it with what the model would say, such as --fact label=refund or --fact p=0.8"
_TYPES: Mapping[str, str] = {"unit": "float", "float": "float", "int": "int", "count": "int", "bool": "bool"}


@dataclass(frozen=True)
class RuleCase:
    """The facts of one case, as a decision records them, and what is expected: "" where it is not said."""

    where: str
    facts: Mapping[str, Any]
    expected: str = ""
    rule: str = ""


@dataclass(frozen=True)
class Ruled:
    """What the rules make of a case: the row that decides (None: none does), its end, the fields that it lacks."""

    rule: Rule | None
    then: Then
    absent: tuple[str, ...] = ()

    def in_words(self) -> str:
        """The end as a rules file writes it."""
        return write_then(self.then, "en")


@dataclass
class CasesResult:
    """The result of a file of cases: how often each row decided, and where something else was expected."""

    cases: int = 0
    fired: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    tested: int = 0


class RuleRunner:
    """Rules ready to decide cases. names: how files of rows call a fact, where they do not by its own name."""

    def __init__(self, table: RuleTable, names: Mapping[str, str] | None = None) -> None:
        self.table, self.names = table, names or {}
        self.matcher = Matcher(table.rules, table.schema, table.lists)
        used = dict.fromkeys(each.fact for rule in table.rules for each in rule.conditions)
        self.needed = [fact for fact in used if fact not in table.schema.fields]

    def decide(self, case: RuleCase) -> Ruled:
        """The row that decides, as in the service: fields that it needs and lacks send the case to a person."""
        found: Match | None = self.matcher.first(case.facts)
        if found is None:
            return Ruled(None, Then("model"))
        rule = self.table.rules[found.place]
        return Ruled(rule, Then("review") if found.absent else rule.then, found.absent)

    def read_all(self, rows: Iterable[tuple[int, Mapping[str, str]]], clock: str, file: str) -> list[RuleCase]:
        """The rows of a file of cases. Raises RuleError for all that cannot be read, with their rows."""
        cases: list[RuleCase] = []
        faults: dict[tuple[str, str | None], list[str]] = {}
        for row, cells in rows:
            try:
                cases.append(self.read(cells, clock, f"{file}:{row}"))
            except UsageError as error:
                faults.setdefault((error.what, error.fix), []).append(error.where or f"{file}:{row}")
        if faults:
            raise join_faults([_repeated(what, fix, places) for (what, fix), places in faults.items()])
        return cases

    def read(self, cells: Mapping[str, str], clock: str, where: str, *, how: str = OF_COLUMN) -> RuleCase:
        """A row of a file of cases. Raises RequestError, RuleError for a value that cannot be read or is needed.

        how: what to do about a fact that is not given.
        """
        schema, kinds = self.table.schema, self.table.schema.kinds()
        roles, facts = roles_of(tuple(cells), schema, self.names)
        given = {fact: cells[name].strip() for fact, name in facts.items()}
        own = {fact: _own(fact, given[fact], kinds[fact], schema, where) for fact in given if self._is_own(fact)}
        quoted = {fact: own.pop(fact, None) for fact in schema.quoted}
        masked = open_masking(schema.masking)(given.get("text", ""))
        missing = [each for each in self.needed if each not in given and not each.startswith("pii.")]
        missing = [each for each in missing if each not in ("too_long", OUT_OF_SCOPE, f"p.{own.get('label')}")]
        if missing:
            listed = ", ".join(f"`{each}`" for each in missing[:5])
            what = f"the rules need {listed}, which the case does not have"
            raise RequestError(what, where=where, fix=how)
        clock = cells[roles["time"]].strip() or clock if "time" in roles else clock
        if parse_date(clock) is None:
            fix = "write 2026-01-05, or 2026-01-05T10:30:00 with its time"
            raise RequestError(f"{clock[:40]!r} is not a time", where=where, fix=fix)
        found = {fact: value for fact, value in own.items() if "." not in fact or fact in schema.own}
        pii = dict(masked.counts) | {f.removeprefix("pii."): v for f, v in own.items() if f.startswith("pii.")}
        shares = {f.removeprefix("p."): v for f, v in own.items() if f.startswith("p.")}
        if "label" in own and "p" in own:
            shares.setdefault(str(own["label"]), own["p"])
        fields = schema.read({name: given[name] for name in schema.fields if given.get(name)}, where)
        text = {"text": self.matcher.seen(masked.text), "pii": pii, "probabilities": shares, "fields": fields}
        inside = {OUT_OF_SCOPE: False} if schema.scope else {}
        quotes = self.matcher.quoted(quoted)
        all_facts = {"too_long": False, **inside, **found, **quotes, **text, "clock": _moment(clock)}
        expected = cells[roles["expected"]].strip() if "expected" in roles else ""
        rule = cells[roles["rule"]].strip() if "rule" in roles else ""
        return RuleCase(where, all_facts, self._end(expected, where), rule)

    def run(self, cases: Iterable[RuleCase]) -> CasesResult:
        """Decide all cases, compare with what is expected, and count the rows that decided."""
        result = CasesResult()
        for case in cases:
            ruled = self.decide(case)
            result.cases += 1
            name = ruled.rule.name if ruled.rule else ""
            result.fired[name] += 1
            if case.expected or case.rule:
                result.tested += 1
                result.failures += _differs(case, ruled)
        return result

    def _is_own(self, fact: str) -> bool:
        return fact != "text" and fact not in self.table.schema.fields

    def _end(self, written: str, where: str) -> str:
        """What is expected as a rules file writes it; an outcome may be written alone."""
        if not written:
            return ""
        schema = self.table.schema
        try:
            return write_then(parse_then(written, schema, where), "en")
        except RuleError as error:
            try:
                outcome = schema.outcome(written)
            except PenjingError:
                outcome = None
            if outcome is None:
                raise error from None
            return write_then(Then("outcome", outcome), "en")


def _differs(case: RuleCase, ruled: Ruled) -> list[str]:
    """What is not as expected, as a sentence; nothing where all is."""
    rule, got, absent = ruled.rule, ruled.in_words(), ", ".join(f"`{each}`" for each in ruled.absent)
    if case.expected and case.expected != got:
        if rule is None:
            return [f"{case.where}: expected `{case.expected}`, got `{got}` by no row"]
        if absent:
            return [
                f"{case.where}: expected `{case.expected}`, got `{got}` by row {rule.row} ({rule.name}), "
                f"which needs {absent}, and the case has no value there"
            ]
        return [f"{case.where}: expected `{case.expected}`, got `{got}` by row {rule.row} ({rule.name})"]
    wanted = "" if case.rule in NO_RULE else case.rule
    if not case.rule or wanted == (rule.name if rule else ""):
        return []
    if rule is None:
        return [f"{case.where}: expected the rule `{case.rule}`, but no row decides"]
    if absent:
        return [
            f"{case.where}: expected the rule `{case.rule}`, but row {rule.row} ({rule.name}) decides: "
            f"it needs {absent}, and the case has no value there"
        ]
    return [f"{case.where}: expected the rule `{case.rule}`, but row {rule.row} ({rule.name}) decides"]


def _repeated(what: str, fix: str | None, places: Sequence[str]) -> RuleError:
    """One fault of several cases, at the first of them."""
    more = f", in {len(places) - 1:,} more cases too" if len(places) > 1 else ""
    return RuleError(f"{what}{more}", where=places[0], fix=fix)


def roles_of(
    header: Sequence[str], schema: FactSchema, names: Mapping[str, str] | None = None
) -> tuple[dict[str, str], dict[str, str]]:
    """(role -> column, fact -> column) of a file of cases; columns of other names are not read.

    names: a second name of a fact, which counts where the file has no column of its own name.
    """
    kinds = schema.kinds()
    roles: dict[str, str] = {}
    facts: dict[str, str] = {}
    for name in header:
        folded = fold_name(name)
        role = next((key for key, forms in ROLES.items() if folded in map(fold_name, forms)), None)
        fact = column_of(name, kinds)
        if fact in kinds:
            facts.setdefault(str(fact), name)
            if role == "time" and kinds[str(fact)] == "date":  # the field `time` is the time of a row everywhere
                roles.setdefault("time", name)
        elif role is not None:
            roles.setdefault(role, name)
    for fact, name in match_names(tuple(schema.fields), header).found.items():
        facts[fact] = name
    for fact, known in (names or {}).items():
        if found := match_names((known,), header).found:
            facts.setdefault(fact, found[known])
    return roles, facts


def _own(fact: str, written: str, kind: Kind, schema: FactSchema, where: str) -> Any:
    """The value of a fact that the model gives. Raises RequestError."""
    if fact in schema.pieces and not written:
        return None
    if kind == "label":
        found = match_label(written, schema.labels, schema.read_as)
        if found is None:
            fix = nearest_label(written, schema.labels)
            raise RequestError(f"unknown label {written[:80]!r}", where=where, fix=fix)
        return found
    if fact in schema.pieces and kind == "enum":
        if written not in schema.values(fact):
            fix = nearest_label(written, schema.values(fact))
            raise RequestError(f"unknown value {written[:80]!r} of `{fact}`", where=where, fix=fix)
        return written
    try:
        value = parse_field(written, _TYPES.get(kind, "str"))
    except FieldError as error:
        raise RequestError(f"the fact `{fact}` is {error.what}", where=where, fix=error.fix) from None
    if value is None:
        raise RequestError(f"the fact `{fact}` has no value", where=where, fix="fill the cell, or take the column out")
    if kind == "unit" and not 0 <= Decimal(str(value)) <= 1:
        raise RequestError(f"the fact `{fact}` is not between 0 and 1", where=where, fix="write 0.5 for 50 %")
    return value


def _moment(clock: str) -> str:
    found = str(parse_date(clock))
    return found if len(found) > 10 else f"{found}T00:00:00"
