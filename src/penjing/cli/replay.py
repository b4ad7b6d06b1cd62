"""`penjing replay`: recorded cases decided again, byte for byte."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from penjing.core.nouns import Release
    from penjing.serve.again import Replayed
    from penjing.store.database import Store


def register(app: typer.Typer) -> None:
    """Add the command `replay`."""
    app.command("replay")(replay)


def replay(
    identity: Annotated[str | None, typer.Argument(metavar="[ID]", help="the id of one decision")] = None,
    every: Annotated[bool, typer.Option("--all", help="all recorded decisions")] = False,
    db: Annotated[str | None, typer.Option(help="URL of the database; default: PENJING_DB, or penjing.db here")] = None,
    release: Annotated[Path | None, typer.Option(help="the release's folder, where it was moved")] = None,
    threads: Annotated[int, typer.Option(min=0, max=256, help="threads of the engine; 0: as at the decision")] = 0,
) -> None:
    """Decide recorded cases again: from their facts, and from their masked texts. Exits 6 where one differs.

    One case: its replay as JSON. --all: a JSON line for each that differs, and a last line with the counts.
    """
    from penjing.cli.show import out_json
    from penjing.core.artifact import open_release
    from penjing.core.errors import ReplayError, UsageError
    from penjing.serve.settings import database_url
    from penjing.store.database import open_store

    if (identity is None) == (not every):
        raise UsageError("give the id of one decision, or --all", fix="penjing replay --all")
    store = open_store(database_url(db), create=False)
    given = open_release(release) if release is not None else None
    if identity is not None:
        done = next(_replays(store, given, threads, identity))
        out_json(done.to_json())
        if not done.same:
            raise ReplayError(f"the case {done.id} comes out differently", fix="its line says what differs")
        return
    count = differing = exact = 0
    for done in _replays(store, given, threads, None):
        count += 1
        exact += done.model is not None and done.model.exact
        if not done.same:
            differing += 1
            out_json(done.to_json())
    out_json({"replayed": count, "same": count - differing, "different": differing, "model_exact": exact})
    if differing:
        raise ReplayError(f"{differing} of {count} cases come out differently", fix="their lines say what differs")


def _replays(store: Store, given: Release | None, threads: int, identity: str | None) -> Iterator[Replayed]:
    from penjing.cli.show import Bar
    from penjing.core.errors import UsageError
    from penjing.decide.decider import Decider
    from penjing.serve.again import replay_record
    from penjing.store.records import get_record, releases_of, scan_records
    from penjing.store.releases import open_recorded

    one = get_record(store, identity) if identity is not None else None
    if identity is not None and one is None:
        raise UsageError(
            f"no decision has the id `{identity[:64]}`", where=store.url, fix="`penjing decide` prints ids"
        )
    counts = {one.release: 1} if one else releases_of(store)
    with Bar() as bar:
        for made_by, count in counts.items():
            used = given if given is not None and (given.id == made_by or one) else None
            opened = open_recorded(store, made_by, used.folder if used else None)
            # With another number of threads the engine is another one, and the same bytes are not promised.
            deciders: dict[int, Decider] = {}
            bar.start(f"replaying {opened.info.name} {made_by[:12]}", count)
            for record in [one] if one else scan_records(store, release=made_by):
                asked = threads or _threads_of(record.fingerprint)
                if asked not in deciders:
                    deciders[asked] = Decider(opened, threads=asked)
                yield replay_record(record, deciders[asked])
                bar.advance()


def _threads_of(fingerprint: Mapping[str, str]) -> int:
    from penjing.runtime.machine import cores

    told = fingerprint.get("threads", "")
    return min(int(told), cores()) if told.isdecimal() else 0
