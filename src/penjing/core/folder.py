"""Folders that are complete or absent: written elsewhere, synced, hashed, then renamed; verified on every load."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from penjing.core.canon import digest_file
from penjing.core.errors import DamageError, UsageError

MANIFEST = "MANIFEST"
_PARTIAL = ".partial-"


@contextmanager
def sealed_folder(target: Path) -> Iterator[Path]:
    """Yield an empty folder next to `target`; without an error it becomes `target` in one rename at the end.

    An existing `target` with the same id is kept as it is; one with another id is moved to `NAME-ID[:12]` first.
    So `target` is never a half-written folder. Folders left by killed writers are removed.
    """
    target = target.absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    for leftover in target.parent.glob(f".{target.name}{_PARTIAL}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    partial = target.parent / f".{target.name}{_PARTIAL}{secrets.token_hex(4)}"
    partial.mkdir()
    try:
        yield partial
        identity = _list_and_sync(partial)
        _put_in_place(partial, target, identity)
    finally:
        if partial.exists():
            shutil.rmtree(partial, ignore_errors=True)


def verify(folder: Path) -> str:
    """Check every file against MANIFEST and return the folder's id (SHA-256 of MANIFEST, hex).

    Raises UsageError if the folder does not exist, DamageError if a file is changed, missing or not listed.
    """
    if not folder.is_dir():
        said = "this is a file, not a folder" if folder.exists() else "no such folder"
        raise UsageError(said, where=str(folder), fix="give the folder that `penjing make` wrote")
    listed = _read_manifest(folder)
    found = {path.relative_to(folder).as_posix() for path in _files(folder)} - {MANIFEST}
    for name in sorted(found - listed.keys()):
        raise DamageError(f"the file {name!r} is not listed in MANIFEST", where=str(folder), fix=_FIX)
    for name, expected in listed.items():
        path = folder / name
        if name not in found:
            raise DamageError(f"the file {name!r} is missing", where=str(folder), fix=_FIX)
        if digest_file(path) != expected:
            raise DamageError(f"the file {name!r} was changed since it was sealed", where=str(folder), fix=_FIX)
    return hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()


def check_place(target: Path, command: str, *marks: str) -> None:
    """Raise UsageError where a sealed folder cannot be put: a file is there, or a folder that `command` did not write.

    marks: what only such a folder holds; one of these is enough.
    """
    if not os.path.lexists(target) or (target.is_dir() and not any(target.iterdir())):
        return
    if not (target / MANIFEST).is_file() or not any((target / mark).exists() for mark in marks):
        what = f"something is here that `{command}` did not write"
        raise UsageError(what, where=str(target), fix="give another --out, or move it")


def remove(path: Path) -> None:
    """Remove a folder with its content, a file or a link."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def listed_id(folder: Path) -> str | None:
    """The id that the folder's MANIFEST gives it, without checking the files; None if there is no MANIFEST."""
    try:
        return hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
    except OSError:
        return None


def folder_size(folder: Path) -> int:
    """Bytes of all files in the folder."""
    return sum(path.stat().st_size for path in _files(folder))


def sync(path: Path) -> None:
    """Wait until a file, or a folder's list of names, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def replaced_file(path: Path) -> Iterator[Path]:
    """Yield a new path next to `path`; the file written there becomes `path` in one rename, once it is on the disk.

    After an error or a kill, `path` is the old file, or does not exist.
    """
    partial = path.with_name(f".{path.name}{_PARTIAL}{secrets.token_hex(4)}")
    try:
        yield partial
        sync(partial)
        partial.rename(path)
    finally:
        partial.unlink(missing_ok=True)


def write_whole(path: Path, raw: bytes, *, private: bool = False) -> None:
    """Write a file; it is complete and on the disk when this returns. After a kill, `path` is the old file or none.

    private: only its owner may read it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with replaced_file(path) as partial, make_private(partial) if private else partial.open("wb") as file:
        file.write(raw)


def make_private(path: Path) -> BinaryIO:
    """A new file that only its owner may read, open for writing. Raises FileExistsError and other OSErrors."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def link_or_copy(source: str | Path, target: str | Path) -> Path:
    """A hard link to a file, which takes no space; a copy, synced to the disk, where links are not possible."""
    target = Path(target)
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links, another disk, or too many links of one file
        shutil.copyfile(source, target)
        sync(target)
    return target


_FIX = "copy the folder again from where it was made, or make it again; a damaged folder is never used"


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() or path.is_symlink()]


def _read_manifest(folder: Path) -> dict[str, str]:
    try:
        raw = (folder / MANIFEST).read_bytes()
        listed = {_unescape(line[66:]): line[:64] for line in raw.decode("ascii").split("\n")[:-1]}
    except FileNotFoundError:
        raise DamageError("there is no MANIFEST: this folder was never sealed", where=str(folder), fix=_FIX) from None
    except UnicodeDecodeError:
        raise DamageError("MANIFEST is not readable", where=str(folder), fix=_FIX) from None
    # Writing what was read must give the same bytes: this also finds a changed separator.
    if _render(listed) != raw or any(name.startswith("/") or ".." in Path(name).parts for name in listed):
        raise DamageError("MANIFEST is not in the form in which it was sealed", where=str(folder), fix=_FIX)
    return listed


def _render(listed: dict[str, str]) -> bytes:
    return "".join(f"{listed[name]}  {_escape(name)}\n" for name in sorted(listed)).encode("ascii", "replace")


def _escape(name: str) -> str:
    return name.encode("unicode_escape").decode("ascii")


def _unescape(name: str) -> str:
    return name.encode("ascii").decode("unicode_escape")


def _list_and_sync(folder: Path) -> str:
    listed = {}
    for path in _files(folder):
        listed[path.relative_to(folder).as_posix()] = digest_file(path)
        sync(path)
    for inner in [path for path in folder.rglob("*") if path.is_dir()]:
        sync(inner)
    manifest = _render(listed)
    with (folder / MANIFEST).open("wb") as file:
        file.write(manifest)
        file.flush()
        os.fsync(file.fileno())
    sync(folder)
    return hashlib.sha256(manifest).hexdigest()


def move_aside(target: Path) -> Path | None:
    """Rename a folder to `NAME-ID[:12]` and return the new path; None where there is none."""
    if not target.exists():
        return None
    try:
        present = verify(target)
    except DamageError:
        present = f"damaged-{secrets.token_hex(2)}"
    aside = target.parent / f"{target.name}-{present[:12]}"
    if aside.exists():
        shutil.rmtree(aside)
    target.rename(aside)
    sync(target.parent)
    return aside


def _put_in_place(partial: Path, target: Path, identity: str) -> None:
    if target.exists():
        try:
            if verify(target) == identity:
                return
        except DamageError:
            pass
        move_aside(target)
    partial.rename(target)
    sync(target.parent)
