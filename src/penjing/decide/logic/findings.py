"""What the static check of rules finds, and the sentence of each kind of finding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from penjing.decide.condition import Contains, Matches, Rule, Starts, Then
from penjing.decide.ends import write_then
from penjing.decide.keywords import header_of
from penjing.decide.logic.rows import MadeCase, TableRows, ranges
from penjing.decide.logic.spans import bounded
from penjing.decide.logic.wording import conditions_of, example_of, number_of, rows_of
from penjing.decide.table import RuleTable

_MOST_LISTED = 20  # values of a fact in a sentence

Kind = Literal["impossible", "contradiction", "unreachable", "overlap", "gap", "undecided", "unused", "broad"]


@dataclass(frozen=True)
class Finding:
    """One result: `rows` are row numbers of the file; an error refuses the table, a warning and an info do not."""

    level: Literal["error", "warning", "info"]
    kind: Kind
    rows: tuple[int, ...]
    what: str
    where: str
    fix: str | None = None


def impossible(table: RuleTable, rows: TableRows, rule: Rule) -> Finding:
    """A row that holds of no case."""
    what = f"row {rule.row} ({rule.name}) can never hold: {_never(rows, rule)}"
    return Finding("error", "impossible", (rule.row,), what, _at(table, rule), _why_impossible(table, rule))


def unreachable(table: RuleTable, rule: Rule, by: Sequence[Rule], without: Sequence[str] = ()) -> Finding:
    """A row that decides no case, because rows before it do. without: the fields whose absence still leads to it."""
    noun = rows_of(by) + (" decides" if len(by) == 1 else " together decide")
    rows = (rule.row, *(each.row for each in by))
    if without:
        fields = ", ".join(f"`{field}`" for field in without)
        what = (
            f"row {rule.row} ({rule.name}) can only send cases without {fields} to a person: "
            f"{noun} every case in which it holds"
        )
        fix = f"{_before(table, rule, by)}, or delete it, or write `empty` under {fields} if this is meant"
        return Finding("error", "unreachable", rows, what, _at(table, rule), fix)
    what = f"row {rule.row} ({rule.name}) can never fire: {noun} every such case before it"
    return Finding("error", "unreachable", rows, what, _at(table, rule), f"{_before(table, rule, by)}, or delete it")


def contradiction(table: RuleTable, one: Rule, other: Rule) -> Finding:
    """Two rows with the same conditions and different ends."""
    what = (
        f"rows {one.row} ({one.name}) and {other.row} ({other.name}) have the same conditions, "
        f"but lead to `{_end(one.then)}` and `{_end(other.then)}`"
    )
    return Finding("error", "contradiction", (one.row, other.row), what, _at(table, other), "keep one of them")


def undecided(table: RuleTable, rule: Rule, case: MadeCase | None) -> Finding:
    """A row of which it is not known whether it ever fires. case: one that would do, if its patterns can be so."""
    if case is None:
        what = f"it is undecided whether row {rule.row} ({rule.name}) can ever fire: the search for a case was ended"
        fix = "split its conditions into several rows, or test it with a case that it should decide"
    else:
        patterns = ", ".join(f"`{each}`" for each in _supposed(case))
        what = (
            f"it is undecided whether row {rule.row} ({rule.name}) can ever fire: it depends on what {patterns} match"
        )
        fix = "test it with a case that it should decide, or write the words under `contains`"
    return Finding("warning", "undecided", (rule.row,), what, _at(table, rule), fix)


def overlap(table: RuleTable, rule: Rule, meet: Sequence[Rule], case: MadeCase, rows: TableRows) -> Finding:
    """A row that loses to rows above it with other ends where they hold too. case: one, of the first of them."""
    first = meet[0]
    one = len(meet) == 1
    what = (
        f"row {rule.row} ({rule.name}) leads to `{_end(rule.then)}`, but {rows_of(meet)} above it "
        f"{'leads' if one else 'lead'} elsewhere and {'wins' if one else 'win'} where both hold, "
        f"e.g. row {first.row} ({first.name}, `{_end(first.then)}`) where {example_of(case, rows, (first, rule))}"
    )
    fix = (
        f"move the row that must win above the other, or give it a larger `{_priority(table)}`, or narrow one of them; "
        "if this is intended, change nothing"
    )
    numbers = (rule.row, *(each.row for each in meet))
    return Finding("warning", "overlap", numbers, what, _at(table, rule), fix)


def may_overlap(table: RuleTable, rule: Rule, above: Rule, case: MadeCase) -> Finding:
    """Two rows that may hold together, which depends on patterns."""
    patterns = ", ".join(f"`{each}`" for each in _supposed(case))
    what = (
        f"row {rule.row} ({rule.name}) may overlap with row {above.row} ({above.name}, `{_end(above.then)}`) above it: "
        f"that is undecided, because it depends on what {patterns} match"
    )
    fix = f"if the row below must win, move it above the other, or give it a larger `{_priority(table)}`"
    return Finding("info", "undecided", (rule.row, above.row), what, _at(table, rule), fix)


def _before(table: RuleTable, rule: Rule, by: Sequence[Rule]) -> str:
    """What lets a row decide before others: rows of a larger priority come first wherever they are."""
    above = max(by, key=lambda each: each.priority)
    if above.priority == rule.priority:
        return f"move it above row {by[0].row}"
    return f"give it a `{_priority(table)}` larger than {above.priority:,}, which row {above.row} has"


def _priority(table: RuleTable) -> str:
    """How the priority of a rule is headed: where a declared field is named `priority`, by its other name."""
    return header_of("rule priority", "en", table.schema.fields)


def _end(then: Then) -> str:
    return write_then(then, "en")


def _at(table: RuleTable, rule: Rule) -> str:
    return f"{table.path}:{rule.row}:1"


def _supposed(case: MadeCase) -> list[str]:
    return [pattern for written in case.texts.values() for pattern in written.supposed]


def _never(rows: TableRows, rule: Rule) -> str:
    """What cannot be: a condition that no value of its fact meets, else all conditions at once."""
    for each in rule.conditions:
        points = rows.listed(each.fact) if each.fact in rows.schema.bounds.listed else ()
        if points and not isinstance(each.test, (Contains, Matches, Starts)):
            spans = bounded(ranges(each.test), rows.limits(each.fact))
            if not any(low <= point <= high for low, high in spans for point in points):
                known = _listing([number_of(point, rows.kinds[each.fact]) for point in points])
                return f"`{each.fact}` is always one of {known}, never `{each.written}`"
    if len(rule.conditions) == 1:
        return f"{conditions_of(rule)} is true of no case"
    return f"{conditions_of(rule)} never come together"


def _why_impossible(table: RuleTable, rule: Rule) -> str:
    labels = len(table.schema.labels)
    named = {condition.fact for condition in rule.conditions}
    if labels and named & {"p", "margin"}:
        return f"with {labels} labels p is at least {1 / labels:.4g}, and the margin is at most p and at least 2p - 1"
    if labels and any(fact.startswith("p.") for fact in named):
        return "the probabilities of all labels sum to 1, and `label` has the largest: loosen one of the conditions"
    counted = table.schema.bounds.counted
    if fact := next((fact for fact in counted if fact in named and not named.isdisjoint(counted[fact])), None):
        return f"`{fact}` is the number of the given labels: loosen one of the conditions, or delete the row"
    chains = ([fact for fact in chain if fact in named] for chain in table.schema.bounds.chains)
    if (chain := next((chain for chain in chains if len(chain) > 1), None)) is not None:
        return f"it is always {' <= '.join(chain)}: loosen one of the conditions, or delete the row"
    pieces = table.schema.bounds.pieces
    if (fact := next((fact for fact in pieces if fact in named and pieces[fact] in named), None)) is not None:
        number = pieces[fact]
        return f"`{fact}` is empty where `{number}` is 0: loosen one of the conditions, or delete the row"
    return "loosen one of the conditions, or delete the row"


def _listing(values: Sequence[str]) -> str:
    """Values in a sentence; of many the first and the last ones."""
    if len(values) <= _MOST_LISTED:
        return ", ".join(values)
    return ", ".join((*values[:2], "…", values[-1]))
