"""`penjing audits`: automatic decisions that were drawn for a check, out blind, and the error that they show."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penjing.cli.command import App
from penjing.cli.review import Db

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penjing.store.audits import AuditedDecision

_LEVEL = 0.025  # of each of both bounds


def register(app: typer.Typer) -> None:
    """Add the commands `audits export` and `audits error`."""
    group = App(help="Automatic decisions that were drawn for a check.", no_args_is_help=True)
    group.command("export")(export)
    group.command("error")(error)
    app.add_typer(group, name="audits")


def export(file: Annotated[Path, typer.Argument(help="the CSV to write")], db: Db = None) -> None:
    """Write the audits that wait to a CSV, without what the model said; fill in its column `verdict`.

    `penjing review import FILE` reads it back. The other cases are in `penjing review export`.
    """
    from penjing.cli.language import language
    from penjing.cli.show import out_json, tell
    from penjing.core.errors import DamageError
    from penjing.core.folder import replaced_file
    from penjing.store.audits import CHINESE_COLUMNS, COLUMNS, export_blind
    from penjing.store.database import open_store
    from penjing.store.settings import database_url

    store = open_store(database_url(db), create=False)
    columns, bad = CHINESE_COLUMNS if language() == "zh" else COLUMNS, list[str]()
    try:
        with replaced_file(file) if file.is_file() or not file.exists() else nullcontext(file) as target:
            count = export_blind(store, target, columns, bad)
    finally:
        store.close()
    out_json({"exported": count, "file": str(file)})
    if count:
        tell(f"fill in `{columns[COLUMNS.index('verdict')]}`, then: penjing review import {file}")
    if bad:
        raise DamageError(
            f"{len(bad)} open audits cannot be read, and were left out: {', '.join(bad[:20])}",
            where=store.url,
            fix="`penjing verify` says what was changed outside Penjing",
        )


def error(
    release: Annotated[str | None, typer.Option(help="only decisions of the release with this id")] = None,
    db: Db = None,
) -> None:
    """Estimate the error of automatic decisions from the audits that a person has judged, with a 95 % interval.

    The interval holds at every look, so it may be asked as often as one likes.
    """
    from penjing.cli.show import out_json, tell
    from penjing.store.audits import closed_audits, count_audits
    from penjing.store.database import open_store
    from penjing.store.settings import database_url

    store = open_store(database_url(db), create=False)
    try:
        judged = list(closed_audits(store, release))
        waiting, total = count_audits(store, release)
    finally:
        store.close()
    parts = {"model": [one for one in judged if not one.forced], "rules": [one for one in judged if one.forced]}
    found = {name: estimate(rows) for name, rows in parts.items()}
    out_json({"audits": total, "waiting": waiting, "judged": len(judged), **found})
    if model := found["model"]:
        share, low, high = (f"{100 * model[name]:.1f} %" for name in ("error", "low", "high"))
        tell(f"of {model['judged']:,} audited decisions of the model {model['wrong']:,} were wrong: about {share}")
        tell(f"with 95 % confidence its error is between {low} and {high}")
    if rules := found["rules"]:
        tell(f"of {rules['judged']:,} audited outcomes that a rule forced {rules['wrong']:,} were wrong")
    if not judged:
        tell("no audit has a verdict yet: `penjing audits export FILE` writes those that wait")


def estimate(rows: Sequence[AuditedDecision]) -> dict[str, Any] | None:
    """The share of errors, each audit weighted by how many decisions it stands for, and its bounds; None of no rows."""
    import numpy as np

    from penjing.prove.weighted import betting_bounds

    if not rows:
        return None
    wrong, drawn = np.array([one.wrong for one in rows]), np.array([one.drawn for one in rows])
    low, high = betting_bounds(wrong, drawn, float(drawn.min()), _LEVEL)
    share = float((wrong / drawn).sum() / (1 / drawn).sum())
    figures = {"error": share, "low": low, "high": high}
    return {
        "judged": len(rows),
        "wrong": int(wrong.sum()),
        **{name: round(value, 6) for name, value in figures.items()},
    }
