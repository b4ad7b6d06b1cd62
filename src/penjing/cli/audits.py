"""`penjing audits`: automatic decisions that were drawn for a check, out blind, and the error that they show."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penjing.cli.command import App
from penjing.cli.review import Db

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penjing.cases.audit_counts import AuditCounts, CertifiedCounts
    from penjing.store.audits import AuditedDecision

_LEVEL = 0.025  # of each of both bounds


def register(app: typer.Typer) -> None:
    """Add the commands `audits export` and `audits error`."""
    group = App(help="Automatic decisions that were drawn for a check.", no_args_is_help=True)
    group.command("export")(export)
    group.command("error")(error)
    app.add_typer(group, name="audits")


def export(
    file: Annotated[Path, typer.Argument(help="the CSV or workbook (.xlsx) to write; - for standard output")],
    db: Db = None,
) -> None:
    """Write the audits that wait for a spreadsheet, without what the model said; fill in the column `verdict`.

    `penjing review import FILE` reads it back. The other cases are in `penjing review export`.
    """
    from penjing.cli.language import language
    from penjing.cli.show import tell
    from penjing.cli.written import named, output_file, tell_exported
    from penjing.core.errors import DamageError
    from penjing.store.audits import CHINESE_COLUMNS, COLUMNS, export_blind
    from penjing.store.case_file import is_workbook
    from penjing.store.database import open_store
    from penjing.store.settings import database_url

    store = open_store(database_url(db), create=False)
    columns, bad = CHINESE_COLUMNS if language() == "zh" else COLUMNS, list[str]()
    try:
        with output_file(file) as target:
            count = export_blind(store, target, columns, bad, workbook=is_workbook(file))
    finally:
        store.close()
    tell_exported(file, count)
    if count:
        tell(f"fill in `{columns[COLUMNS.index('verdict')]}`, then: penjing review import {named(file)}")
    if bad:
        raise DamageError(
            f"{len(bad)} open audits cannot be read, and were left out: {', '.join(bad[:20])}",
            where=store.url,
            fix="`penjing verify` says what was changed outside Penjing",
        )


def error(
    release: Annotated[str | None, typer.Option(help="only those of the release whose id begins so")] = None,
    db: Db = None,
) -> None:
    """Estimate the error of automatic decisions from the audits that a person has judged, with a 95 % interval.

    The interval holds at every look, so it may be asked as often as one likes.
    """
    from penjing.cases.audit_counts import count_as_certified
    from penjing.cli.show import out_json, tell
    from penjing.store.audits import closed_audits, count_audits, least_share
    from penjing.store.database import open_store
    from penjing.store.settings import database_url

    store = open_store(database_url(db), create=False)
    try:
        judged = list(closed_audits(store, release))
        waiting, total = count_audits(store, release)
        # None: only decisions of releases that record no probability.
        least = least_share(store, release) or 1.0
        certified = count_as_certified(store, judged)
    finally:
        store.close()
    parts = {"model": [one for one in judged if not one.forced], "rules": [one for one in judged if one.forced]}
    found = {name: _figures(rows, least) for name, rows in parts.items()}
    by_limit = _by_limit(certified, least)
    if found["model"] is not None:
        found["model"] |= by_limit
    out_json({"audits": total, "waiting": waiting, "judged": len(judged), **found})
    if model := found["model"]:
        share, low, high = (f"{100 * model[name]:.1f} %" for name in ("error", "low", "high"))
        tell(f"of {model['judged']:,} audited decisions of the model {model['wrong']:,} were wrong: about {share}")
        tell(f"with 95 % confidence its error is between {low} and {high}")
        for line in _limit_lines(by_limit):
            tell(line)
    if rules := found["rules"]:
        tell(f"of {rules['judged']:,} audited outcomes that a rule forced {rules['wrong']:,} were wrong")
    if judged and waiting:
        tell(f"{waiting:,} audits wait for a verdict: the interval holds if they are like those that are judged")
    if not judged:
        tell("no audit has a verdict yet: `penjing audits export FILE` writes those that wait")


def _by_limit(certified: CertifiedCounts, least: float) -> dict[str, Any]:
    """The figures of each limit of a certificate by item or by label; nothing of one by case."""
    from penjing.prove.weighted import estimate_share

    def figures(one: AuditCounts) -> dict[str, Any]:
        about = min(least, *one.drawn), _LEVEL
        found = estimate_share(one.wrong, one.cases, one.drawn, about, one.most)
        shares = dict(zip(("error", "low", "high"), (round(each, 6) for each in found), strict=True))
        return {"cases": sum(one.cases), "wrong": sum(one.wrong), **shares}

    parts = {name: figures(one) for name, one in certified.parts.items()}
    tables = {"given": certified.given, "missed": certified.missed}
    labels = {side: {name: figures(one) for name, one in sorted(table.items())} for side, table in tables.items()}
    return parts | {side: table for side, table in labels.items() if table}


def _limit_lines(by_limit: dict[str, Any]) -> list[str]:
    """The figures in words, as the certificate counts: all of items, of labels those with an error."""
    lines = []
    if one := by_limit.get("items"):
        lines.append(f"by item, as the certificate counts: of {one['cases']:,} items {one['wrong']:,} were wrong")
        lines.append(
            f"with 95 % confidence the error by item is between {_percent(one['low'])} and {_percent(one['high'])}"
        )
    if one := by_limit.get("empty"):
        lines.append(f"of {one['cases']:,} answers without anything {one['wrong']:,} were wrong")
    for label, one in by_limit.get("given", {}).items():
        if one["wrong"]:
            lines.append(f"`{label}` was given {one['cases']:,} times, of which {one['wrong']:,} were wrong")
    for label, one in by_limit.get("missed", {}).items():
        if one["wrong"]:
            lines.append(f"`{label}` belonged to {one['cases']:,} decisions, of which {one['wrong']:,} missed it")
    return lines


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _figures(rows: Sequence[AuditedDecision], least: float) -> dict[str, Any] | None:
    """How many audits there are, how many are wrong, and the error that they show; None of no rows.

    least: the least probability with which any decision was audited.
    """
    from penjing.prove.weighted import estimate_error

    if not rows:
        return None
    wrong, drawn = [one.wrong for one in rows], [one.drawn for one in rows]
    found = estimate_error(wrong, drawn, min(least, *drawn), _LEVEL)
    figures = dict(zip(("error", "low", "high"), (round(each, 6) for each in found), strict=True))
    return {"judged": len(rows), "wrong": sum(wrong), **figures}
