"""The table `about`: the version of the tables and the last test write, each signed by a writer of this database."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, inspect, select, update

from penjing.store.signing import SigningKey, is_signed
from penjing.store.tables import about, writers

ID, FORM, PROBED = "id", "form", "probed"
NAMES = (ID, FORM, PROBED)


def signed_value(key: SigningKey, name: str, value: str) -> str:
    """The value and the signature of its writer, as the table stores them."""
    return f"{value} {key.sign_text(_message(key.database, name, value))}"


def read_signed(database: str, name: str, written: str, publics: Iterable[str]) -> str | None:
    """The value, if one of these writers has signed it under this name for this database; else None."""
    value, _, signature = written.rpartition(" ")
    message = _message(database, name, value)
    return value if any(is_signed(public, message, signature) for public in publics) else None


def signed_form(connection: Connection) -> tuple[str | None, bool]:
    """(the version of the tables, whether a writer has signed it); (None, False) if the row is missing."""
    if not {about.name, writers.name} <= set(inspect(connection).get_table_names()):
        return None, False
    found = dict(connection.execute(select(about.c.name, about.c.value)).tuples().all())
    publics = list(connection.execute(select(writers.c.public)).scalars())
    written = found.get(FORM)
    if written is None:
        return None, False
    signed = read_signed(str(found.get(ID)), FORM, str(written), publics)
    return str(written).rpartition(" ")[0], signed is not None


def write_signed(connection: Connection, key: SigningKey, name: str, value: str) -> None:
    """Replace a signed value in the caller's transaction."""
    connection.execute(update(about).where(about.c.name == name).values(value=signed_value(key, name, value)))


def _message(database: str, name: str, value: str) -> bytes:
    return f"penjing about\n{database}\n{name}\n{value}".encode("utf-8", "surrogatepass")
