"""One database, opened, brought to the newest form, and read or written in explicit transactions."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from penjing.core.errors import MissingPackageError, StoreError, UsageError
from penjing.store import sqlite

DEFAULT_URL = "sqlite:///penjing.db"
VERSION_TABLE = "penjing_version"
_WRITE = "penjing_write"
# Alembic keeps its running migration in module globals: one at a time in a process.
_MIGRATING = threading.Lock()


class Store:
    """An open database. `read()` and `write()` yield a connection in one transaction; errors come as StoreError."""

    def __init__(self, engine: Engine, warning: str | None = None) -> None:
        self.engine = engine
        self.warning = warning
        self.url = engine.url.render_as_string(hide_password=True)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one moment of the database."""
        with self._translated(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is on the disk when this is left without an error, and undone otherwise."""
        with self._translated(), self.engine.connect() as connection:
            writing = connection.execution_options(**{_WRITE: True})
            with writing.begin():
                yield writing

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise _explained(error, self.url) from error


def open_store(url: str | None = None, *, create: bool = True) -> Store:
    """Open the database of that URL (default: penjing.db here) and bring its tables to the newest form.

    create: whether a SQLite file that is not there is made. Raises UsageError (URL, no such file),
    MissingPackageError (driver) or StoreError (locked, read-only, damaged, not ours, made by a newer Penjing).
    """
    parsed = _parse(url or DEFAULT_URL)
    warning = None
    if parsed.get_backend_name() == "sqlite":
        engine = _sqlite_engine(parsed, create=create)
        warning = sqlite.warning(sqlite.driver().sqlite_version_info)
    else:
        engine = _server_engine(parsed)
    store = Store(engine, warning)
    try:
        _migrate(store)
    except (StoreError, UsageError):
        store.close()
        raise
    return store


def _parse(url: str) -> URL:
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


def _sqlite_engine(url: URL, *, create: bool) -> Engine:
    if url.database in {None, "", ":memory:"} or "mode=memory" in str(url):
        raise UsageError("a database in memory is lost at the end", fix="give a file: sqlite:///penjing.db")
    path = Path(str(url.database))
    if path.is_dir():
        raise UsageError("this is a folder, not a database file", where=str(path), fix="give a file: sqlite:///FILE")
    if not path.exists():
        if not create:
            raise UsageError("no such database", where=str(path), fix="give the one that decided: --db sqlite:///FILE")
        if not path.parent.is_dir():
            raise UsageError("the folder of the database does not exist", where=str(path), fix="make that folder first")
    module = sqlite.driver()
    arguments = {"timeout": sqlite.BUSY_SECONDS, "check_same_thread": False}
    engine = create_engine(url, module=module, connect_args=arguments)
    event.listen(engine, "connect", sqlite.on_connect(module.sqlite_version_info))

    # A writer that asks for the lock at once waits its turn; one that asks in mid-transaction may be refused.
    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get(_WRITE)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def _server_engine(url: URL) -> Engine:
    try:
        return create_engine(url, pool_pre_ping=True)
    except (ModuleNotFoundError, NoSuchModuleError):
        raise MissingPackageError(
            f"the database `{url.drivername}` needs its driver", fix="pip install 'penjing[postgres]'"
        ) from None


def _migrate(store: Store) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    script = ScriptDirectory.from_config(config)
    with _MIGRATING:
        with store.read() as connection:
            if _revision(connection) == script.get_current_head():
                return
        with store.write() as connection:
            revision = _revision(connection)
            if revision is None:
                _refuse_foreign(connection, store.url)
            elif revision not in {known.revision for known in script.walk_revisions()}:
                raise StoreError(
                    f"the database is of a newer form ({revision}) than this Penjing knows",
                    where=store.url,
                    fix="install the newer Penjing that made it, or use another database",
                )
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    return context.get_current_revision()


def _refuse_foreign(connection: Connection, url: str) -> None:
    names = inspect(connection).get_table_names()
    if names and connection.dialect.name == "sqlite":
        raise StoreError(
            f"the database belongs to something else: it has the table `{sorted(names)[0]}`",
            where=url,
            fix="give a file of its own to Penjing: --db sqlite:///penjing.db",
        )


def _explained(error: DBAPIError, url: str) -> StoreError:
    what, fix = sqlite.meaning(str(error.orig))
    return StoreError(what, where=url, fix=fix)
