"""Continues after a loss: makes a new signing key if the database, its key or its newest records are lost."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from penjing.core.errors import StoreError, UsageError
from penjing.store import audit
from penjing.store.chain import register
from penjing.store.database import open_store, place_of
from penjing.store.opening import complete, database_id
from penjing.store.signing import head_file_of, load_key, make_key, save_key
from penjing.store.tables import now, writers


def begin(url: str | None) -> Path | None:
    """Begin again with the present records; returns the new place of the old key, or None if there was none.

    Raises UsageError if nothing is lost.
    """
    file, problem = _problem(url)
    if problem is None:
        raise UsageError("nothing is lost: the database and its signing key belong together", fix="leave it out")
    moved, trusted = _move_aside(file)
    if _is_empty(url):
        open_store(url).close()
        return moved
    store = open_store(url, create=False)
    with store.read() as connection:
        database = database_id(connection)
        heads = {row.public: [row.number, row.hash] for row in connection.execute(select(writers))}
    if store.problem is None:  # a database of an old form was entered, and has its key
        store.close()
        return moved
    key = make_key(database, tuple(sorted({*heads, *trusted})))
    with store.write() as connection:
        register(connection, key)
    save_key(file, key)
    store.key, store.problem = key, None
    complete(store)
    with store.write() as connection:
        audit.append(connection, "begun anew", {"why": problem, "key": key.public, "heads": heads})
    store.close()
    return moved


def _problem(url: str | None) -> tuple[Path, str | None]:
    """(the key file, what is wrong with the database or the key)."""
    try:
        store = open_store(url, create=False)
    except StoreError as error:
        return _key_file(url), error.what
    store.close()
    return store.key_file, None if store.problem is None else store.problem.what


def _key_file(url: str | None) -> Path:
    return place_of(url)[1]


def _move_aside(file: Path) -> tuple[Path | None, tuple[str, ...]]:
    stamp = now().replace(":", "")[:17]
    head = head_file_of(file)
    if head.exists():
        head.rename(head.with_name(f"{head.name}.{stamp}"))
    if not file.exists():
        return None, ()
    try:
        key = load_key(file)
    except StoreError:
        key = None
    moved = file.rename(file.with_name(f"{file.name}.{stamp}"))
    return moved, (key.public, *key.trusted) if key is not None else ()


def _is_empty(url: str | None) -> bool:
    path = place_of(url)[0]
    return path is not None and (not path.exists() or path.stat().st_size == 0)
