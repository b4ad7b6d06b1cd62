"""A rules file for a new release: read, its word lists with it, and its logic checked."""

from __future__ import annotations

from pathlib import Path

from penjing.core.errors import RuleError
from penjing.decide.check import check
from penjing.decide.logic.findings import Finding
from penjing.decide.rules import join_faults, parse_rules
from penjing.decide.schema import FactSchema
from penjing.decide.table import RuleTable


def load_rules(path: Path, schema: FactSchema) -> RuleTable:
    """Read and check a rules file.

    Raises RuleError: FILE:ROW:COLUMN of an unknown name or value, or the rows that contradict or can never fire.
    """
    table, faults, _ = examine_rules(path, schema)
    if table is None or faults:
        raise join_faults(faults)
    return table


def examine_rules(path: Path, schema: FactSchema) -> tuple[RuleTable | None, list[RuleError], list[Finding]]:
    """The table (None if a cell cannot be read), every fault of cells and of logic, and the findings of `check`."""
    faults: list[RuleError] = []
    try:
        table = parse_rules(path, schema, faults)
        findings = [] if faults else check(table)
    except RuleError as error:
        return None, [*faults, error], []
    if faults:
        return None, faults, []
    errors = [RuleError(each.what, where=each.where, fix=each.fix) for each in findings if each.level == "error"]
    return table, errors, findings
