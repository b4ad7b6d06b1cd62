"""`penjing erase`: removes a person's data from recorded decisions, which still verify."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penjing.cli.texts import Encoding

if TYPE_CHECKING:
    from penjing.store.database import Store
    from penjing.store.erasure import Erasable

_SHOWN = 20


def register(app: typer.Typer) -> None:
    """Add the command `erase`."""
    app.command("erase")(erase)


def erase(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="the ids of decisions")] = None,
    file: Annotated[
        Path | None, typer.Option(help="a file of ids: one a line, or a table with the column `id`")
    ] = None,
    field: Annotated[
        list[str] | None,
        typer.Option(help="NAME=VALUE: decisions whose declared field has this value; several must all fit"),
    ] = None,
    ref: Annotated[list[str] | None, typer.Option(help="a case number: all decisions of that case")] = None,
    encoding: Encoding = "auto",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="show what would be erased, and erase nothing")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
    json: Annotated[bool, typer.Option("--json", help="a JSON line for each decision, then the counts")] = False,
    db: Annotated[str | None, typer.Option(help="URL of the database; default: PENJING_DB, or penjing.db here")] = None,
) -> None:
    """Blank the text, the evidence, the declared fields, the case number and the kept columns of decisions, and who
    reviewed them with what note.

    Outcome, route and probabilities stay, and `penjing verify` still holds. It cannot be undone. All of the decisions
    are erased or none; an unknown id exits 3. The audit chain notes the erasure. Backups are not touched.
    """
    from penjing.cli.show import out, out_json, tell
    from penjing.core.errors import UsageError
    from penjing.store.database import open_store
    from penjing.store.erasure import erase_decisions, find_erasable
    from penjing.store.settings import database_url

    if not ids and file is None and not field and not ref:
        raise UsageError("say what to erase", fix="give ids, --file FILE, --ref CASE, or --field NAME=VALUE")
    store = open_store(database_url(db), create=False)
    try:
        named = [*(ids or []), *_of_cases(store, ref or [])]
        found = find_erasable(store, _ids(store, named, file, field or [], encoding))
        fresh = [one for one in found if one.erased is None]
        if fresh and not dry_run:
            _confirm(fresh, yes)
            erase_decisions(store, [one.id for one in fresh])
        elif not dry_run:
            store.compact()  # a reader may have prevented an earlier command from this
    finally:
        store.close()
    done = "would be erased" if dry_run else "erased"
    for one in found if json else found[:_SHOWN]:
        if json:
            out_json({"id": one.id, "created": one.created, "erased": not dry_run, "before": one.erased})
        else:
            out(f"{one.id} of {one.created}: " + (done if one.erased is None else f"was erased on {one.erased}"))
    known = len(found) - len(fresh)
    if json:
        out_json({"decisions": len(found), "erased": 0 if dry_run else len(fresh), "erased_before": known})
    elif len(found) > _SHOWN:
        out(f"and {len(found) - _SHOWN:,} more")
    tell(f"{done}: {len(fresh):,} decisions; {known:,} were erased before")


def _confirm(found: list[Erasable], yes: bool) -> None:
    """Ask on a terminal; elsewhere `--yes` is needed. Raises UsageError."""
    from penjing.cli.language import translate
    from penjing.cli.show import tell
    from penjing.core.errors import UsageError

    if yes:
        return
    what = f"{len(found):,} decision{'s' * (len(found) != 1)}, from {found[0].id} on"
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            f"nothing was erased: there is no terminal to confirm {what}", fix="give --yes, or --dry-run first"
        )
    tell(f"This erases {what}, for good.")
    if not typer.confirm(translate("Erase?"), err=True):
        raise UsageError("nothing was erased", fix="--dry-run shows what would be erased")


def _ids(store: Store, given: list[str], file: Path | None, fields: list[str], encoding: str) -> list[str]:
    """The ids that the arguments name, in their order."""
    from penjing.core.errors import UsageError
    from penjing.store.erasure import ids_with_fields

    ids = [*given, *(_ids_in(file, encoding) if file is not None else [])]
    if not fields:
        return ids
    wanted = dict(each.split("=", 1) for each in fields if "=" in each)
    if len(wanted) != len(fields) or "" in wanted:
        raise UsageError("a field is given as NAME=VALUE, each name once", fix="for example --field customer=C-1042")
    found = ids_with_fields(store, wanted)
    if not found:
        raise UsageError(
            "no decision has " + " and ".join(f"`{each[:80]}`" for each in fields),
            where=store.url,
            fix="give the value as it was recorded (masked); `GET /v1/decisions/ID` shows the fields of a decision",
        )
    return [*ids, *found]


def _of_cases(store: Store, refs: list[str]) -> list[str]:
    """The ids of the decisions of these cases. Raises UsageError for a case without any."""
    from penjing.core.errors import UsageError
    from penjing.store.case_data import refs_with

    found: list[str] = []
    for ref in refs:
        ids = refs_with(store, ref)
        if not ids:
            raise UsageError(
                f"no decision has the case number `{ref[:80]}`",
                where=store.url,
                fix="give it as the request sent it as `ref`; an erased one is not found again",
            )
        found += ids
    return found


def _ids_in(file: Path, encoding: str) -> list[str]:
    """The ids of a file: the column `id` of a table, else its lines. Raises DataError and UsageError."""
    from penjing.core.errors import DataError
    from penjing.data.read import Reading, open_table

    opened = open_table(file, Reading(encoding), ("id",))
    if opened.names is not None and "id" not in opened.names:
        if len(opened.names) != 1:
            raise DataError("the table has no column `id`", where=str(file), fix="name the column of the ids `id`")
        opened = opened.without_header()
    ids = [(cells.get("id") or next(iter(cells.values()), "")).strip() for _, cells in opened.rows()]
    if not any(ids):
        raise DataError("the file has no ids", where=str(file), fix="one id a line, or a table with the column `id`")
    return [identity for identity in ids if identity]
