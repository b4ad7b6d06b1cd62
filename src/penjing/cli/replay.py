"""`penjing replay`: decides recorded cases again, byte for byte; after one that cannot be replayed it goes on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penjing.core.errors import StoreError
from penjing.core.whole_number import whole_number

if TYPE_CHECKING:
    from penjing.cases.replay_record import Replayed
    from penjing.cli.show import Bar
    from penjing.core.errors import PenjingError
    from penjing.core.nouns import Release
    from penjing.decide.decider import Decider
    from penjing.store.database import Store
    from penjing.store.records import Record


def register(app: typer.Typer) -> None:
    """Add the command `replay`."""
    app.command("replay")(replay)


def replay(
    identity: Annotated[str | None, typer.Argument(metavar="[ID]", help="the id of one decision")] = None,
    every: Annotated[bool, typer.Option("--all", help="all recorded decisions")] = False,
    db: Annotated[str | None, typer.Option(help="URL of the database; default: PENJING_DB, or penjing.db here")] = None,
    release: Annotated[
        Path | None, typer.Option(help="the release's folder, where it was moved; or the OUT of `make` that holds it")
    ] = None,
    threads: Annotated[int, typer.Option(min=0, max=256, help="threads of the engine; 0: as at the decision")] = 0,
    why: Annotated[bool, typer.Option("--why", help="of one case: also why it was decided so, in words")] = False,
) -> None:
    """Decide recorded cases again: from their facts, and from their masked texts. Exits 6 where one differs.

    One case: its replay as JSON. --all: a JSON line for each that differs or cannot be read, and one for each release
    that cannot be opened; a last line has the counts. Where nothing differs and a release could not be opened, the
    command exits with the code of that error.
    """
    from penjing.cli.show import out_json
    from penjing.core.errors import ReplayError, UsageError
    from penjing.store.database import open_store
    from penjing.store.settings import database_url

    if (identity is None) == (not every):
        raise UsageError("give the id of one decision, or --all", fix="penjing replay --all")
    if release is not None and not release.is_dir():
        raise UsageError("no such folder", where=str(release), fix="give the release's folder, or the OUT of `make`")
    store = open_store(database_url(db), create=False)
    try:
        if identity is None:
            _all(store, release, threads)
            return
        done, reasons = _one(store, release, threads, identity, why=why)
    finally:
        store.close()
    out_json(done.to_json() | ({"reasons": reasons} if why else {}))
    if not done.same:
        raise ReplayError(f"the case {done.id} comes out differently", fix="its line says what differs")


def _one(store: Store, folder: Path | None, threads: int, identity: str, *, why: bool) -> tuple[Replayed, list[str]]:
    """The replay of a case, and the reasons of its decision in words."""
    from penjing.cases.replay_record import replay_record
    from penjing.cli.language import language
    from penjing.core.errors import UsageError
    from penjing.explain.why import why as in_words
    from penjing.store.erasure import erased_at
    from penjing.store.records import get_record, unreadable
    from penjing.store.releases import open_recorded

    try:
        record = get_record(store, identity)
        if record is None:
            raise UsageError(
                f"no decision has the id `{identity[:64]}`", where=store.url, fix="`penjing decide` prints ids"
            )
        opened = open_recorded(store, record.release, folder)
        erased = erased_at(store, identity) if record.text is None else None
        decider = _Deciders(opened, threads).for_record(record)
        done = replay_record(record, decider, erased)
        reasons = in_words(record.decided(), decider.policy, record.evidence, language()) if why else []
    except _UNREADABLE as error:
        raise unreadable(identity, error) from None
    return done, reasons


def _all(store: Store, folder: Path | None, threads: int) -> None:
    """Replay every record; print differences, unreadable records and the counts. Raises the error of the exit code."""
    from penjing.cli.show import Bar, out_json
    from penjing.core.errors import PenjingError, ReplayError
    from penjing.store.records import releases_of

    count = Counts()
    refused: PenjingError | None = None
    with Bar() as bar:
        for made_by, records in releases_of(store).items():
            before = count.replayed
            try:
                opened = _opened(store, made_by, folder)
                bar.start(f"replaying {opened.info.name} {made_by[:12]}", records)
                for line in _replays(store, opened, threads, count, bar):
                    out_json(line)
            except StoreError:
                raise
            except PenjingError as error:
                refused = refused or error
                left = records - (count.replayed - before)
                count.unopened += left
                out_json({"release": made_by, "records": left, "error": _error_json(error)})
    out_json(count.to_json())
    if count.different:
        raise ReplayError(f"{count.different} of {count.replayed} cases come out differently", fix=_SEE)
    if refused is not None:
        raise refused


_SEE = "their lines say what differs"


@dataclass
class Counts:
    """Counts of the replays; `unopened` are records of releases that could not be opened."""

    replayed: int = 0
    different: int = 0
    exact: int = 0
    unopened: int = 0

    def to_json(self) -> dict[str, int]:
        """Plain values; `not_replayed` only if there are some."""
        same = self.replayed - self.different
        found = {"replayed": self.replayed, "same": same, "different": self.different, "model_exact": self.exact}
        return found | ({"not_replayed": self.unopened} if self.unopened else {})


def _opened(store: Store, made_by: str, folder: Path | None) -> Release:
    """The release of a record: near the given folder, else near the folder where it was last in service."""
    from penjing.core.errors import DamageError, UsageError
    from penjing.store.releases import open_recorded

    if folder is None:
        return open_recorded(store, made_by)
    try:
        return open_recorded(store, made_by, folder)
    except (UsageError, DamageError) as error:
        try:
            return open_recorded(store, made_by)  # the given folder is that of another release
        except (UsageError, DamageError):
            raise error from None


def _replays(store: Store, opened: Release, threads: int, count: Counts, bar: Bar) -> Iterator[dict[str, Any]]:
    """The lines of those records of a release that differ or cannot be read."""
    from penjing.cases.replay_record import replay_record
    from penjing.core.errors import DamageError
    from penjing.store.erasure import erased_at
    from penjing.store.records import get_record, ids_of, unreadable

    deciders = _Deciders(opened, threads)
    for identity in ids_of(store, opened.id):
        bar.advance()
        try:
            record = get_record(store, identity)
            erased = erased_at(store, identity) if record is not None and record.text is None else None
            done = replay_record(record, deciders.for_record(record), erased) if record else None
        except (*_UNREADABLE, DamageError) as error:
            count.replayed += 1
            count.different += 1
            failure = error if isinstance(error, DamageError) else unreadable(identity, error)
            yield {"id": identity, "same": False, "error": _error_json(failure)}
            continue
        if done is None:  # deleted meanwhile
            continue
        count.replayed += 1
        count.exact += done.model is not None and done.model.exact
        if not done.same:
            count.different += 1
            yield done.to_json()


# Exceptions from replaying a changed record; one that cannot be read at all raises DamageError.
_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


class _Deciders:
    """Deciders of one release by number of threads: another number may give other bytes."""

    def __init__(self, release: Release, threads: int) -> None:
        self._release, self._threads = release, threads
        self._made: dict[int, Decider] = {}

    def for_record(self, record: Record) -> Decider:
        """The decider with as many threads as the decision was made with."""
        from penjing.decide.decider import Decider

        asked = self._threads or _threads_of(record.fingerprint)
        if asked not in self._made:
            self._made[asked] = Decider(self._release, threads=asked)
        return self._made[asked]


def _threads_of(fingerprint: Mapping[str, str]) -> int:
    from penjing.core.machine import cores

    return min(whole_number(fingerprint.get("threads", "")) or 0, cores())


def _error_json(error: PenjingError) -> dict[str, str | None]:
    return {"code": error.code, "message": error.what, "where": error.where, "fix": error.fix}
