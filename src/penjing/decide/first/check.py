"""Finds the problems of a table before anything starts: rows that never fire, contradictions, gaps. Exact, no sampling.

The analysis covers the facts of the answer (label × p × margin, or value × low × high × p) × the other facts that the
rules name. The values of a fact that has few, such as grades, and the order of `low`, `value` and `high` are known from
the task. For labels it covers the probabilities that can occur (top of L labels, margin to the second). Each phrase
is true or false independently, except that a text with a long phrase contains every shorter one inside it. Requests
without a field that a rule needs go to review and are not covered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from penjing.data.dates import written_at
from penjing.decide.first.cells import Contains, scale
from penjing.decide.first.space import OTHER, Axis, Box, Space, found_in
from penjing.decide.first.table import Rule, RuleTable
from penjing.decide.schema import FactSchema

SHOWN = 5


@dataclass(frozen=True)
class Finding:
    """One result: `rows` are row numbers of the file; an error refuses the table, a warning and an info do not."""

    level: Literal["error", "warning", "info"]
    kind: Literal["impossible", "contradiction", "unreachable", "overlap", "gap"]
    rows: tuple[int, ...]
    what: str
    where: str
    fix: str | None = None


def check(table: RuleTable) -> list[Finding]:
    """All findings, errors first. Raises RuleError if the table is too complex for an exact answer."""
    space = Space(table)
    boxes = [space.box(rule) for rule in table.rules]
    texts = [space.texts(rule) for rule in table.rules]
    found: list[Finding] = []
    for i, rule in enumerate(table.rules):
        if not space.occurs(boxes[i]):
            found.append(_impossible(table, rule))
        elif (by := _takers(table, space, boxes, texts[i], i)) is not None:
            twins = (j for j in by if table.rules[j].then != rule.then and _within(table, space, boxes, texts, j, i))
            twin = next((j for j in twins if _within(table, space, boxes, texts, i, j)), None)
            found.append(_unreachable(table, rule, by) if twin is None else _contradiction(table, twin, i))
    if not found:
        found += _overlaps(table, space, boxes, texts)
    found.append(_gap(table, space, boxes))
    return sorted(found, key=lambda each: ("error", "warning", "info").index(each.level))


def _takers(
    table: RuleTable, space: Space, boxes: Sequence[Box], texts: Sequence[frozenset[str]], i: int
) -> list[int] | None:
    """The earlier rows that take every case of row i, or None if it has cases of its own."""
    takers: set[int] = set()
    for text in texts:
        above = [j for j in range(i) if found_in(table.rules[j], text)]
        used: set[int] = set()
        if next(space.left(boxes[i], [boxes[j] for j in above], used), None) is not None:
            return None
        takers |= {above[each] for each in used}
    return sorted(takers)


def _within(
    table: RuleTable,
    space: Space,
    boxes: Sequence[Box],
    texts: Sequence[Sequence[frozenset[str]]],
    i: int,
    j: int,
) -> bool:
    """Whether every case of row i is a case of row j."""
    inside = next(space.left(boxes[i], [boxes[j]]), None) is None
    return inside and all(found_in(table.rules[j], text) for text in texts[i])


def _impossible(table: RuleTable, rule: Rule) -> Finding:
    return Finding(
        level="error",
        kind="impossible",
        rows=(rule.row,),
        what=f"row {rule.row} ({rule.name}) can never hold: {_never(table, rule)}",
        where=f"{table.path}:{rule.row}:1",
        fix=_why_impossible(table, rule),
    )


def _never(table: RuleTable, rule: Rule) -> str:
    """What cannot be: a condition that no value of its fact meets, else all conditions at once."""
    space = Space(table)
    for condition in rule.conditions:
        listed = table.schema.bounds.listed.get(condition.fact)
        if listed and not isinstance(condition.test, Contains) and not space.cells(condition):
            units = scale(table.schema.kinds()[condition.fact])
            known = ", ".join(_number(round(value * units), units) for value in sorted(listed))
            return f"`{condition.fact}` is always one of {known}, never `{condition.written}`"
    return f"{_conditions(rule)} never come together"


def _why_impossible(table: RuleTable, rule: Rule) -> str:
    labels = len(table.schema.labels)
    if labels and {condition.fact for condition in rule.conditions} & {"p", "margin"}:
        return f"with {labels} labels p is at least {1 / labels:.4g}, and the margin is at most p and at least 2p - 1"
    named = {condition.fact for condition in rule.conditions}
    if len(ordered := [fact for fact in table.schema.bounds.ordered if fact in named]) > 1:
        return f"it is always {' <= '.join(ordered)}: loosen one of the conditions, or delete the row"
    return "loosen one of the conditions, or delete the row"


def _unreachable(table: RuleTable, rule: Rule, by: Sequence[int]) -> Finding:
    rows = [table.rules[j].row for j in by]
    noun = _listed(rows) + (" decides" if len(rows) == 1 else " together decide")
    return Finding(
        level="error",
        kind="unreachable",
        rows=(rule.row, *rows),
        what=f"row {rule.row} ({rule.name}) can never fire: {noun} every such case before it",
        where=f"{table.path}:{rule.row}:1",
        fix=f"move it above row {rows[0]}, or delete it",
    )


def _contradiction(table: RuleTable, first: int, second: int) -> Finding:
    one, other = table.rules[first], table.rules[second]
    return Finding(
        level="error",
        kind="contradiction",
        rows=(one.row, other.row),
        what=f"rows {one.row} ({one.name}) and {other.row} ({other.name}) have the same conditions, "
        f"but lead to `{one.then}` and `{other.then}`",
        where=f"{table.path}:{other.row}:1",
        fix="keep one of them",
    )


def _overlaps(
    table: RuleTable, space: Space, boxes: Sequence[Box], texts: Sequence[Sequence[frozenset[str]]]
) -> list[Finding]:
    """For each row, the rows above it with another outcome that win when both hold, unless one contains the other."""
    found = []
    for j, rule in enumerate(table.rules):
        meet: dict[int, Box] = {}
        for i in range(j):
            both = tuple(a & b for a, b in zip(boxes[i], boxes[j], strict=True))
            # A narrow rule above a wide one is the usual form of an exception.
            elsewhere = table.rules[i].then != rule.then and space.occurs(both)
            if elsewhere and not _within(table, space, boxes, texts, i, j):
                meet[i] = both
        if meet:
            found.append(_overlap(table, space, rule, meet, texts[j]))
    return found


def _overlap(
    table: RuleTable, space: Space, rule: Rule, meet: dict[int, Box], texts: Sequence[frozenset[str]]
) -> Finding:
    first = table.rules[next(iter(meet))]
    rows = [table.rules[i].row for i in meet]
    text = space.texts(first)[0] | texts[0]
    phrases = [f"text contains {phrase}" for phrase in sorted(text)]
    example = [words for words in (in_words(meet[next(iter(meet))], space.axes, table.schema), *phrases) if words]
    what = (
        f"row {rule.row} ({rule.name}) leads to `{rule.then}`, but {_listed(rows)} above it "
        f"{'leads' if len(rows) == 1 else 'lead'} elsewhere and {'wins' if len(rows) == 1 else 'win'} where both hold, "
        f"e.g. row {first.row} ({first.name}, `{first.then}`) where {', '.join(example) or 'always'}"
    )
    fix = "move the row that must win to the top, or narrow one of them; if this is intended, change nothing"
    return Finding("warning", "overlap", (rule.row, *rows), what, f"{table.path}:{rule.row}:1", fix)


def _gap(table: RuleTable, space: Space, boxes: Sequence[Box]) -> Finding:
    """A text without phrases meets the fewest rules: if it is always decided, so is every other text."""
    spare = [box for box, rule in zip(boxes, table.rules, strict=True) if found_in(rule, ())]
    left = list(islice(space.left(space.whole, spare), SHOWN + 1))
    if not left:
        return Finding("warning", "gap", (), "the rules cover every case: the model alone decides none", table.path)
    words = [in_words(box, space.axes, table.schema) or "any case" for box in left[:SHOWN]]
    more = "; and others" if len(left) > SHOWN else ""
    none = ", where the text holds none of the phrases" if table.phrases else ""
    return Finding("info", "gap", (), f"no rule covers {'; '.join(words)}{more}{none}: the model decides", table.path)


def in_words(box: Box, axes: Sequence[Axis], schema: FactSchema) -> str:
    """A box in the notation of a rules file."""
    parts = [_part(axis, mask, schema) for axis, mask in zip(axes, box, strict=True) if mask != axis.full]
    return ", ".join(parts)


def _part(axis: Axis, mask: int, schema: FactSchema) -> str:
    if axis.values:
        taken = [value for i, value in enumerate(axis.values) if mask >> i & 1]
        rest = [value for value in axis.values if value not in taken]
        if len(rest) < len(taken) and OTHER not in rest:
            return f"{axis.fact} is not {' or '.join(rest)}"
        return f"{axis.fact} is {' or '.join(taken)}"
    kind = schema.kinds()[axis.fact]
    units = scale(kind)
    write = written_at if kind == "date" else lambda _, whole: _number(whole, units)
    spans: list[tuple[int | None, int | None]] = []
    for i, (low, high) in enumerate(axis.ranges):
        if mask >> i & 1:
            start = spans.pop()[0] if spans and i and mask >> (i - 1) & 1 else low
            spans.append((start, high))
    bottom, top = axis.ranges[0][0], axis.ranges[-1][1]
    return " or ".join(_span(axis.fact, low, high, bottom, top, write) for low, high in spans)


def _span(
    fact: str, low: int | None, high: int | None, bottom: int | None, top: int | None, write: Callable[[str, int], str]
) -> str:
    if low is not None and low == high:
        return f"{fact} = {write('=', low)}"
    above = None if low is None or low == bottom else _shorter(fact, (">=", low), (">", low - 1), write)
    below = None if high is None or high == top else _shorter(fact, ("<", high + 1), ("<=", high), write)
    return " and ".join(part for part in (above, below) if part) or f"any {fact}"


def _shorter(fact: str, one: tuple[str, int], other: tuple[str, int], write: Callable[[str, int], str]) -> str:
    words, others = (f"{fact} {operator} {write(operator, bound)}" for operator, bound in (one, other))
    return words if len(words) <= len(others) else others


def _number(whole: int, units: int) -> str:
    return f"{whole / units:.6f}".rstrip("0").rstrip(".") if units > 1 else str(whole)


def _conditions(rule: Rule) -> str:
    return " and ".join(f"`{each.fact} {each.written}`" for each in rule.conditions)


def _listed(rows: Sequence[int]) -> str:
    words = [str(row) for row in rows]
    return f"row {words[0]}" if len(words) == 1 else f"rows {', '.join(words[:-1])} and {words[-1]}"
