"""What an attacker with the file does to a database, for the tests of what Penjing then finds."""

from __future__ import annotations

from contextlib import closing

from penjing.store.sqlite import driver


def by_hand(url: str, *statements: str) -> None:
    """Run SQL on an SQLite database behind Penjing's back: its triggers are dropped before and put back after."""
    with closing(driver().connect(url.removeprefix("sqlite:///"), isolation_level=None)) as connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
        for _, sql in triggers:
            connection.execute(sql)
