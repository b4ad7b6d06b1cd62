"""RuleTable -> a rules file in English or Chinese keywords: what `penjing rules fmt` writes.

Words, values, numbers and patterns stay as they are written; only headers and keywords change. The file that is written
is read as the same rules.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from penjing.data.clean import clean
from penjing.data.dates import written_at
from penjing.data.fold import fold_width
from penjing.decide.cells import truth_of
from penjing.decide.condition import Condition, Rule
from penjing.decide.ends import write_then
from penjing.decide.grid import to_csv
from penjing.decide.keywords import COMPARISONS, DAYS, TRUTH, Language, header_of, special_of, split_form
from penjing.decide.quantities import NUMERIC, SIGNS, split_days
from penjing.decide.schema import FactSchema, Kind
from penjing.decide.table import RuleTable

_SIGN = re.compile("|".join(map(re.escape, SIGNS)))


def write_rules(table: RuleTable, language: Language) -> str:
    """The rules as CSV with commas, in the order of the rows and the columns of the file."""
    columns = _columns(table)
    lines: list[Sequence[str]] = [[header_of(column, language, tuple(table.schema.fields)) for column in columns]]
    for rule in sorted(table.rules, key=lambda each: each.row):
        left = list(rule.conditions)
        lines.append([_cell(column, rule, left, table.schema, language) for column in columns])
        assert not left
    return to_csv(lines)


def write_cell(written: str, fact: str, kind: Kind, schema: FactSchema, language: Language) -> str:
    """A cell that can be read, in the keywords of a language."""
    written = clean(written.strip())
    if not written or written in schema.values(fact):
        return written
    plain = fold_width(written)
    if kind == "bool":
        return _write_truth(written, language)
    if kind == "date" and (days := split_days(plain)) is not None:
        negated, side, count = days
        return DAYS[negated, side].of(language)[0].format(count)
    form = split_form(written, joined=kind == "text" or kind in NUMERIC)
    quantity = kind in NUMERIC or kind == "date"
    rest = _SIGN.sub(lambda found: SIGNS[found[0]], fold_width(form.rest)) if quantity else form.rest
    if not form.key:
        return rest
    if form.key == "=" and quantity:
        return rest
    word = COMPARISONS[form.key].of(language)[0]
    if form.key in ("=", "!=") and language == "en":
        return f"{word}{rest}"
    return f"{word} {rest}".strip()


def _write_truth(written: str, language: Language) -> str:
    form = split_form(written)
    if form.key in ("empty", "not empty"):
        return COMPARISONS[form.key].of(language)[0]
    value = truth_of(form.rest)
    word = form.rest if value is None else TRUTH[value].of(language)[0]
    if form.key != "!=":
        return word
    return f"!={word}" if language == "en" else f"{COMPARISONS['!='].zh[0]} {word}"


def _columns(table: RuleTable) -> list[str]:
    """The columns of the file, else those that the rules need."""
    if table.columns:
        return list(table.columns)
    kinds = table.schema.kinds()
    used = {
        "priority": any(rule.priority for rule in table.rules),
        "owner": any(rule.owner for rule in table.rules),
        "valid_from": any(rule.valid_from is not None for rule in table.rules),
        "valid_to": any(rule.valid_to is not None for rule in table.rules),
    }
    facts: list[str] = []
    for fact in kinds:
        most = max((sum(each.fact == fact for each in rule.conditions) for rule in table.rules), default=0)
        facts += [fact] * most
    special = [name if name not in kinds else f"rule {name}" for name, needed in used.items() if needed]
    return ["name", *facts, *special, "then", "why"]


def _cell(column: str, rule: Rule, left: list[Condition], schema: FactSchema, language: Language) -> str:
    kinds = schema.kinds()
    name = special_of(column, kinds)
    if not name:
        found = next((each for each in left if each.fact == column), None)
        if found is None:
            return ""
        left.remove(found)
        return write_cell(found.written, column, kinds[column], schema, language)
    return {
        "name": rule.name,
        "then": write_then(rule.then, language),
        "why": rule.why,
        "priority": str(rule.priority) if rule.priority else "",
        "owner": rule.owner,
        "valid_from": "" if rule.valid_from is None else written_at(">=", rule.valid_from),
        "valid_to": "" if rule.valid_to is None else written_at("<=", rule.valid_to),
    }[name]
