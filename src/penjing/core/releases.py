"""Releases on disk by their ids: the newest as OUT/release, every one as OUT/releases/ID, found again from either."""

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
    """Where the release with this id is kept, beside the folder `target` in which the newest is."""
    return target.parent / RELEASES / identity[:SHORT]


def put_in_place(sealed: Path, target: Path) -> None:
    """Make a sealed folder the release `target`, and keep it as `releases/ID` too.

    Both names hold the same files (hard links, or copies where the file system has none), as real folders: so that
    `cp -r`, rsync and tar take a release whole, and the older ones are found by their ids. `sealed` is used up.
    A release that was at `target` is kept by its id. A kill leaves whole folders, and the next call completes them.
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
    """Keep the release that is at `target` by its id only; returns where, or None where there was nothing."""
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
    """Remove what a killed call left half done beside `target`."""
    for mark in (_OLD, _LINKED):
        for leftover in target.parent.glob(f".{target.name}{mark}*"):
            shutil.rmtree(leftover, ignore_errors=True)


def places(folder: Path, identity: str) -> Iterator[Path]:
    """Where the release with this id may be, if `folder` is where it was, or the OUT of a `make`; likeliest first.

    Older versions of Penjing moved a release to NAME-ID beside the newer one.
    """
    short = identity[:SHORT]
    yield folder
    for around in (folder.parent, folder):
        yield from (around / RELEASES / short, around / RELEASES / identity)
    yield from (folder.parent / short, folder.parent / f"{folder.name}-{short}")
    yield from (folder / "release", folder / f"release-{short}")
    # `folder` was itself among the older ones, and OUT was made anew.
    yield folder.parent.parent / "release"


def _holds(folder: Path, identity: str) -> bool:
    try:
        return folder.is_dir() and verify(folder) == identity
    except DamageError:
        return False


def _sync_folders(folder: Path) -> None:
    for inner in [*(path for path in folder.rglob("*") if path.is_dir()), folder]:
        sync(inner)
