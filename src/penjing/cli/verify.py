"""`penjing verify`: whether the records of a database are as they were written."""

from __future__ import annotations

from typing import Annotated

import typer

_SHOWN = 50
# Errors that do not concern the records. Any other error of the database is a finding: lost, damaged, no table.
_PASSING = ("locked", "read-only", "cannot be opened", "newer form")


def register(app: typer.Typer) -> None:
    """Add the command `verify`."""
    app.command("verify")(verify)


def verify(
    db: Annotated[str | None, typer.Option(help="URL of the database; default: PENJING_DB, or penjing.db here")] = None,
    json: Annotated[
        bool, typer.Option("--json", help="a JSON line for each thing that is wrong, then the counts")
    ] = False,
    expect: Annotated[
        list[str] | None,
        typer.Option(help="WRITER:COUNT:HASH, a head that was printed earlier and kept elsewhere; may be repeated"),
    ] = None,
    begin_anew: Annotated[
        bool, typer.Option("--begin-anew", help="go on without a lost database or key; notes it in the audit chain")
    ] = False,
) -> None:
    """Compare every record with the signed hash chains; exits 5 where something was changed, deleted or put in.

    A service may go on writing meanwhile. The last lines are the heads of the chains: kept outside this machine, and
    given with --expect, they find a database that was set back together with its key.

    --begin-anew: where the database, its signing key or its newest records are lost, make a new key, and a new
    database where there is none; what is there is taken as it is.
    """
    from penjing.cli.show import Bar, out, out_json, tell
    from penjing.core.errors import DamageError, StoreError
    from penjing.store.database import open_store
    from penjing.store.recovery import begin
    from penjing.store.settings import database_url
    from penjing.store.verify import read_head, verify_store

    expected = [read_head(each) for each in expect or []]
    url = database_url(db)
    if begin_anew:
        moved = begin(url)
        tell("begun anew" + (f"; the old key was kept as {moved}" if moved else ""))
    try:
        store = open_store(url, create=False)
        with Bar() as bar:
            bar.start("verifying", None)
            done = verify_store(store, bar.advance, expected)
        store.close()
    except StoreError as error:
        if any(word in error.what for word in _PASSING):
            raise
        raise DamageError(error.what, where=error.where, fix=error.fix) from error
    for finding in done.findings if json else done.findings[:_SHOWN]:
        if json:
            out_json({"table": finding.table, "row": finding.row, "what": finding.what})
        else:
            out(
                finding.what if finding.what.endswith(finding.row) else f"{finding.table} {finding.row}: {finding.what}"
            )
    if json:
        counts = {"rows": done.rows, "before_the_chain": done.before, "erased": done.erased, "writers": done.writers}
        counts["heads"] = [str(head) for head in done.heads]
        out_json({"held": not done.findings, "wrong": len(done.findings), **counts})
    else:
        rows = ", ".join(f"{name} {count:,}" for name, count in done.rows.items())
        out(f"compared: {rows or 'nothing'}; {done.before} of them from before the chain; {done.erased} erased")
        for writer in done.writers:
            out(f"writer {writer['writer']} {writer['public']}: {writer['entries']} entries")
        for head in done.heads:
            out(f"head {head}")
    if done.findings:
        more = "" if json or len(done.findings) <= _SHOWN else f" (the first {_SHOWN} are shown; --json shows all)"
        raise DamageError(
            f"{len(done.findings)} things are not as they were written{more}",
            where=store.url,
            fix="keep a copy of the database as it is, and compare it with a backup",
        )
