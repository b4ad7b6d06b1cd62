"""One database, opened, brought to the newest form, and read or written in explicit transactions."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from penjing.core.errors import StoreDamageError, StoreError, UsageError
from penjing.store import sqlite
from penjing.store.about import PROBED, write_signed
from penjing.store.chain import OPTION, ChainHead, ChainTransaction
from penjing.store.engines import WRITE, check_companions, parse_url, server_engine, sqlite_engine, sqlite_path
from penjing.store.opening import lost, prepare
from penjing.store.signing import SignedHead, SigningKey, head_file_of, key_file_of, load_head, save_head
from penjing.store.sqlite_file import (
    FileIdentity,
    check_in_place,
    check_room,
    close_to_others,
    companion,
    create,
    identify,
)
from penjing.store.tables import now

DEFAULT_URL = "sqlite:///penjing.db"
KEY_OPTION = "signing_key"
NOTE_SECONDS = 1.0
_LOG = logging.getLogger("penjing.store")


class Store:
    """An open database. `read()` and `write()` yield a connection in one transaction; errors come as StoreError.

    Changes by `write()` are entered in the chain of `key`. Without a key nothing can be written; `problem` says why.
    """

    def __init__(self, engine: Engine, key_file: Path, place: tuple[Path, FileIdentity] | None = None) -> None:
        self.engine, self.key_file = engine, key_file
        self.url = engine.url.render_as_string(hide_password=True)
        self.warning: str | None = None
        self.key: SigningKey | None = None
        self.problem: StoreError | None = None
        self._place = place
        self._known: ChainHead | None = None
        self._head: SignedHead | None = None
        self._noted = float("-inf")
        self._noting = threading.Lock()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one moment of the database."""
        with self._connection() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction. If the block ends without an error, it is on the disk, in the file at the path.

        Otherwise it is rolled back, or it was written to a file that is not at the path any more: StoreError.
        """
        with self._connection() as connection:
            transaction = ChainTransaction(self.key, self._known, problem=self.problem)
            writing = connection.execution_options(**{WRITE: True, OPTION: transaction})
            with writing.begin():
                yield writing
                transaction.finish(writing)
                self._check_files(writing)
            self._check_files(writing)
        self.note(transaction)

    def probe(self) -> None:
        """Write the time and commit it. Raises StoreError if nothing can be recorded."""
        with self.write() as connection:
            self.touch(connection)

    def touch(self, connection: Connection) -> None:
        """Write the time of a test, in the caller's transaction."""
        if self.problem is not None:
            raise self.problem
        if self.key is not None:
            write_signed(connection, self.key, PROBED, now())

    def check_place(self) -> None:
        """Raise StoreError if the file at the path is not the open one."""
        if self._place is not None:
            check_in_place(*self._place)

    def check_room(self) -> None:
        """Raise StoreError if the disk of a SQLite database is almost full."""
        if self._place is not None:
            check_room(self._place[0])

    def note(self, transaction: ChainTransaction) -> None:
        """Keep the head of a committed transaction, and write it beside the key at most once a second."""
        if transaction.head is None or transaction.known is None:
            return
        with self._noting:
            if self._known is None or transaction.known.number > self._known.number:
                self._known, self._head = transaction.known, transaction.head
            if time.monotonic() - self._noted >= NOTE_SECONDS:
                self._save_head()

    def log_bytes(self) -> int:
        """Size of the write-ahead log of a SQLite database; 0 if there is none."""
        if self._place is None:
            return 0
        try:
            return companion(self._place[0], "-wal").stat().st_size
        except OSError:
            return 0

    def checkpoint(self) -> None:
        """Copy the part of the write-ahead log that no connection reads into the database. Raises StoreError."""
        self._checkpoint("PASSIVE")

    def compact(self) -> None:
        """Empty the write-ahead log, which may hold erased texts. Raises StoreError if another program uses it."""
        if self._place is not None and self._checkpoint("TRUNCATE"):
            raise StoreError(
                "the write-ahead log still holds what was erased: another program reads the database",
                where=self.url,
                fix="give the same command again later: it empties the log",
            )

    def _checkpoint(self, mode: str) -> bool:
        """Make a checkpoint; whether another connection kept it from being complete."""
        with self._connection() as connection:
            driver: Any = connection.connection.dbapi_connection
            busy, _in_log, _brought_in = driver.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
        return bool(busy)

    def audit_key(self) -> bytes | None:
        """The secret key by which audits are drawn here; None without a signing key."""
        return None if self.key is None else self.key.derive(b"penjing: draws for audits")

    def close(self) -> None:
        """Note the last head, and close all connections."""
        with self._noting:
            self._save_head()
        self.engine.dispose()

    def _save_head(self) -> None:
        if self._head is None:
            return
        file, self._noted = head_file_of(self.key_file), time.monotonic()
        try:
            before = load_head(file)
            if before is None or before.writer != self._head.writer or before.count < self._head.count:
                save_head(file, self._head)
        except (OSError, StoreError) as error:
            # Decisions are on the disk and signed. Only finding entries that are cut off later becomes less certain.
            _LOG.warning("the head of the chain could not be noted in %s: %s", file, error)
        self._head = None

    def _check_files(self, connection: Connection) -> None:
        self.check_place()
        if self._place is not None:
            check_companions(connection)

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        """A connection to the file at its path. After an error it is closed, with all idle connections."""
        try:
            self.check_place()
            with self.engine.connect() as connection:
                try:
                    self._check_files(connection)
                    yield connection
                except (DBAPIError, StoreError) as error:
                    if not isinstance(error, IntegrityError):
                        connection.invalidate(error)
                    raise
        except IntegrityError as error:
            raise self._explained(error) from error
        except SQLAlchemyError as error:
            # A connection that was opened while the file was read-only stays read-only, so none is kept.
            self.engine.dispose()
            raise self._explained(error) from error

    def _explained(self, error: SQLAlchemyError) -> StoreError:
        message = str(error.orig if isinstance(error, DBAPIError) else error)
        folder = self._place[0].parent if self._place is not None else None
        what, fix = sqlite.meaning(message, folder)
        kind = StoreDamageError if sqlite.is_damage(message) else StoreError
        return kind(what, where=self.url, fix=fix)


