"""Engines of SQLAlchemy: SQLite by a file, which a connection never creates, and PostgreSQL by URL."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, Executable, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError

from penjing.core.errors import MissingPackageError, StoreError, UsageError
from penjing.store import sqlite
from penjing.store.sqlite_file import FileIdentity, check_in_place, companion, identify

WRITE = "penjing_write"
FILES = "penjing_files"
# The service answers on at most 40 threads beside its writer. With as many connections no thread waits for one.
_CONNECTIONS, _MORE = 8, 56
_CACHE_KIB = 32 * 1024


def parse_url(url: str) -> URL:
    """The URL of a database that can be used. Raises UsageError."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise UsageError(
            f"`{url}` is not the URL of a database",
            fix="for example sqlite:///penjing.db or sqlite:////data/penjing.db",
        ) from None
    if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
        raise UsageError(
            f"databases of the kind `{parsed.get_backend_name()}` are not supported",
            fix="use sqlite:///FILE, or postgresql+psycopg://USER:PASSWORD@HOST/NAME",
        )
    return parsed.set(drivername="postgresql+psycopg") if parsed.drivername == "postgresql" else parsed


def sqlite_path(url: URL) -> Path:
    """The file of a SQLite URL. Raises UsageError for a database in memory or a folder."""
    name = str(url.database or "")
    if name in {"", ":memory:"} or "mode=memory" in str(url):
        raise UsageError("a database in memory is lost at the end", fix="give a file: sqlite:///penjing.db")
    if name.startswith("file:"):
        raise UsageError("a SQLite URI is not accepted", where=name, fix="give the file itself: sqlite:///penjing.db")
    path = Path(name).absolute()
    if path.is_dir():
        raise UsageError("this is a folder, not a database file", where=name, fix="give a file: sqlite:///FILE")
    return path


def sqlite_engine(url: URL, path: Path, expected: FileIdentity) -> Engine:
    """An engine for the file at `path`, which must exist; each connection refuses another file in its place."""
    module = sqlite.driver()
    engine = create_engine(
        url,
        module=module,
        connect_args={"timeout": sqlite.BUSY_SECONDS, "check_same_thread": False},
        pool_size=_CONNECTIONS,
        max_overflow=_MORE,
        pool_timeout=sqlite.BUSY_SECONDS,
    )
    prepare = sqlite.on_connect(module.sqlite_version_info)

    # `mode=rw`: SQLite must not make an empty database if the file is missing.
    @event.listens_for(engine, "do_connect")
    def do_connect(_dialect: Any, _record: Any, arguments: list[Any], options: dict[str, Any]) -> None:
        arguments[0] = f"file:{quote(str(path))}?mode=rw"
        options["uri"] = True

    @event.listens_for(engine, "connect")
    def connect(connection: Any, record: Any) -> None:
        # Bytes that are not UTF-8 were written by another program. They are read and reported, and do not stop reading.
        connection.text_factory = _text
        prepare(connection, record)
        check_in_place(path, expected)
        record.info[FILES] = _companions(connection, path)

    # A writer that takes the lock at the start waits for it; one that takes it later may be refused.
    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get(WRITE)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def check_companions(connection: Connection) -> None:
    """Raise StoreError if the WAL or its index is not the file that this connection has open.

    The removed WAL holds committed transactions. The connection that has it open copies them into the database.
    """
    files: dict[Path, FileIdentity] = connection.info.get(FILES, {})
    gone = [file for file, identity in files.items() if identify(file) != identity]
    if not gone:
        return
    raw: Any = connection.connection.dbapi_connection
    if not raw.in_transaction:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    raise StoreError(
        "the file was removed or replaced while the database is in use",
        where=str(gone[0]),
        fix="leave the files beside the database alone; the request can be sent again",
    )


def fetch_all(connection: Connection, query: Executable, *, scattered: bool = False) -> list[Any]:
    """All rows of a query with many rows; text is decoded by a faster method if all of it is UTF-8.

    scattered: the rows are in all parts of the file. With its own cache of 2 MiB SQLite would read most pages again.
    """
    raw: Any = connection.connection.dbapi_connection
    if connection.dialect.name != "sqlite":
        return list(connection.execute(query).all())
    raw.text_factory = str
    if scattered:
        raw.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
    try:
        return list(connection.execute(query).all())
    except OperationalError as error:
        if "decode" not in str(error.orig).lower():
            raise
    finally:
        raw.text_factory = _text
    return list(connection.execute(query).all())


def server_engine(url: URL) -> Engine:
    """An engine for PostgreSQL. Raises MissingPackageError."""
    try:
        return create_engine(url, pool_pre_ping=True, pool_size=_CONNECTIONS, max_overflow=_MORE)
    except (ModuleNotFoundError, NoSuchModuleError):
        raise MissingPackageError(
            f"the database `{url.drivername}` needs its driver", fix="pip install 'penjing[postgres]'"
        ) from None


def _companions(connection: Any, path: Path) -> dict[Path, FileIdentity]:
    """The WAL and its index, if this connection has them open. A rollback journal exists only during a transaction."""
    connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
    found = {companion(path, ending): identify(companion(path, ending)) for ending in ("-wal", "-shm")}
    return {file: identity for file, identity in found.items() if identity is not None}


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
