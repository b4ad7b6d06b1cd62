"""`penjing impact`: which recorded decisions another release would change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from penjing.cases.impact import Impact
    from penjing.cli.show import Bar
    from penjing.store.database import Store
    from penjing.store.records import Record

_SHOWN_IDS = 3


def register(app: typer.Typer) -> None:
    """Add the command `impact`."""
    app.command("impact")(impact)


def impact(
    release: Annotated[Path, typer.Argument(help="the folder of the release that is to come")],
    db: Annotated[str | None, typer.Option(help="URL of the database; default: PENJING_DB, or penjing.db here")] = None,
    since: Annotated[str | None, typer.Option(help="only decisions from this day on (UTC), as 2026-01-31")] = None,
    under: Annotated[
        list[str] | None,
        typer.Option("--name", help="an earlier name of this service, if it had another; may be repeated"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print as JSON, with the ids of every changed case")] = False,
    threads: Annotated[int, typer.Option(min=0, max=256, help="threads of the engine; 0: all cores")] = 0,
) -> None:
    """Decide the recorded cases with another release, record nothing, and group what would change.

    Decisions of releases with another name in their recipes are those of other services, and are counted only.
    """
    from penjing.cases.impact import impact as judge
    from penjing.cli.show import Bar, out_json
    from penjing.core.artifact import open_release
    from penjing.decide.decider import Decider
    from penjing.store.database import open_store
    from penjing.store.releases import named_otherwise
    from penjing.store.settings import database_url

    day = _day(since)
    store = open_store(database_url(db), create=False)
    decider = Decider(open_release(release), threads=threads)
    others = named_otherwise(store, [decider.release.info.name, *(under or ())])
    with Bar() as bar:
        found = judge(decider.policy, decider.session, _watched(store, day, bar), others)
    store.close()
    if as_json:
        out_json({"release": decider.release.id} | found.to_json())
    else:
        _print(found)


def _day(since: str | None) -> str | None:
    from datetime import date

    from penjing.core.errors import UsageError

    if since is None:
        return None
    try:
        return date.fromisoformat(since).isoformat()
    except ValueError:
        raise UsageError(f"`{since}` is not a day", fix="write it as 2026-01-31") from None


def _watched(store: Store, since: str | None, bar: Bar) -> Iterator[Record]:
    from penjing.store.records import count_records, scan_records

    bar.start("deciding again", sum(count_records(store).values()) if since is None else None)
    for record in scan_records(store, since=since):
        yield record
        bar.advance()


def _print(found: Impact) -> None:
    from penjing.cli.show import out

    out(found.in_words())
    for change, ids in sorted(found.changes.items(), key=lambda item: (-len(item[1]), item[0])):
        more = ", ..." if len(ids) > _SHOWN_IDS else ""
        out(f"  {len(ids):>6,}  {change}  ({', '.join(ids[:_SHOWN_IDS])}{more})")
