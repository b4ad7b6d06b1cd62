"""`penjing review`: cases that wait for a person, out to CSV and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penjing.cli.command import App
from penjing.cli.texts import Encoding, Header, Sheet

Db = Annotated[str | None, typer.Option(help="URL of the database; default: PENJING_DB, or penjing.db here")]

_SHOWN = 20


def register(app: typer.Typer) -> None:
    """Add the commands `review export` and `review import`."""
    group = App(help="Cases that wait for a person, out to a file and back.", no_args_is_help=True)
    group.command("export")(export)
    group.command("import")(bring_back)
    app.add_typer(group, name="review")


def export(
    file: Annotated[Path, typer.Argument(help="the CSV or workbook (.xlsx) to write; - for standard output")],
    db: Db = None,
) -> None:
    """Write the open cases, oldest first, for a spreadsheet; fill in the column `verdict`."""
    from penjing.cases.recorded_why import RecordedWhy
    from penjing.cases.rule_reasons import RuleReasons
    from penjing.cli.language import language
    from penjing.cli.show import tell
    from penjing.cli.written import named, output_file, tell_exported
    from penjing.core.errors import DamageError
    from penjing.store.audits import count_audits
    from penjing.store.case_file import is_workbook
    from penjing.store.database import open_store
    from penjing.store.reviews import CHINESE_COLUMNS, COLUMNS, export_open, open_labels
    from penjing.store.settings import database_url

    store = open_store(database_url(db), create=False)
    bad: list[str] = []
    columns = CHINESE_COLUMNS if language() == "zh" else COLUMNS
    try:
        with output_file(file) as target:
            reasons = RuleReasons(store), RecordedWhy(store, language())
            count = export_open(store, target, bad, columns, *reasons, workbook=is_workbook(file))
            labels = open_labels(store)
        audits, _ = count_audits(store)
    finally:
        store.close()
    tell_exported(file, count)
    column = columns[COLUMNS.index("verdict")]
    if labels:
        more = f" and {len(labels) - _SHOWN} more" if len(labels) > _SHOWN else ""
        tell(f"fill in `{column}` with one of: {', '.join(labels[:_SHOWN])}{more}")
    elif count:
        tell(f"fill in `{column}` with the true answer, written as in the training data")
    if labels or count:
        tell(f"then: penjing review import {named(file)}")
    if audits:
        tell(f"{audits:,} audits wait too: `penjing audits export FILE` writes them without what the model said")
    if bad:
        more = f" and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
        raise DamageError(
            f"{len(bad)} open cases cannot be read, and were left out: {', '.join(bad[:_SHOWN])}{more}",
            where=store.url,
            fix="`penjing verify` says what was changed outside Penjing",
        )


def bring_back(
    file: Annotated[Path, typer.Argument(help="the file with verdicts, as CSV or as a workbook")],
    db: Db = None,
    encoding: Encoding = "auto",
    sheet: Sheet = None,
    header: Header = None,
) -> None:
    """Read the verdicts back: all rows or, where one is wrong, none; exits 3 with the faulty rows."""
    from penjing.cli.show import out_json
    from penjing.data.read import Reading
    from penjing.store.database import open_store
    from penjing.store.reviews import import_verdicts
    from penjing.store.settings import database_url

    store = open_store(database_url(db), create=False)
    done = import_verdicts(store, file, Reading(encoding, sheet, header))
    store.close()
    out_json({"imported": done.recorded, "without_verdict": done.blank, "known_before": done.repeated})