def open_store(url: str | None = None, *, create: bool = True) -> Store:
    """Open the database of that URL (default: penjing.db here) and bring its tables to the newest form.

    create: whether a missing SQLite file is made, with its signing key. It is not made if a key file shows that
    there was one. Without `create`, a database without its key is opened for reading. The option `signing_key` of the
    URL names the key file; default: `.NAME.key` beside the database.
    Raises UsageError (URL, no such file), MissingPackageError (driver) or StoreError (lost, exchanged, set back,
    locked, read-only, damaged, not ours, made by a newer Penjing).
    """
    parsed, path, key_file = _place(url)
    if path is not None:
        identity = _file(path, key_file, make=create)
        store = Store(sqlite_engine(parsed, path, identity), key_file, (path, identity))
        store.warning = sqlite.warning(sqlite.driver().sqlite_version_info)
    else:
        store = Store(server_engine(parsed), key_file)
    try:
        prepare(store, strict=create)
    except (StoreError, UsageError):
        store.engine.dispose()
        raise
    return store


def place_of(url: str | None) -> tuple[Path | None, Path]:
    """(the file of a SQLite database or None, the file of its signing key). Raises UsageError."""
    return _place(url)[1:]


def _place(url: str | None) -> tuple[URL, Path | None, Path]:
    parsed = parse_url(url or DEFAULT_URL)
    given = parsed.query.get(KEY_OPTION)
    parsed = parsed.difference_update_query([KEY_OPTION])
    path = sqlite_path(parsed) if parsed.get_backend_name() == "sqlite" else None
    default = key_file_of(path or Path.cwd() / str(parsed.database))
    return parsed, path, Path(str(given)).expanduser().absolute() if given else default


def _file(path: Path, key_file: Path, *, make: bool) -> FileIdentity:
    """The identity of the file, which is made if allowed. Raises UsageError or StoreError."""
    if not path.exists():
        if key_file.exists():
            raise lost(str(path), key_file)
        if not make:
            raise UsageError("no such database", where=str(path), fix="give the one that decided: --db sqlite:///FILE")
        if not path.parent.is_dir():
            raise UsageError("the folder of the database does not exist", where=str(path), fix="make that folder first")
        create(path)
    close_to_others(path)
    identity = identify(path)
    if identity is None:
        raise StoreError("the database was removed while it was opened", where=str(path), fix="start again")
    return identity
