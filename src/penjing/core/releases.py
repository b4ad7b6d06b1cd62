"""Releases on disk by id: the newest as OUT/release, every one as OUT/releases/ID; either path leads to all."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from penjing.core.artifact import gates_file, observed_file
from penjing.core.errors import DamageError
from penjing.core.folder import link_or_copy, listed_id, move_aside, sync, verify

RELEASES = "releases"
SHORT = 12
_OLD, _LINKED = ".old-", ".linked-"


def by_id(target: Path, identity: str) -> Path:
    """The folder of the release with this id, next to the folder `target` of the newest."""
    return target.parent / RELEASES / identity[:SHORT]


def put_in_place(sealed: Path, target: Path) -> None:
    """Make a sealed folder the release `target`, and keep it as `releases/ID` too.

    Both are real folders with the same files (hard links, or copies where the file system has no links). So `cp -r`,
    rsync and tar copy a whole release, and older releases are found by their ids. `sealed` is moved or removed.
    A release that was at `target` is kept under its id. After a kill every folder is whole, and the next call completes
    the work.
    """
    sweep(target)
    identity = verify(sealed)
    kept = by_id(target, identity)
    if _holds(kept, identity):
        shutil.rmtree(sealed, ignore_errors=True)
    else:
        move_aside(kept)
        kept.parent.mkdir(parents=True, exist_ok=True)
        sealed.rename(kept)
        sync(kept.parent)
    if _holds(target, identity):
        return
    linked = target.with_name(f".{target.name}{_LINKED}{secrets.token_hex(4)}")
    try:
        shutil.copytree(kept, linked, copy_function=link_or_copy)
        _sync_folders(linked)
        retire(target)
        linked.rename(target)
        sync(target.parent)
    finally:
        shutil.rmtree(linked, ignore_errors=True)


def retire(target: Path) -> Path | None:
    """Keep the release at `target` only under its id; returns its new folder, or None if there was none."""
    if not target.exists():
        return None
    identity = listed_id(target) or ""
    if not identity or not _holds(target, identity):
        return move_aside(target)
    kept = by_id(target, identity)
    files = (gates_file, observed_file)
    if _holds(kept, identity):
        for file in files:
            file(target).unlink(missing_ok=True)
        old = target.with_name(f".{target.name}{_OLD}{secrets.token_hex(4)}")
        target.rename(old)
        shutil.rmtree(old, ignore_errors=True)
    else:
        move_aside(kept)
        kept.parent.mkdir(parents=True, exist_ok=True)
        for file in files:
            if file(target).exists():
                file(target).replace(file(kept))
        target.rename(kept)
        sync(kept.parent)
    sync(target.parent)
    return kept


def sweep(target: Path) -> None:
    """Remove the unfinished folders that a killed call left next to `target`."""
    for mark in (_OLD, _LINKED):
        for leftover in target.parent.glob(f".{target.name}{mark}*"):
            shutil.rmtree(leftover, ignore_errors=True)


def places(folder: Path, identity: str) -> Iterator[Path]:
    """Where the release with this id may be, if `folder` is where it was, or the OUT of a `make`; most likely first.

    Older versions of Penjing moved a release to NAME-ID next to the newer one.
    """
    short = identity[:SHORT]
    yield folder
    for around in (folder.parent, folder):
        yield from (around / RELEASES / short, around / RELEASES / identity)
    yield from (folder.parent / short, folder.parent / f"{folder.name}-{short}")
    yield from (folder / "release", folder / f"release-{short}")
    # `folder` was itself an older release, and OUT was made again.
    yield folder.parent.parent / "release"


def _holds(folder: Path, identity: str) -> bool:
    try:
        return folder.is_dir() and verify(folder) == identity
    except DamageError:
        return False


def _sync_folders(folder: Path) -> None:
    for inner in [*(path for path in folder.rglob("*") if path.is_dir()), folder]:
        sync(inner)
