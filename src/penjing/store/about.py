"""What the database says of itself, signed, so that nobody else can say it: its form, and its last test write."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, inspect, select, update

from penjing.store.signing import SigningKey, is_signed
from penjing.store.tables import about, writers

ID, FORM, PROBED = "id", "form", "probed"
NAMES = (ID, FORM, PROBED)


def statement(key: SigningKey, name: str, value: str) -> str:
    """A value with the signature of its writer behind it."""
    return f"{value} {key.sign_text(_message(key.database, name, value))}"


def read_statement(database: str, name: str, written: str, publics: Iterable[str]) -> str | None:
    """The value, where one of these writers has signed it for this database."""
    value, _, signature = written.rpartition(" ")
    message = _message(database, name, value)
    return value if any(is_signed(public, message, signature) for public in publics) else None


def signed_form(connection: Connection) -> tuple[str | None, bool]:
    """(the form that the database says it has, whether a writer has signed that); (None, False) where it says none."""
    if not {about.name, writers.name} <= set(inspect(connection).get_table_names()):
        return None, False
    found = dict(connection.execute(select(about.c.name, about.c.value)).tuples().all())
    publics = list(connection.execute(select(writers.c.public)).scalars())
    written = found.get(FORM)
    if written is None:
        return None, False
    signed = read_statement(str(found.get(ID)), FORM, str(written), publics)
    return str(written).rpartition(" ")[0], signed is not None


def set_statement(connection: Connection, key: SigningKey, name: str, value: str) -> None:
    """Replace a statement in the caller's transaction."""
    connection.execute(update(about).where(about.c.name == name).values(value=statement(key, name, value)))


def _message(database: str, name: str, value: str) -> bytes:
    return f"penjing about\n{database}\n{name}\n{value}".encode("utf-8", "surrogatepass")
