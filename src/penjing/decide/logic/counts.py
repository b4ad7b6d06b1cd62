"""Numbers that count facts which are true: a count that fits a solution, or clauses that say why none does."""

from __future__ import annotations

from collections.abc import Mapping

from penjing.decide.logic.clauses import RowVariables
from penjing.decide.logic.rows import TableRows
from penjing.decide.logic.text_theory import Clauses


def counts_of(
    rows: TableRows, variables: RowVariables, model: set[int], names: dict[str, str], hints: Mapping[str, int | str]
) -> dict[str, int] | Clauses:
    """The value of each count that rows test, and of the facts that it counts: those that no row of the query asks of
    are set in `names` as it needs them. Clauses if more are true than it can be, or too few are left.
    """
    found: dict[str, int] = {}
    for fact, counted in rows.schema.bounds.counted.items():
        if fact not in rows.facts:
            continue
        asked = {each: variables.names[each][names[each]] for each in counted if each in variables.names}
        true = [literal for each, literal in asked.items() if names[each] == "true"]
        false = [literal for each, literal in asked.items() if names[each] == "false"]
        low, high = rows.limits(fact)
        cuts = variables.cuts.get(fact, [])
        met = [cut for cut in cuts if variables.cut(fact, cut) in model]
        most = cuts[len(met)] - 1 if len(met) < len(cuts) else high
        least = met[-1] if met else low
        if least > len(counted) - len(false):
            return [[-variables.cut(fact, least), *(-literal for literal in false)]]
        if most < len(true):
            return [[variables.cut(fact, most + 1), *(-literal for literal in true)]]
        value = min(max(int(hints[fact]), least, len(true)), most, len(counted) - len(false))
        found[fact] = value
        free = [each for each in counted if each in names and each not in asked]
        _set(free, value - len(true), len(counted) - len(asked) - len(free), names)
    return found


def _set(free: list[str], wanted: int, others: int, names: dict[str, str]) -> None:
    """Make at most `wanted` of these facts true, those first that are; others: facts that may be true besides them."""
    given = 0
    for fact in sorted(free, key=lambda each: names[each] != "true"):
        is_true = given < wanted and (names[fact] == "true" or given < wanted - others)
        names[fact] = "true" if is_true else "false"
        given += is_true
