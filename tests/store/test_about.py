"""Statements of the database about itself: only a writer of this database makes one."""

from __future__ import annotations

from penjing.store.about import read_statement, statement
from penjing.store.signing import make_key


def test_a_statement_holds_for_its_name_its_database_and_its_writer() -> None:
    key, other = make_key("one"), make_key("one")
    written = statement(key, "form", "0004")
    assert read_statement("one", "form", written, [other.public, key.public]) == "0004"
    assert read_statement("one", "form", written, [other.public]) is None
    assert read_statement("two", "form", written, [key.public]) is None
    assert read_statement("one", "probed", written, [key.public]) is None
    assert read_statement("one", "form", "0005 " + written.split()[1], [key.public]) is None
    for odd in ("", "0004", "0004 zz", "\ud800 00"):
        assert read_statement("one", "form", odd, [key.public]) is None
