"""Rules that decide none of some labelled rows, and rules that decide more than half of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from penjing.decide.logic.findings import Finding
from penjing.decide.table import RuleTable

Part = Literal["validation", "test", "labelled"]
SHOWN = 20  # rows of one finding
# Of fewer rows it says nothing that a rule decides none of them.
LEAST = 30


def names_fired(table: RuleTable, facts: Iterable[Mapping[str, Any]]) -> list[str]:
    """Of each row of recorded facts the name of the rule that decides it, "" where none does."""
    found = (table.first(each) for each in facts)
    return ["" if one is None else one[0].name for one in found]


def count_fired(fired: Sequence[Sequence[str]]) -> dict[str, tuple[int, int]]:
    """By the name of each rule that decides a row: how many it decides, and of how many.

    fired: of each period between the dates of rules the names as `names_fired` gives them; the period in which a rule
    decides the largest share counts.
    """
    found: dict[str, tuple[int, int]] = {}
    for names in fired:
        for name, number in Counter(filter(None, names)).items():
            before = found.get(name, (0, 1))
            if number * before[1] > before[0] * len(names):
                found[name] = number, len(names)
    return found


def check_fired(table: RuleTable, fired: Sequence[Sequence[str]], part: Part) -> list[Finding]:
    """Warnings about rules that decide none of some rows, or more than half of them.

    fired: as of `count_fired`. part: which rows these are.
    """
    rows = max(map(len, fired), default=0)
    if rows < LEAST:
        return []
    count = count_fired(fired)
    found = []
    for rule in table.rules:
        decided, of = count.get(rule.name, (0, rows))
        if decided * 2 > of >= LEAST:
            what = f"row {rule.row} ({rule.name}) decides {decided:,} of {of:,} {part} rows"
            fix = "check whether its conditions are wider than meant; if this is intended, change nothing"
            found.append(Finding("warning", "broad", (rule.row,), what, f"{table.path}:{rule.row}:1", fix))
    unused = sorted(rule.row for rule in table.rules if rule.name not in count)
    if unused:
        numbers = ", ".join(map(str, unused[:SHOWN])) + (f" and {len(unused) - SHOWN:,} more" if unused[SHOWN:] else "")
        what = f"none of {rows:,} {part} rows is decided by row {numbers}"
        fix = "check their words and bounds with `penjing rules test`; rows for rare cases may stay"
        found.append(Finding("warning", "unused", tuple(unused), what, f"{table.path}:{unused[0]}:1", fix))
    return found
