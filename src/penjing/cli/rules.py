"""`penjing rules check`, `test`, `fmt`, `explain`: a rules file alone, before anything is made of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from penjing.cli.command import App

if TYPE_CHECKING:
    from penjing.decide.logic.findings import Finding
    from penjing.decide.rule_cases import CasesResult, RuleCase, Ruled
    from penjing.decide.schema import FactSchema
    from penjing.decide.table import RuleTable
    from penjing.decide.why import RowAnswer

_SHOWN = 20
_OF_RECIPE = "recipe.yaml"
RulesFile = Annotated[Path, typer.Argument(help="the rules file: CSV or a workbook")]
Source = Annotated[
    Path | None,
    typer.Option("--for", help="a recipe, or the folder of a release; default: recipe.yaml beside the rules"),
]
Clock = Annotated[str | None, typer.Option(help="the time of the cases, as 2026-01-05T10:30; default: now")]
AsJson = Annotated[bool, typer.Option("--json", help="print as JSON")]


def register(app: typer.Typer) -> None:
    """Add the commands `rules check`, `rules test`, `rules fmt`, `rules explain`."""
    group = App(help="Check, test, rewrite and explain a rules file.", no_args_is_help=True)
    group.command("check")(check)
    group.command("test")(test)
    group.command("fmt")(fmt)
    group.command("explain")(explain)
    app.add_typer(group, name="rules")


def check(rules: RulesFile, source: Source = None, as_json: AsJson = False) -> None:
    """Look for contradictions, rows that never fire, overlaps and gaps in RULES; exit 2 where there is an error."""
    from penjing.cli.show import out, out_json
    from penjing.decide.examine import examine_rules
    from penjing.decide.rules import join_faults

    table, faults, findings = examine_rules(rules, _facts(rules, source))
    if as_json:
        out_json({"errors": [_fault(each) for each in faults], "findings": [_found(each) for each in findings]})
        if faults:
            raise typer.Exit(2)
        return
    if table is None or faults:
        raise join_faults(faults)
    for fix, same in groupby(findings, key=lambda each: each.fix):
        found = list(same)
        for each in found:
            out(f"{each.level}: {each.where}: {each.what}")
        if fix:
            out(f"  fix: {fix}" if len(found) == 1 else f"  fix of these {len(found):,}: {fix}")
    warnings = sum(each.level == "warning" for each in findings)
    out(f"{len(table.rules):,} rules: no errors, {warnings:,} warning{'s' * (warnings != 1)}")


def test(
    rules: RulesFile,
    cases: Annotated[Path, typer.Argument(help="cases with what is expected: CSV, a workbook or JSON lines")],
    source: Source = None,
    clock: Clock = None,
    as_json: AsJson = False,
) -> None:
    """Decide CASES by RULES alone, and compare: exit 3 where another row or end was expected.

    Columns: facts, `expected` (an end), `rule` (a name, or -), `time`. Prints what differs, and how often rows decided.
    """
    from penjing.cli.show import out, out_json
    from penjing.data.read import open_table
    from penjing.decide.rule_cases import RuleRunner
    from penjing.make.rule_facts import names_of

    table = _load(rules, source)
    runner = RuleRunner(table, names_of(_source(rules, source)))
    opened = open_table(cases, wanted=["expected"])
    result = runner.run(runner.read_all(opened.rows(), _now(clock), str(cases)))
    if as_json:
        out_json(_as_json(result, table))
    else:
        for line in _coverage(result, table):
            out(line)
    if result.failures:
        raise typer.Exit(3)


def fmt(
    rules: RulesFile,
    to: Annotated[Literal["en", "zh"], typer.Option(help="the language of headers and keywords")] = "en",
    source: Source = None,
    write: Annotated[bool, typer.Option("--write", help="replace the file instead of printing")] = False,
) -> None:
    """Write RULES with headers and keywords in one language; words, values and patterns stay as they are."""
    from penjing.cli.show import out
    from penjing.core.errors import UsageError
    from penjing.decide.rules import read_rules
    from penjing.decide.write import write_rules

    if write and rules.suffix.lower() not in (".csv", ".txt", ".tsv"):
        fix = "print it into a CSV: penjing rules fmt RULES > rules.csv"
        raise UsageError("only a CSV can be replaced", where=str(rules), fix=fix)
    text = write_rules(read_rules(rules, _facts(rules, source)), to)
    if not write:
        out(text.removesuffix("\n"))
        return
    spare = rules.with_name(f".{rules.name}.new")
    # With a mark of UTF-8, without which spreadsheets take Chinese for another encoding.
    spare.write_text(text, encoding="utf-8-sig")
    spare.replace(rules)
    out(f"wrote {rules}")


def explain(
    rules: RulesFile,
    text: Annotated[str, typer.Option(help="the text of the case")] = "",
    fact: Annotated[
        list[str] | None, typer.Option(help="a fact or a field, as label=refund, p=0.8 or amount=500; may be repeated")
    ] = None,
    source: Source = None,
    clock: Clock = None,
    shown: Annotated[int, typer.Option(min=1, help="rows that are printed at most")] = _SHOWN,
) -> None:
    """Say which row of RULES decides one case, and why each row above it does not."""
    from penjing.cli.show import out
    from penjing.decide.rule_cases import OF_OPTION, RuleRunner
    from penjing.decide.why import Why

    runner = RuleRunner(_load(rules, source))
    given = _pairs(fact or [], runner.table.schema)
    case = runner.read({"text": text, **given}, _now(clock), "--fact", how=OF_OPTION)
    ruled = runner.decide(case)
    rows = list(Why(runner).rows(case, ruled)) if runner.table.rules else []
    above = rows[:-1] if ruled.rule else rows
    for row in above[:shown]:
        for line in _why_not(row, case):
            out(line)
    if len(above) > shown:
        out(f"… and {len(above) - shown:,} more rows that do not hold")
    for line in _verdict(ruled, rows[-1] if rows else None):
        out(line)


def _source(rules: Path, source: Path | None) -> Path:
    return source or rules.parent / _OF_RECIPE


def _facts(rules: Path, source: Path | None) -> FactSchema:
    from penjing.cli.show import Bar
    from penjing.core.errors import UsageError
    from penjing.make.rule_facts import facts_of

    found = _source(rules, source)
    if source is None and not found.is_file():
        fix = "name the recipe or the release: --for recipe.yaml"
        raise UsageError("the labels and fields that the rules may name are not known", where=str(rules), fix=fix)
    with Bar() as bar:
        return facts_of(found, bar)


def _load(rules: Path, source: Path | None) -> RuleTable:
    from penjing.decide.examine import load_rules

    return load_rules(rules, _facts(rules, source))


def _now(clock: str | None) -> str:
    from datetime import UTC, datetime

    from penjing.core.errors import UsageError
    from penjing.data.dates import parse_date

    if clock and parse_date(clock) is None:
        fix = "write 2026-01-05, or 2026-01-05T10:30:00 with its time"
        raise UsageError(f"{clock[:40]!r} is not a time", where="--clock", fix=fix)
    return clock or datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _pairs(given: Sequence[str], schema: FactSchema) -> dict[str, str]:
    from penjing.core.errors import UsageError
    from penjing.core.options import nearest
    from penjing.decide.rule_cases import roles_of

    found: dict[str, str] = {}
    for each in given:
        name, mark, value = each.partition("=")
        if not mark or not name.strip():
            raise UsageError(f"`{each[:60]}` is not a fact", fix="write it as NAME=VALUE, such as --fact p=0.8")
        if not roles_of((name.strip(),), schema)[1]:
            raise UsageError(f"`{name.strip()[:60]}` is not a fact", where="--fact", fix=nearest(name, schema.kinds()))
        found[name.strip()] = value
    return found


def _coverage(result: CasesResult, table: RuleTable) -> Iterator[str]:
    for failure in result.failures:
        yield f"failed: {failure}"
    fired = [(rule, result.fired[rule.name]) for rule in table.rules]
    yield f"{result.cases:,} cases: {result.tested:,} with an expectation, {len(result.failures):,} failed"
    for rule, count in fired:
        if count:
            yield f"{count:>8,}  row {rule.row} ({rule.name})"
    if result.fired[""]:
        yield f"{result.fired['']:>8,}  no row: the model decides"
    never = [rule for rule, count in fired if not count]
    if never:
        listed = ", ".join(f"{rule.row} ({rule.name})" for rule in never[:_SHOWN])
        more = f" and {len(never) - _SHOWN:,} more" if len(never) > _SHOWN else ""
        yield f"{len(never):,} of {len(fired):,} rows never decided: {listed}{more}"
    else:
        yield f"every one of the {len(fired):,} rows decided at least once"


def _as_json(result: CasesResult, table: RuleTable) -> dict[str, Any]:
    rows = [{"row": rule.row, "name": rule.name, "decided": result.fired[rule.name]} for rule in table.rules]
    return {
        "cases": result.cases,
        "tested": result.tested,
        "failures": result.failures,
        "rows": rows,
        "no_row": result.fired[""],
    }


def _why_not(row: RowAnswer, case: RuleCase) -> Iterator[str]:
    number, name = row.rule.row, row.rule.name
    if not row.stands:
        yield f"row {number} ({name}) is not valid at {case.facts['clock']}"
        return
    for condition in row.false[:1]:
        yield f"row {number} ({name}) does not hold: {_false(condition.fact, condition.written, case.facts)}"


def _false(fact: str, written: str, facts: Mapping[str, Any]) -> str:
    from penjing.decide.why import shown

    value = shown(fact, facts)
    if fact == "text" and value:
        return f"`{fact} {written}` is false; the rules find in it: {value}"
    if fact == "text":
        return f"`{fact} {written}` is false; the rules find nothing in it"
    return f"`{fact} {written}` is false; it is {value}" if value else f"`{fact} {written}` is false; it has no value"


def _verdict(ruled: Ruled, row: RowAnswer | None) -> Iterator[str]:
    if ruled.rule is None or row is None:
        yield "no row holds: the model decides by its threshold"
        return
    number, name = ruled.rule.row, ruled.rule.name
    if ruled.absent:
        absent = ", ".join(f"`{each}`" for each in ruled.absent)
        yield f"row {number} ({name}) decides: `review`, because it needs {absent}, and the case has no value there"
        return
    yield f"row {number} ({name}) decides: `{ruled.in_words()}`"
    for condition, _ in row.answers:
        yield f"  `{condition.fact} {condition.written}` is true"
    if ruled.rule.why:
        yield f"  {ruled.rule.why}"


def _fault(error: Any) -> dict[str, Any]:
    return {"where": error.where, "what": error.what, "fix": error.fix}


def _found(finding: Finding) -> dict[str, Any]:
    return {
        "level": finding.level,
        "kind": finding.kind,
        "rows": list(finding.rows),
        "what": finding.what,
        "where": finding.where,
        "fix": finding.fix,
    }
