"""Opens a database: migrates its tables to the newest form, begins its chain, finds and checks its signing key."""

from __future__ import annotations

import threading
import uuid
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Protocol

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, insert, inspect, select

from penjing.core.errors import StoreDamageError, StoreError
from penjing.store.about import FORM, ID, PROBED, signed_form, signed_value, write_signed
from penjing.store.chain import ChainTransaction, enter, enter_all, enter_later, register
from penjing.store.signing import SigningKey, head_file_of, load_head, load_key, make_key, save_key
from penjing.store.tables import about, chain, decisions, erasures, now, writers

VERSION_TABLE = "penjing_version"
# The columns of a decision and of its case for review that are erased.
ERASED_PARTS = "text fields evidence reviewer note"
# Alembic keeps its running migration in module globals, so a process runs one at a time.
_MIGRATING = threading.Lock()


class OpenedStore(Protocol):
    """The parts of a store that opening needs."""

    url: str
    key_file: Path
    key: SigningKey | None
    problem: StoreError | None

    def read(self) -> AbstractContextManager[Connection]:
        """A transaction that reads."""

    def write(self) -> AbstractContextManager[Connection]:
        """A transaction that writes."""

    def note(self, transaction: ChainTransaction) -> None:
        """Keep a committed head."""


def prepare(store: OpenedStore, *, strict: bool) -> None:
    """Bring the tables to the newest form and find the signing key.

    Raises StoreError; without `strict` a missing or foreign key is only noted in `store.problem`, so that the database
    can be read.
    """
    begun = _migrate(store)
    if begun is not None:
        _adopt(store.key_file, begun.database, {begun.public})
    with store.read() as connection:
        database = database_id(connection)
        counts = {row.public: row.number for row in connection.execute(select(writers.c.public, writers.c.number))}
        server = connection.dialect.name != "sqlite"
    try:
        key = load_key(store.key_file)
        if key is None:
            _adopt(store.key_file, database, set(counts))
            key = load_key(store.key_file)
        if key is None and server and strict:
            key = _join(store, database, set(counts))
            counts[key.public] = 0
        check_key(store, key, database, counts)
    except StoreError as error:
        if strict:
            raise
        store.problem = error
        return
    store.key = key
    complete(store)


def complete(store: OpenedStore) -> None:
    """Write the signed form, and enter in the chain the rows that the third form did not enter."""
    forms = _forms(_script())
    form = forms[0]
    with store.read() as connection:
        if _is_complete(connection, forms):
            return
    with store.write() as connection:
        if store.key is None or _is_complete(connection, forms):
            return
        if signed_form(connection)[1]:
            write_signed(connection, store.key, FORM, form)
            enter(connection, "form", [{"row": "form", "revision": form}])
            return
        connection.execute(insert(about).values(name=FORM, value=signed_value(store.key, FORM, form)))
        write_signed(connection, store.key, PROBED, now())
        erased = select(chain.c.row, func.min(chain.c.time)).where(chain.c.kind == "erased").group_by(chain.c.row)
        here = select(decisions.c.id).where(decisions.c.id == chain.c.row).exists()
        rows = [
            {"decision": identity, "time": time, "parts": ERASED_PARTS}
            for identity, time in connection.execute(erased.where(here)).tuples()
        ]
        if rows:
            connection.execute(insert(erasures), rows)
            enter(connection, "erasure", rows)
        enter_later(connection, form)


def _is_complete(connection: Connection, forms: list[str]) -> bool:
    """Whether the newest form is signed. A row `form` that was deleted or changed is not written again: `verify` names
    it."""
    written, signed = signed_form(connection)
    if written is not None:
        return not signed or written not in forms[1:]
    return connection.execute(select(chain.c.number).where(chain.c.kind == "form").limit(1)).first() is not None


def database_id(connection: Connection) -> str:
    """The id that the database got when its chain began."""
    return connection.execute(select(about.c.value).where(about.c.name == "id")).scalar() or ""


def check_key(store: OpenedStore, key: SigningKey | None, database: str, counts: dict[str, int]) -> None:
    """Raise StoreError if the key, the noted head and the database do not belong together."""
    where, fix = str(store.key_file), "bring back the right file, or see `penjing verify --begin-anew`"
    if key is None:
        raise StoreError("the signing key of the database is not here", where=where, fix=fix)
    if key.database != database or key.public not in counts:
        raise StoreError(
            f"the signing key belongs to another database than {store.url}: the database was exchanged",
            where=where,
            fix=fix,
        )
    head = load_head(head_file_of(store.key_file))
    if head is not None and head.writer == key.public and head.count > counts[key.public]:
        raise StoreError(
            f"the database was set back to an older state: {head.count - counts[key.public]} entries of its chain are "
            "missing at the end",
            where=store.url,
            fix="bring back the newer database; to go on with this one: `penjing verify --begin-anew`",
        )


