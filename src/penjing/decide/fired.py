"""Rules that decide none of some labelled rows, and rules that decide more than half of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from penjing.decide.logic.findings import Finding
from penjing.decide.table import RuleTable

SHOWN = 20  # rows of one finding
# Of fewer rows it says nothing that a rule decides none of them.
LEAST = 30


def check_fired(table: RuleTable, fired: Sequence[str], rows: str) -> list[Finding]:
    """Warnings about rules that decide none of some rows, or more than half of them.

    fired: of each row the name of the rule that decided it, "" where none did. rows: what these rows are called, such
    as `validation rows`.
    """
    if len(fired) < LEAST:
        return []
    count = Counter(fired)
    found = []
    for rule in table.rules:
        if count[rule.name] * 2 > len(fired):
            what = f"row {rule.row} ({rule.name}) decides {count[rule.name]:,} of {len(fired):,} {rows}"
            fix = "check whether its conditions are wider than meant; if this is intended, change nothing"
            found.append(Finding("warning", "broad", (rule.row,), what, f"{table.path}:{rule.row}:1", fix))
    unused = sorted(rule.row for rule in table.rules if not count[rule.name])
    if unused:
        numbers = ", ".join(map(str, unused[:SHOWN])) + (f" and {len(unused) - SHOWN:,} more" if unused[SHOWN:] else "")
        what = f"none of {len(fired):,} {rows} is decided by row {numbers}"
        fix = "check their words and bounds with `penjing rules test`; rows for rare cases may stay"
        found.append(Finding("warning", "unused", tuple(unused), what, f"{table.path}:{unused[0]}:1", fix))
    return found
