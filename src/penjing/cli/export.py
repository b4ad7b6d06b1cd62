"""`penjing export`: recorded decisions as a table for other programs, answers as annotations, and adapters."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penjing.cli.adapter import register_in as register_adapter
from penjing.cli.annotations import register_in as register_annotations
from penjing.cli.command import App

if TYPE_CHECKING:
    from penjing.cases.export import Format

_SHOWN = 20


def register(app: typer.Typer) -> None:
    """Add the commands `export decisions`, `export annotations` and `export adapter`."""
    group = App(help="Recorded decisions, answers as annotations, or an adapter.", no_args_is_help=True)
    group.command("decisions")(decisions)
    register_annotations(group)
    register_adapter(group)
    group.callback()(_group)
    app.add_typer(group, name="export")


def _group() -> None:
    """Recorded decisions, answers as annotations, or an adapter."""


def decisions(
    file: Annotated[Path, typer.Argument(help="the file to write; - for standard output")],
    since: Annotated[str | None, typer.Option(help="from this time on (UTC), such as 2026-01-05")] = None,
    until: Annotated[str | None, typer.Option(help="before this time (UTC)")] = None,
    release: Annotated[str | None, typer.Option(help="only those of the release whose id begins so")] = None,
    form: Annotated[
        str | None,
        typer.Option("--format", help="csv, xlsx, parquet or jsonl; default: by the name of the file, csv for -"),
    ] = None,
    db: Annotated[str | None, typer.Option(help="URL of the database; default: PENJING_DB, or penjing.db here")] = None,
) -> None:
    """Write decisions, oldest first, each with its verdict, your case number and the columns that you had kept.

    In csv and xlsx a cell that a spreadsheet would read as a formula begins with an apostrophe. Rows are written as
    they are read, so that memory does not grow with their number.
    """
    from penjing.cases.export import CHINESE_COLUMNS, COLUMNS, export_decisions
    from penjing.cli.language import language
    from penjing.cli.written import output_file, tell_exported
    from penjing.core.errors import DamageError
    from penjing.store.database import open_store
    from penjing.store.exported import ExportPeriod
    from penjing.store.settings import database_url

    chosen = _format(file, form)
    period = ExportPeriod(_time("--since", since), _time("--until", until), release)
    store = open_store(database_url(db), create=False)
    columns, bad = CHINESE_COLUMNS if language() == "zh" else COLUMNS, list[str]()
    try:
        with output_file(file) as target:
            count = export_decisions(store, target, chosen, period, bad, columns)
    finally:
        store.close()
    tell_exported(file, count, {"format": chosen})
    if bad:
        more = f" and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
        raise DamageError(
            f"{len(bad)} decisions cannot be read, and were left out: {', '.join(bad[:_SHOWN])}{more}",
            where=store.url,
            fix="`penjing verify` says what was changed outside Penjing",
        )


def _format(file: Path, given: str | None) -> Format:
    """The given format, else that of the name. Raises UsageError."""
    from penjing.cases.export import FORMATS
    from penjing.cli.written import is_standard_output
    from penjing.core.errors import UsageError

    wanted = (given or ("csv" if is_standard_output(file) else file.suffix[1:])).lower()
    found = next((each for each in FORMATS if each == wanted), None)
    if found is None:
        raise UsageError(
            f"there is no export as `{wanted[:20]}`",
            where=str(file),
            fix=f"give --format {', '.join(FORMATS[:-1])} or {FORMATS[-1]}",
        )
    return found


def _time(option: str, given: str | None) -> str | None:
    """A time as decisions are recorded. Raises UsageError."""
    from penjing.core.errors import UsageError
    from penjing.data.dates import parse_date

    if given is None:
        return None
    found = parse_date(given)
    if found is None:
        raise UsageError(
            f"{option} `{given[:40]}` is no date", fix="write 2026-01-05, or 2026-01-05T10:30:00Z with its time"
        )
    # Recorded times have parts of a second, which sort behind the second: the `Z` would sort behind them.
    return found.removesuffix("Z")
