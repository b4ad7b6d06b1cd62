"""Releases in service: the ids that were put in service here, and the paths of their folders."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import insert, select, update

from penjing.core.artifact import gates_digest, open_release
from penjing.core.errors import DamageError, UsageError
from penjing.core.folder import MANIFEST, listed_id
from penjing.core.nouns import Release
from penjing.core.releases import RELEASES, places
from penjing.store import audit
from penjing.store.chain import enter
from penjing.store.database import Store
from penjing.store.tables import now, releases


@dataclass(frozen=True)
class Service:
    """A release that was in service: `first` and `last` are the times (UTC) when it was started."""

    id: str
    name: str
    folder: Path
    first: str
    last: str


def put_in_service(store: Store, release: Release, *, expect: str | None = None) -> Service | None:
    """Record that this release decides from now on; returns the earlier release of the same folder, if it differs.

    expect: the id, or its first 12 or more characters, that the release must have.
    Raises DamageError if the release is another one.
    """
    if expect is not None and (len(expect) < 12 or not release.id.startswith(expect)):
        raise DamageError(
            f"this release is {release.id[:12]}, not the expected {expect[:64]}",
            where=str(release.folder),
            fix="put the right folder there, or give the first 12 characters of the id that you mean",
        )
    folder, time = str(release.folder.absolute()), now()
    with store.write() as connection:
        last = connection.execute(
            select(releases).where(releases.c.folder == folder).order_by(releases.c.last.desc()).limit(1)
        ).first()
        before = Service(last.id, last.name, Path(last.folder), last.first, last.last) if last else None
        known = connection.execute(select(releases.c.id).where(releases.c.id == release.id)).first()
        if known:
            connection.execute(update(releases).where(releases.c.id == release.id).values(folder=folder, last=time))
        else:
            values = {"id": release.id, "name": release.info.name, "folder": folder, "first": time, "last": time}
            connection.execute(insert(releases).values(values))
            enter(connection, "release", [values])
        enter(connection, "deployment", [{"id": release.id, "folder": folder, "last": time}])
        if not known or (before and before.id != release.id):
            gates = gates_digest(release)
            about = {"id": release.id, "name": release.info.name, "folder": folder}
            audit.append(connection, "release", about | ({"gates": gates} if gates else {}))
    return before if before and before.id != release.id else None


def named_otherwise(store: Store, names: Collection[str]) -> set[str]:
    """The ids of the releases that were in service under a name that is none of these."""
    with store.read() as connection:
        found = connection.execute(select(releases.c.id).where(releases.c.name.not_in(names)))
        return {str(identity) for identity in found.scalars()}


def open_recorded(store: Store, identity: str, folder: Path | None = None) -> Release:
    """The release with this id, verified, from its last folder in service, or from `folder`.

    It is searched there and among the releases that are kept by their ids around that folder (core/releases.py).
    Raises UsageError (unknown, or not there any more) or DamageError (damaged, or only another release is there).
    """
    if folder is None:
        with store.read() as connection:
            found = connection.execute(select(releases.c.folder).where(releases.c.id == identity)).scalar()
        if found is None:
            raise UsageError(
                f"the release {identity[:12]} was never in service with this database", fix="give it with --release"
            )
        folder = Path(found)
    damage: DamageError | None = None
    for place in places(folder, identity):
        if listed_id(place) != identity:
            continue
        try:
            return open_release(place)
        except DamageError as error:
            damage = damage or error
    if damage is not None:
        raise damage
    fix = f"give its folder with --release; `make` keeps every release in OUT/{RELEASES}/ID"
    here = open_release(folder) if (folder / MANIFEST).is_file() else None
    if here is None:
        raise UsageError(f"no such folder, and no release {identity[:12]} around it", where=str(folder), fix=fix)
    message = f"the release {identity[:12]} is not here any more: this is {here.id[:12]}"
    raise DamageError(message, where=str(folder), fix=fix)