def pending_file(key_file: Path) -> Path:
    """The file of a new key until its database has been committed."""
    return key_file.with_name(key_file.name + ".new")


def save_pending(key_file: Path, key: SigningKey) -> None:
    """Write a new key to its pending file; a key that an interrupted start left there is replaced."""
    pending_file(key_file).unlink(missing_ok=True)
    save_key(pending_file(key_file), key)


def _adopt(key_file: Path, database: str, publics: set[str]) -> None:
    """Move the pending key to its place if it belongs to this database. Another process may have done this."""
    waiting = load_key(pending_file(key_file))
    if waiting is not None and waiting.database == database and waiting.public in publics and not key_file.exists():
        with suppress(FileNotFoundError):
            pending_file(key_file).rename(key_file)


def _join(store: OpenedStore, database: str, trusted: set[str]) -> SigningKey:
    """Register a new writer of a database that several machines share."""
    key = make_key(database, tuple(sorted(trusted)))
    save_pending(store.key_file, key)
    with store.write() as connection:
        register(connection, key)
    _adopt(store.key_file, database, {key.public})
    return key


def _migrate(store: OpenedStore) -> SigningKey | None:
    """Migrate the tables to the newest form; returns the new key if the chain began now, else None."""
    script = _script()
    with _MIGRATING:
        with store.read() as connection:
            revision = _revision(connection)
            if revision is not None:
                _check_form(connection, revision, _forms(script), store.url)
            if revision == script.get_current_head():
                return None
        with store.write() as connection:
            if _revision(connection) is None:
                _refuse_foreign(connection, store.url)
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            if database_id(connection):  # another process did it first
                return None
            key, transaction = _begin(connection, store, script.get_current_head() or "")
        store.note(transaction)
        return key


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config


def _script() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _forms(script: ScriptDirectory) -> list[str]:
    """The versions of the tables, newest first."""
    return [known.revision for known in script.walk_revisions()]


def _check_form(connection: Connection, revision: str, known: list[str], url: str) -> None:
    """Raise StoreDamageError if no writer has signed the version of the tables.

    A signed version that this Penjing does not know is of a newer Penjing: StoreError. A signed version that is older
    than the tables is one that a start without the signing key has migrated: `complete` signs the new one.
    """
    written, signed = signed_form(connection)
    if signed and written in known and revision in known and known.index(written) > known.index(revision):
        return
    if revision not in known and written == revision and signed:
        raise StoreError(
            f"the database is of a newer form ({revision[:32]}) than this Penjing knows",
            where=url,
            fix="install the newer Penjing that made it, or use another database",
        )
    if revision not in known or written not in {None, revision}:
        raise StoreDamageError(
            f"the version of the tables, {revision[:32]!r} in `{VERSION_TABLE}`, was changed outside Penjing",
            where=url,
            fix="compare the database with a backup" + (f"; the signed version is {written[:32]}" if written else ""),
        )


def _begin(connection: Connection, store: OpenedStore, form: str) -> tuple[SigningKey, ChainTransaction]:
    """Begin the chain with the present rows. Raises StoreError if another database was here before."""
    if store.key_file.exists():
        raise lost(store.url, store.key_file)
    key = make_key(uuid.uuid4().hex)
    save_pending(store.key_file, key)
    initial = {ID: key.database, FORM: signed_value(key, FORM, form), PROBED: signed_value(key, PROBED, now())}
    connection.execute(insert(about), [{"name": name, "value": value} for name, value in initial.items()])
    register(connection, key)
    return key, enter_all(connection, key, form)


def lost(where: str, key_file: Path) -> StoreError:
    """The error for a database that was here before and is missing now."""
    return StoreError(
        f"the database is gone or empty, but its signing key {key_file} is here: decisions were recorded here before",
        where=where,
        fix="bring the database back; or begin a new one, without those decisions: `penjing verify --begin-anew`",
    )


def _revision(connection: Connection) -> str | None:
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    heads = context.get_current_heads()
    if len(heads) > 1:
        raise StoreDamageError(
            f"the table `{VERSION_TABLE}` has {len(heads)} rows: it was changed outside Penjing",
            where=connection.engine.url.render_as_string(),
            fix=f"keep the newest of {', '.join(sorted(heads))}, and delete the others",
        )
    return heads[0] if heads else None


def _refuse_foreign(connection: Connection, url: str) -> None:
    names = inspect(connection).get_table_names()
    if {"decisions", "chain", "writers"} <= set(names):
        raise StoreDamageError(
            f"the row of the table `{VERSION_TABLE}` was deleted", where=url, fix="compare the database with a backup"
        )
    if names and connection.dialect.name == "sqlite":
        raise StoreError(
            f"the database belongs to another program: it has the table `{sorted(names)[0]}`",
            where=url,
            fix="give a file of its own to Penjing: --db sqlite:///penjing.db",
        )
