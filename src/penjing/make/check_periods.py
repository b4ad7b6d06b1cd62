"""What the calibration rows can prove where rules have dates: the level is shared, and each row has its own period."""

from __future__ import annotations

from dataclasses import dataclass

from penjing.core.nouns import Table
from penjing.core.periods import between
from penjing.core.recipe import Recipe
from penjing.core.zone import UTC
from penjing.data.audit import Audit, PeriodMargin, Problem, best_error, rows_that_certify
from penjing.data.features import rows_of
from penjing.decide.table import RuleTable
from penjing.prove.certify import clock_in
from penjing.prove.periods import is_dated, level_of, periods_of, rows_by_period, zone_of
from penjing.prove.sequence import DELTA

MARGIN = "margin"


@dataclass(frozen=True)
class _Stretch:
    """One period that holds or is to come: its calibration rows, those of each label, and its level."""

    name: str
    rows: int
    by_label: dict[str, int]
    level: float


def clocks_of(recipe: Recipe, table: Table) -> list[str]:
    """The clock of each row of a table, by its field `time`."""
    return [clock_in(recipe.data.fields, fields) for fields in rows_of(table)]


def audit_by_period(audit: Audit, recipe: Recipe, calibration: Table, rules: RuleTable | None, second: int) -> Audit:
    """The audit with what can be proven in each period from a second (since 1970) on; as it is without dates."""
    if audit.margin is None or not is_dated(rules):
        return audit
    stretches = _stretches(recipe, calibration, rules, second)
    if len(periods_of(rules)) == 1 and stretches[0].rows == len(calibration):
        return audit
    margins = [
        PeriodMargin(
            period=each.name,
            calibration_rows=each.rows,
            certifiable_error=best_error(each.rows, each.level),
            level=each.level,
        )
        for each in stretches
    ]
    now = {"calibration_rows": margins[0].calibration_rows, "certifiable_error": margins[0].certifiable_error}
    # The warnings about all rows together are too good.
    problems = [problem for problem in audit.problems if problem.code != MARGIN]
    problems += [problem for each in stretches for problem in _problems(each, recipe)]
    margin = audit.margin.model_copy(update={**now, "periods": margins})
    return audit.model_copy(update={"margin": margin, "problems": problems})


def _stretches(recipe: Recipe, calibration: Table, rules: RuleTable | None, second: int) -> list[_Stretch]:
    clocks, labels = clocks_of(recipe, calibration), calibration.labels or []
    zone = zone_of(rules)
    counts = rows_by_period(rules, clocks)
    by_label = {
        label: rows_by_period(rules, [clock for clock, own in zip(clocks, labels, strict=True) if own == label])
        for label in recipe.decide.max_miss
    }
    return [
        _Stretch(
            between(first, last, "" if zone == UTC else zone.name),
            counts[place],
            {label: own[place] for label, own in by_label.items()},
            level_of(DELTA * recipe.data.level_share, counts),
        )
        for place, (first, last) in enumerate(periods_of(rules))
        if last is None or zone.local(second) <= last
    ]


def _problems(stretch: _Stretch, recipe: Recipe) -> list[Problem]:
    """Warnings of the limits that cannot be proven in a period."""
    name, level, wanted = stretch.name, stretch.level, recipe.decide.max_error
    strictest = min(wanted.values()) if isinstance(wanted, dict) else wanted
    if (best := best_error(stretch.rows, level)) is None:
        message = f"rules have dates: the period {name} has no calibration rows; there everything would go to a person"
        return [_warning(message, "label texts of that time")]
    problems = []
    if best > strictest:
        message = (
            f"rules have dates: in the period {name}, {stretch.rows} calibration rows certify an error of {best:.2%} "
            f"at best, not `max_error` {strictest:g}; there everything would go to a person"
        )
        fix = (
            f"at least {rows_that_certify(strictest, level)} calibration rows are needed there, because the periods "
            "share the level: label more texts of that time, or have fewer dates"
        )
        problems.append(_warning(message, fix))
    for label, limit in recipe.decide.max_miss.items() if recipe.decide.certify == "case" else ():
        rows = stretch.by_label[label]
        best = best_error(rows, level)
        if best is not None and best <= limit:
            continue
        message = (
            f"rules have dates: in the period {name}, {rows} calibration rows of `{label}` prove "
            f"{1.0 if best is None else best:.2%} at best, not `max_miss` {limit:g}; there everything would go to a "
            "person"
        )
        fix = (
            f"at least {rows_that_certify(limit, level)} of them are needed there: label more texts of it of that "
            "time, or loosen the limit"
        )
        problems.append(_warning(message, fix))
    return problems


def _warning(message: str, fix: str) -> Problem:
    return Problem(severity="warning", code=MARGIN, message=message, fix=fix)
