"""The rules in a report: each as it is written with the test rows that it decided, and the warnings of their check."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from penjing.core.zone import UTC
from penjing.data.dates import written_at
from penjing.decide.check import check
from penjing.decide.ends import write_then
from penjing.decide.fired import check_fired, count_fired
from penjing.decide.keywords import Language, end_in, fact_in
from penjing.decide.table import RuleTable
from penjing.report.contract import RuleFinding, RuleRow, RulesPart

# More rules are counted on the page, not listed.
LISTED = 100


def rules_part(table: RuleTable | None, fired: Sequence[Sequence[str]] = ()) -> RulesPart | None:
    """The part of a report; None without rules. fired: of the test rows, as of `count_fired`."""
    if table is None or not table.rules:
        return None
    count = count_fired(fired)
    rows = tuple(
        RuleRow(
            row=rule.row,
            name=rule.name,
            conditions=tuple((each.fact, each.written) for each in rule.conditions),
            then=write_then(rule.then, "en"),
            why=rule.why,
            decided=count.get(rule.name, (0, 0))[0] if fired else None,
            priority=rule.priority,
            owner=rule.owner,
            valid_from="" if rule.valid_from is None else written_at(">=", rule.valid_from),
            valid_to="" if rule.valid_to is None else written_at("<=", rule.valid_to),
        )
        for rule in table.rules
    )
    warnings = [each for each in check(table) if each.level == "warning"] + check_fired(table, fired, "test")
    findings = tuple(RuleFinding(what=each.what, fix=each.fix or "") for each in warnings)
    zone = "" if table.schema.zone == UTC else table.schema.zone.name
    return RulesPart(rules=rows, time_zone=zone, findings=findings)


def shown_rules(part: RulesPart | None, said: Callable[[str], str], language: Language) -> dict[str, Any] | None:
    """The values of the page's template. said: a sentence of the program in the language of the page.

    Cells are as they are written; the names of facts, and ends, are in the language of the page.
    """
    if part is None:
        return None
    rows = [
        {
            "row": rule.row,
            "name": rule.name,
            "conditions": [f"{fact_in(fact, language)} {written}" for fact, written in rule.conditions],
            "then": end_in(rule.then, language),
            "why": rule.why,
            "priority": f"{rule.priority:,}" if rule.priority else "",
            "owner": rule.owner,
            "valid": _valid(rule, part.time_zone),
            "decided": "–" if rule.decided is None else f"{rule.decided:,}",
        }
        for rule in part.rules[:LISTED]
    ]
    findings = [(said(one.what), said(one.fix)) for one in part.findings]
    return {"rows": rows, "more": max(0, len(part.rules) - LISTED), "findings": findings}


def _valid(rule: RuleRow, time_zone: str) -> str:
    if not (rule.valid_from or rule.valid_to):
        return ""
    dates = f"{rule.valid_from} – {rule.valid_to}".strip()
    return f"{dates} ({time_zone})" if time_zone else dates
